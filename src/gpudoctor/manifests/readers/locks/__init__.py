"""Lock files: which build each of them has written down."""
