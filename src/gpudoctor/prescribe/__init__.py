"""The solver and its commands: from facts and findings to what exactly to type."""
