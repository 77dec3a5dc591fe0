"""What runs inside the examined interpreter: standard library and torch, Python 3.8 on."""
