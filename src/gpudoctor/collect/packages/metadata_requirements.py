"""What a distribution's metadata requires, as far as it concerns PyTorch.

A small reader of PEP 508 lines for the forms that wheels really carry. `packaging` would answer
the same and costs the start of the program 20 ms; it is asked only about a marker that is not
understood here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from gpudoctor.model.pattern import late_pattern
from gpudoctor.model.value import dataclass

_LINE = late_pattern(
    r"""\s*([A-Za-z0-9][A-Za-z0-9._-]*)      # name
        \s*(?:\[([^\]]*)\])?                 # extras
        \s*\(?([^;)]*)\)?                    # specifier, in old metadata in parentheses
        \s*(?:;(.*))?\Z""",
    re.ASCII | re.VERBOSE,
)
_TERM = late_pattern(
    r"""\s*\(*\s*(?:
        (?P<name>[a-z_.]+)\s*(?P<op>==|!=)\s*(?P<quote>['"])(?P<value>[^'"]*)(?P=quote)
    )\s*\)*\s*\Z""",
    re.ASCII | re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Line:
    """One `Requires-Dist` line."""

    name: str
    """Normalised."""
    extras: tuple[str, ...]
    specifier: str
    marker: str


def parse_line(text: str) -> Line | None:
    """Read `nvidia-cudnn-cu12==9.10.2.21; platform_system == "Linux"`; `None` if it is not one."""
    from gpudoctor.collect.packages.distributions import normalise

    # Runs of white space, which several parts of the pattern could share, make it slow.
    match = _LINE.match(" ".join(text.split()))
    if not match:
        return None
    specifier = match[3].strip()
    if specifier.startswith("@"):
        specifier = ""  # a direct URL names no version
    extras = tuple(normalise(e.strip()) for e in (match[2] or "").split(",") if e.strip())
    return Line(normalise(match[1]), extras, specifier, (match[4] or "").strip())


def applies(marker: str, values: Mapping[str, str], extras: Iterable[str] = ("",)) -> bool:
    """Whether a marker holds in an environment (`platform_system`, `platform_machine` …)."""
    if not marker:
        return True
    return any(_holds(marker, {**values, "extra": extra}) for extra in (*extras, ""))


def environment_values(
    *, os_name: str, machine: str, version: str | None, implementation: str = "CPython"
) -> dict[str, str]:
    """Values of the marker variables for an interpreter; `os_name` as `Host.os` names it."""
    system = {"linux": "Linux", "windows": "Windows", "macos": "Darwin"}.get(os_name, "")
    full = version or "3"
    return {
        "platform_system": system,
        "sys_platform": {"Linux": "linux", "Windows": "win32", "Darwin": "darwin"}.get(system, ""),
        "os_name": "nt" if system == "Windows" else "posix",
        "platform_machine": machine,
        "python_version": ".".join(full.split(".")[:2]),
        "python_full_version": full,
        "platform_python_implementation": implementation,
        "implementation_name": implementation.lower(),
        "platform_release": "",
        "platform_version": "",
        "implementation_version": full,
    }


def _holds(marker: str, values: Mapping[str, str]) -> bool:
    if " or " not in marker:
        verdicts = [_term(term, values) for term in marker.split(" and ")]
        if None not in verdicts:
            return all(verdicts)
    from packaging.markers import InvalidMarker, Marker, UndefinedEnvironmentName

    try:
        return Marker(marker).evaluate({**values})
    except (InvalidMarker, UndefinedEnvironmentName, ValueError):
        return True  # a requirement that cannot be ruled out is one


def _term(text: str, values: Mapping[str, str]) -> bool | None:
    match = _TERM.match(text)
    if not match or match["name"] not in values or "version" in match["name"]:
        return None
    return (values[match["name"]] == match["value"]) == (match["op"] == "==")
