"""gpudoctor: will PyTorch run on every GPU of this machine, and if not, what to type."""

__version__ = "0.1.0"
