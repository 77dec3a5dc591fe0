"""What counts: which findings are judged, how gravely, and from where on the exit code is 1.

A policy comes from the command line, from a YAML file (`configs/policies/` has examples), or
from both; the command line wins.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from gpudoctor.errors import UsageError
from gpudoctor.model.finding import Finding, Severity
from gpudoctor.model.report import Suppressed
from gpudoctor.model.value import dataclass, field, replace

FailOn = Literal["error", "warning", "never"]

_KEYS = ("fail_on", "allow_cpu", "select", "ignore", "severity", "smoke")
_SMOKE = ("off", "quick", "full")


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


# With these, torch.cuda.is_available() is False and a program that looks goes on on the CPU.
# Where it is True and kernels fail (no code for the GPU), allowing the CPU allows nothing.
_CPU_GOES_ON = ("cpu-only-torch", "driver-too-old", "cuda-visible-devices-wrong-index")
_CPU_HUNDREDS = ("GPU0", "GPU1", "GPU6", "GPU7")


def leaves_the_cpu(finding: Finding) -> bool:
    """Whether torch itself falls back to the CPU under this finding."""
    return finding.name in _CPU_GOES_ON or finding.code.startswith(_CPU_HUNDREDS)


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
    from gpudoctor.kb import catalogue

    entries = catalogue.entries()
    for name in names:
        code = name.upper()
        if not any(
            e.name == name or (code[:3] == "GPU" and e.code.startswith(code)) for e in entries
        ):
            from difflib import get_close_matches

            words = [e.name for e in entries] + [e.code for e in entries]
            near = get_close_matches(name, words, 3, 0.5)
            hint = f"; perhaps {' or '.join(near)}" if near else ""
            raise UsageError(f"{name!r} is neither a code nor a name of a finding{hint}")
    return names


def read(path: str) -> Policy:
    """Read a policy file.

    Raises:
        UsageError: it cannot be read, or says something that no policy says.
    """
    import yaml

    try:
        with open(path, "rb") as file:
            content = yaml.safe_load(file.read(2**20))
    except OSError as error:
        raise UsageError(f"the policy {path} cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        first = str(error).split("\n", 1)[0]
        raise UsageError(f"the policy {path} is not YAML: {first}") from None
    if content is None:
        return Policy()
    try:
        return of_mapping(content)
    except UsageError as error:
        raise UsageError(f"the policy {path}: {error}") from None


def of_mapping(content: Any) -> Policy:
    """The policy that settings say.

    Raises:
        UsageError: something that no policy says.
    """
    if not isinstance(content, dict):
        raise UsageError("it is not a list of settings")
    strange = sorted(str(key) for key in content if key not in _KEYS)
    if strange:
        raise UsageError(f"{strange[0]!r} is no setting; there are {', '.join(_KEYS)}")
    smoke = content.get("smoke")
    return Policy(
        fail_on=_one_of("fail_on", content.get("fail_on", "error"), ("error", "warning", "never")),
        allow_cpu=_one_of("allow_cpu", content.get("allow_cpu", False), (True, False)),
        select=known(tuple(_names("select", content.get("select", [])))),
        ignore=_reasons(content.get("ignore", {})),
        severity={
            known((name,))[0]: Severity(_one_of("severity", level, ("error", "warning", "info")))
            for name, level in _mapping("severity", content.get("severity", {})).items()
        },
        smoke=None if smoke is None else _one_of("smoke", _yaml_off(smoke), _SMOKE),
    )


def _yaml_off(value: Any) -> Any:
    """YAML 1.1 reads a bare `off` as false."""
    return "off" if value is False else value


def _reasons(value: Any) -> dict[str, str]:
    """`ignore` is a list of names, or a mapping from name to reason."""
    if isinstance(value, dict):
        reasons = {str(name): str(why or "ignored by the policy") for name, why in value.items()}
    else:
        reasons = dict.fromkeys(_names("ignore", value), "ignored by the policy")
    known(tuple(reasons))
    return reasons


def _names(key: str, value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise UsageError(f"{key} takes a list of codes or names")
    return value


def _mapping(key: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise UsageError(f"{key} takes names, each with a value")
    return {str(name): item for name, item in value.items()}


def _one_of(key: str, value: Any, choices: tuple[Any, ...]) -> Any:
    if value not in choices:
        words = ", ".join(str(choice).lower() for choice in choices)
        raise UsageError(f"{key} takes one of {words}, not {str(value)[:40]!r}")
    return value
