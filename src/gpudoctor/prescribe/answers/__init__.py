"""What is answered: a cure that holds, warnings alone, nothing that helps."""
