"""What an environment is: its parts, the files in them, and whose a change is."""
