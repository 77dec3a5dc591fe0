"""Whether an environment marker holds (PEP 508): the plain ones here, the others by `packaging`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from gpudoctor.model.lazy import later
from gpudoctor.model.pattern import late_pattern
from gpudoctor.model.requirements.specifier import allows_plainly

if TYPE_CHECKING:
    from packaging import markers
else:  # 10 ms, which a check need not spend
    markers = later("packaging.markers")

_TOKEN = late_pattern(
    r"""\s*(?:
        (?P<word>\(|\)|and\b|or\b)
        | (?P<name>[a-z_]+)\s*(?P<op>[=!<>]=|<|>)\s*(?P<quote>['"])(?P<value>[^'"]*)(?P=quote)
    )\s*""",
    re.ASCII | re.VERBOSE,
)
_VERSIONS = ("python_version", "python_full_version")


def holds(marker: str, values: Mapping[str, str]) -> bool:
    """Whether a marker holds for these values.

    Raises:
        ValueError: the text is no marker, or asks for a value that is not here.
    """
    if (verdict := _plain(marker, values)) is not None:
        return verdict
    try:
        return bool(_marker(marker).evaluate({**values}))
    except markers.UndefinedEnvironmentName as error:
        raise ValueError(str(error)) from None


def applies(marker: str, values: Mapping[str, str], extras: Iterable[str] = ("",)) -> bool:
    """Whether what a distribution requires under a marker counts, with any of these extras.

    A requirement that cannot be ruled out is one.
    """
    if not marker:
        return True
    try:
        return any(holds(marker, {**values, "extra": extra}) for extra in (*extras, ""))
    except ValueError:
        return True


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


def _plain(marker: str, values: Mapping[str, str]) -> bool | None:
    """Whether a marker of plain comparisons holds; `None`: there is more to it."""
    tokens = []
    at = 0
    while at < len(marker):
        token = _TOKEN.match(marker, at)
        if token is None:
            return None
        tokens.append(token["word"] or _comparison(token, values))
        at = token.end()
    verdict = _any(tokens) if None not in tokens else None
    return None if tokens else verdict


def _any(tokens: list[str | bool | None]) -> bool | None:
    """Takes comparisons joined by `or` from the front; `None`: they make no marker."""
    verdict = _all(tokens)
    while tokens and tokens[0] == "or":
        del tokens[0]
        other = _all(tokens)
        verdict = None if verdict is None or other is None else verdict or other
    return verdict


def _all(tokens: list[str | bool | None]) -> bool | None:
    """Takes comparisons joined by `and` from the front."""
    verdict = _one(tokens)
    while tokens and tokens[0] == "and":
        del tokens[0]
        other = _one(tokens)
        verdict = None if verdict is None or other is None else verdict and other
    return verdict


def _one(tokens: list[str | bool | None]) -> bool | None:
    """Takes a comparison, or a marker in parentheses."""
    first = tokens.pop(0) if tokens else None
    if isinstance(first, bool):
        return first
    inner = _any(tokens) if first == "(" else None
    return inner if inner is not None and tokens and tokens.pop(0) == ")" else None


def _comparison(token: re.Match[str], values: Mapping[str, str]) -> bool | None:
    name, operator, value = token["name"], token["op"], token["value"]
    if name not in values:
        return None
    if name in _VERSIONS:
        return allows_plainly(operator + value, values[name])
    if operator not in ("==", "!=") or "version" in name:
        return None
    if name == "extra" and value != value.lower():
        return None  # names of extras are compared as an index writes them
    return (values[name] == value) is (operator == "==")


@cache
def _marker(text: str) -> Any:
    try:
        return markers.Marker(text)
    except markers.InvalidMarker as error:
        raise ValueError(str(error)) from None
