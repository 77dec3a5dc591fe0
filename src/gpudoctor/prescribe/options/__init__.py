"""The ways out: each with its steps and the facts that it leads to."""
