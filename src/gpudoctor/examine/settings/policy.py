"""What counts: which findings are judged, how gravely, and from where on the exit code is 1.

A policy comes from the settings of a project (`configuration.py`), from a YAML or TOML file that
is named (`configs/policies/` has examples), and from the command line, which wins.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from gpudoctor.errors import UsageError
from gpudoctor.model.finding import Finding, Severity
from gpudoctor.model.report import Suppressed
from gpudoctor.model.value import dataclass, field, replace

if TYPE_CHECKING:  # loaded where a project requires something
    from gpudoctor.examine.settings.requirements import Requirements

FailOn = Literal["error", "warning", "never"]

KEYS = ("fail_on", "allow_cpu", "select", "ignore", "severity", "smoke", "require", "matrix")
REQUIRE = ("gpus", "models", "capability", "memory_gb", "driver", "cuda", "torch", "packages")
MATRIX = ("gpu", "driver", "os", "arch", "python")
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
    from gpudoctor.kb.findings import catalogue

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
    from gpudoctor.kb.findings import catalogue

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
    """Read a policy file: TOML by its name, else YAML.

    Raises:
        UsageError: it cannot be read, or says something that no policy says.
    """
    if path.lower().endswith(".toml"):
        from gpudoctor.examine.settings import configuration

        return _named(path, configuration.read(path))
    import yaml

    try:
        with open(path, "rb") as file:
            content = yaml.safe_load(file.read(2**20))
    except OSError as error:
        raise UsageError(f"the policy {path} cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError) as error:
        first = str(error).split("\n", 1)[0]
        raise UsageError(f"the policy {path} is not YAML: {first}") from None
    return Policy() if content is None else _named(path, content)


def found(folder: str) -> Policy:
    """The policy that the settings of a project say, looked for from `folder` upwards.

    Raises:
        UsageError: there are some, and something is wrong with them.
    """
    from gpudoctor.examine.settings import configuration

    path = configuration.find(folder)
    if path is None:
        return Policy()
    return replace(_named(path, configuration.read(path)), source=path)


def _named(path: str, content: Any) -> Policy:
    try:
        return of_mapping(content)
    except UsageError as error:
        raise UsageError(f"the policy {path}: {error}") from None


def of_mapping(content: Any) -> Policy:
    """The policy that settings say; `-` and `_` in their names are the same.

    Raises:
        UsageError: something that no policy says.
    """
    settings = _settings("a policy", content, KEYS)
    smoke = settings.get("smoke")
    ignored, expired = _reasons(settings.get("ignore", {}))
    required = settings.get("require")
    return Policy(
        fail_on=_one_of("fail_on", settings.get("fail_on", "error"), ("error", "warning", "never")),
        allow_cpu=_one_of("allow_cpu", settings.get("allow_cpu", False), (True, False)),
        select=known(tuple(_names("select", settings.get("select", [])))),
        ignore=ignored,
        expired=expired,
        severity={
            known((name,))[0]: Severity(_one_of("severity", level, ("error", "warning", "info")))
            for name, level in _mapping("severity", settings.get("severity", {})).items()
        },
        smoke=None if smoke is None else _one_of("smoke", _yaml_off(smoke), _SMOKE),
        require=None if required is None else _requirements(required),
        matrix={
            key: tuple(_names(key, [value] if isinstance(value, str) else value))
            for key, value in _settings("matrix", settings.get("matrix", {}), MATRIX).items()
        },
    )


def _settings(where: str, content: Any, keys: tuple[str, ...]) -> dict[str, Any]:
    """The settings by name; a name that is none is answered with the nearest."""
    if not isinstance(content, dict):
        raise UsageError(f"{where} takes settings, each with a value, and is not a list")
    given = {str(key).replace("-", "_"): value for key, value in content.items()}
    for key in given:
        if key not in keys:
            from difflib import get_close_matches

            near = get_close_matches(key, keys, 1, 0.5)
            hint = f"did you mean {near[0]!r}? " if near else ""
            raise UsageError(f"{key!r} is no setting; {hint}There are {', '.join(keys)}")
    return given


def _requirements(content: Any) -> Requirements:
    from gpudoctor.examine.settings.requirements import Requirements

    given = _settings("require", content, REQUIRE)
    gpus, memory = given.get("gpus"), given.get("memory_gb")
    if gpus is not None and (not isinstance(gpus, int) or isinstance(gpus, bool) or gpus < 0):
        raise UsageError(f"gpus takes a whole number, not {str(gpus)[:40]!r}")
    if memory is not None and (isinstance(memory, bool) or not isinstance(memory, int | float)):
        raise UsageError(f"memory_gb takes a number, not {str(memory)[:40]!r}")
    models, packages = given.get("models", []), given.get("packages", [])
    return Requirements(
        gpus=gpus,
        models=tuple(_names("models", [models] if isinstance(models, str) else models)),
        capability=_version("capability", given.get("capability")),
        memory_gb=None if memory is None else float(memory),
        driver=_version("driver", given.get("driver")),
        cuda=_version("cuda", given.get("cuda")),
        torch=_specifier(given.get("torch")),
        packages=tuple(map(_package, _names("packages", packages))),
    )


def _version(key: str, value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)  # 8.0 and 570 are what people write; 12.10 has to be a text
    if isinstance(value, str):
        from packaging.version import InvalidVersion, Version

        try:
            Version(value)
        except InvalidVersion:
            pass
        else:
            return value
    raise UsageError(f"{key} takes a version such as 12.8, not {str(value)[:40]!r}")


def _specifier(value: Any) -> str | None:
    if value is None:
        return None
    from packaging.specifiers import InvalidSpecifier

    from gpudoctor.examine.settings.requirements import specifier_of

    text = str(value) if isinstance(value, float) else value
    try:
        return specifier_of(text) if isinstance(text, str) and text.strip() else _refuse(value)
    except InvalidSpecifier:
        return _refuse(value)


def _refuse(value: Any) -> str:
    raise UsageError(f"torch takes versions such as '>=2.6,<2.9', not {str(value)[:40]!r}")


def _package(text: str) -> str:
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        Requirement(text)
    except InvalidRequirement:
        raise UsageError(
            f"packages takes requirements such as 'flash-attn>=2.7', not {text!r}"
        ) from (None)
    return text


def _yaml_off(value: Any) -> Any:
    """YAML 1.1 reads a bare `off` as false."""
    return "off" if value is False else value


def _reasons(value: Any) -> tuple[dict[str, str], dict[str, str]]:
    """What is left out, with the reasons, and what was until a day that is over.

    `ignore` is a list of names, or a mapping from name to a reason, or to a reason and a day.
    """
    if not isinstance(value, dict):
        value = dict.fromkeys(_names("ignore", value))
    known(tuple(map(str, value)))
    reasons: dict[str, str] = {}
    expired: dict[str, str] = {}
    for name, given in value.items():
        entry = given if isinstance(given, dict) else {"reason": given}
        parts = _settings("ignore", entry, ("reason", "until"))
        why = str(parts.get("reason") or "ignored by the policy")
        until = _day(parts.get("until"))
        if until is None:
            reasons[str(name)] = why
        elif until < time.strftime("%Y-%m-%d"):
            expired[str(name)] = (
                f"{name} was left out until {until} ({why}); that day is over, and it counts again."
            )
        else:
            reasons[str(name)] = f"{why} (until {until})"
    return reasons, expired


def _day(value: Any) -> str | None:
    """A day as `2026-12-31`; TOML and YAML read one as a date."""
    if value is None:
        return None
    text = value.isoformat()[:10] if hasattr(value, "isoformat") else str(value)
    try:
        time.strptime(text, "%Y-%m-%d")
    except ValueError:
        raise UsageError(f"until takes a day such as 2026-12-31, not {text[:40]!r}") from None
    return text


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
