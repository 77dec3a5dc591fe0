"""What was asked for: how to prescribe, and for which machine to plan."""

from __future__ import annotations

from functools import lru_cache

from gpudoctor.errors import UsageError
from gpudoctor.model.requirements import specifier
from gpudoctor.model.value import dataclass
from gpudoctor.prescribe.commands.tool_names import TOOLS

CHANNELS = ("stable", "nightly")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to prescribe."""

    tool: str = "auto"
    """One of `TOOLS`."""
    torch_spec: str | None = None
    """`2.9.1`, `2.9`, `>=2.8,<2.11`, `torch==2.9.1+cu128`."""
    channel: str = "stable"
    index_url: str | None = None
    """A mirror of the wheel index's root; may carry credentials, and is never shown."""
    from_source: bool = False
    fixed_python: bool = False
    """Whether the Python is part of the question, as in a plan, and must not be changed."""

    choose: bool = False
    """Whether a build is to be chosen whatever the findings say, as in a plan."""

    def __post_init__(self) -> None:
        """Raises `UsageError` for a value that is not one of the choices."""
        if self.tool not in TOOLS:
            raise UsageError(f"--tool takes {', '.join(TOOLS)}, not {self.tool!r}")
        if self.channel not in CHANNELS:
            raise UsageError(f"--channel takes stable or nightly, not {self.channel!r}")
        if self.torch_spec is not None:
            specifier_of(self.torch_spec)
        if self.index_url is not None:
            from gpudoctor.prescribe.commands.mirror import check_mirror

            check_mirror(self.index_url)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRequest:
    """A machine that is not at hand. What is not stated is not known, and stays open."""

    gpus: tuple[str, ...] = ()
    """As people write them: `5060 ti`, `sm_120`, `12.0`; each once a card."""
    driver: str | None = None
    os: str | None = None
    """`linux`, `windows`, `wsl` or `macos`."""
    arch: str | None = None
    python: str | None = None
    """`3.12`, `3.13t`."""
    torch: str | None = None
    channel: str = "stable"
    tool: str = "auto"
    index_url: str | None = None
    from_source: bool = False


@lru_cache(maxsize=512)
def specifier_of(text: str) -> str:
    """A version specifier of torch as packaging reads it: `2.9` and `2.9.*` → `==2.9.*`.

    Raises:
        UsageError: the text is none.
    """
    bare = text.strip()
    if bare.lower().startswith("torch"):
        bare = bare[len("torch") :].strip()
    try:
        return specifier.specifier_of(bare)
    except ValueError:
        raise UsageError(
            f"--torch takes a version or a specifier such as 2.9.1 or '>=2.8,<2.11', not {text!r}"
        ) from None
