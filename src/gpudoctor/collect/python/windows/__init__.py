"""What an interpreter on Windows has of its own: who lists it, who starts it, its folder."""
