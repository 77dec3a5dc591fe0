"""gpudoctor: will PyTorch run on every GPU of this machine, and if not, what to type.

From Python: `gpudoctor.check()`, `gpudoctor.plan(gpus=["5060 ti"])`, `gpudoctor.diagnose(error)`
and all else that the commands do; `dir(gpudoctor)` lists it.
"""

import sys

__version__ = "0.1.0"

_PLACES = {
    **dict.fromkeys(
        ("check", "plan", "triage", "smoke", "scan", "report", "fix", "undo", "facts", "explain"),
        "gpudoctor.app",
    ),
    **dict.fromkeys(
        (
            "RequirementError",
            "diagnose",
            "explain_errors",
            "install_excepthook",
            "load_ipython_extension",
            "require",
        ),
        "gpudoctor.hooks",
    ),
    **dict.fromkeys(("Diagnosis", "Report"), "gpudoctor.results"),
}
"""Name → the module that has it, loaded when the name is first asked for."""

__all__ = [*sorted(_PLACES), "__version__"]


def __getattr__(name: str) -> object:
    """Load what was asked for; importing the package alone costs nothing."""
    if name in _PLACES:
        return _load(name)
    raise AttributeError(f"module 'gpudoctor' has no attribute {name!r}")


def __dir__() -> list[str]:
    """What the package offers."""
    return [*__all__, "errors"]


def _load(name: str) -> object:
    # By name, so that nothing below the package depends on it.
    return getattr(__import__(_PLACES[name], fromlist=["_"]), name)


class _Room(type(sys)):  # type: ignore[misc]  # the type of modules, without importing `types`
    """A package inside this one that has the name of a function: calling it calls the function.

    `gpudoctor.report(…)` is a function of the interface and `gpudoctor.report` also the package
    that draws reports; importing the one would otherwise hide the other.
    """

    def __call__(self, *positional: object, **named: object) -> object:
        function: object = _load(self.__name__.rpartition(".")[2])
        return function(*positional, **named)  # type: ignore[operator]  # a function of `app`


class _Package(type(sys)):  # type: ignore[misc]  # as above
    """This package: what is imported below it under the name of a function stays callable."""

    def __setattr__(self, name: str, value: object) -> None:
        if name in _PLACES and type(value) is type(sys):
            value.__class__ = _Room
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
