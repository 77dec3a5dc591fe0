"""What a rule says about the facts."""

from __future__ import annotations

from enum import Enum

from gpudoctor.model.step import Step as Step
from gpudoctor.model.step import StepKind as StepKind
from gpudoctor.model.value import dataclass


class Severity(str, Enum):
    """How bad a finding is; only errors make a machine `broken`."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for errors, 1 for warnings, 2 for information."""
        return ("error", "warning", "info").index(self.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A fact that a finding rests on: its path, its value as text, where it was read."""

    fact: str
    value: str
    source: str = ""


@dataclass(frozen=True, slots=True)
class FileAt:
    """A place in a file that is at fault: its path as the user named it, and the line from 1."""

    path: str
    line: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong, or worth knowing, with its proof."""

    code: str
    """`GPU201`: never reused, never given another meaning."""
    name: str
    """`torch-lacks-arch-new-gpu`"""
    severity: Severity
    title: str
    """One sentence with the subject first; no full stop."""
    detail: str = ""
    """What it means and why it happens, in a few sentences for people who know no CUDA."""
    evidence: tuple[Evidence, ...] = ()
    gpus: tuple[int, ...] = ()
    """Indices (driver's order) of the GPUs it is about; empty: the machine."""
    clears_with: tuple[StepKind, ...] = ()
    """Kinds of steps that can clear it."""
    caused_by: str | None = None
    """Name of the finding that this one follows from."""
    next_look: str | None = None
    """The one look that would tell it from its look-alikes, where the facts cannot."""
    still_possible: str | None = None
    """What can still be done in the running process: try again, restart it, go on on the CPU …"""
    remedies: tuple[Step, ...] = ()
    """What cures this finding, where that does not hang on the machine as a whole."""
    files: tuple[FileAt, ...] = ()
    """Where a file is at fault: a manifest, a lock."""

    @property
    def url(self) -> str:
        """Where the page about it stands, relative to the project."""
        return f"docs/codes/{self.code}.md"
