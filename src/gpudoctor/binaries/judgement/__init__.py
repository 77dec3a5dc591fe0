"""How much of a library, and of a distribution as a whole, runs on a GPU."""
