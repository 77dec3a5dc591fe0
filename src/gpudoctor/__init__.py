"""gpudoctor: will PyTorch run on every GPU of this machine, and if not, what to type."""

__version__ = "0.1.0"

__all__ = [
    "Diagnosis",
    "RequirementError",
    "__version__",
    "diagnose",
    "explain_errors",
    "install_excepthook",
    "require",
]


def __getattr__(name: str) -> object:
    """Load what runs inside other programs (`gpudoctor.hooks`) when it is first asked for.

    By name, so that importing the package costs nothing and nothing below it depends on it.
    """
    if name in __all__:
        return getattr(__import__("gpudoctor.hooks", fromlist=["hooks"]), name)
    raise AttributeError(f"module 'gpudoctor' has no attribute {name!r}")
