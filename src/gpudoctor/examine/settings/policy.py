"""What counts: which findings are judged, how gravely, and from where on the exit code is 1.

A policy comes from the settings of a project or from a file that is named (`policy_file.py`;
`configs/policies/` has examples), and from the command line, which wins.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from gpudoctor.errors import UsageError
from gpudoctor.model.finding import Finding, Severity
from gpudoctor.model.lazy import later
from gpudoctor.model.report import Suppressed
from gpudoctor.model.value import dataclass, field, replace

if TYPE_CHECKING:  # loaded where a project requires something
    import difflib

    from gpudoctor.examine.settings.requirements import Requirements
    from gpudoctor.kb.findings import catalogue
else:  # loaded when they are needed
    catalogue = later("gpudoctor.kb.findings.catalogue")
    difflib = later("difflib")

FailOn = Literal["error", "warning", "never"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How findings are weighed. Findings are named by code (`GPU201`), by a code's beginning
    (`GPU2`), or by name."""

    fail_on: FailOn = "error"
    allow_cpu: bool = False
    select: tuple[str, ...] = ()
    """Only these are judged; empty: all."""
    ignore: Mapping[str, str] = field(default_factory=dict)
    """What is left out, each with the reason."""
    severity: Mapping[str, Severity] = field(default_factory=dict)
    smoke: Literal["off", "quick", "full"] | None = None
    expired: Mapping[str, str] = field(default_factory=dict)
    """What was left out until a day that is over: it counts again, and this is said of it."""
    require: Requirements | None = None
    matrix: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The machines that install files are judged for: `gpu`, `driver`, `os`, `arch`, `python`."""
    source: str | None = None
    """The project's file that these are from, where it was found and not named."""

    def remarks(self, findings: tuple[Finding, ...]) -> tuple[str, ...]:
        """What the reader should know of how it was judged."""
        said = [
            why
            for name, why in self.expired.items()
            if any(matches(name, finding) for finding in findings)
        ]
        if self.source is not None:
            said.append(f"The settings in {self.source} say what is judged.")
        return tuple(said)

    def weigh(
        self, findings: tuple[Finding, ...]
    ) -> tuple[tuple[Finding, ...], tuple[Suppressed, ...]]:
        """The findings that count, with the policy's severities, and those that do not."""
        kept: list[Finding] = []
        suppressed: list[Suppressed] = []
        for finding in findings:
            reason = self._left_out(finding)
            if reason is not None:
                suppressed.append(Suppressed(finding=finding, reason=reason))
                continue
            kept.append(self._regraded(finding))
        return tuple(kept), tuple(suppressed)

    def _left_out(self, finding: Finding) -> str | None:
        if self.select and not any(matches(name, finding) for name in self.select):
            return "not selected"
        return next((why for name, why in self.ignore.items() if matches(name, finding)), None)

    def _regraded(self, finding: Finding) -> Finding:
        wanted = next((s for name, s in self.severity.items() if matches(name, finding)), None)
        if wanted is None and self.allow_cpu and finding.severity is Severity.ERROR:
            wanted = Severity.WARNING if leaves_the_cpu(finding) else None
        return finding if wanted is None else replace(finding, severity=wanted)


def leaves_the_cpu(finding: Finding) -> bool:
    """Whether torch itself falls back to the CPU under this finding.

    Where torch.cuda.is_available() is True and kernels fail, allowing the CPU allows nothing.
    """
    entry = catalogue.find(finding.name)
    return entry is not None and entry.cpu_goes_on


def matches(name: str, finding: Finding) -> bool:
    """Whether `name` (a code, a code's beginning, a name) means this finding."""
    return name == finding.name or (
        name.upper().startswith("GPU") and finding.code.startswith(name.upper())
    )


def fail_on(text: str) -> FailOn:
    """The threshold of that name.

    Raises:
        UsageError: there is none of that name.
    """
    levels: dict[str, FailOn] = {"error": "error", "warning": "warning", "never": "never"}
    if text in levels:
        return levels[text]
    raise UsageError(f"--fail-on takes error, warning or never, not {text!r}")


def known(names: tuple[str, ...]) -> tuple[str, ...]:
    """The names, if each means a finding that exists.

    Raises:
        UsageError: one that means none; names the nearest.
    """
    entries = catalogue.entries()
    for name in names:
        code = name.upper()
        if not any(
            e.name == name or (code[:3] == "GPU" and e.code.startswith(code)) for e in entries
        ):
            words = [e.name for e in entries] + [e.code for e in entries]
            near = difflib.get_close_matches(name, words, 3, 0.5)
            hint = f"; perhaps {' or '.join(near)}" if near else ""
            raise UsageError(f"{name!r} is neither a code nor a name of a finding{hint}")
    return names
