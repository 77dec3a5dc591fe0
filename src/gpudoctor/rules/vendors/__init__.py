"""AMD, Apple and Intel: which build serves them and what their machine lacks."""
