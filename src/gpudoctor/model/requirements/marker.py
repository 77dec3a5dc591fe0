"""Whether an environment marker holds (PEP 508): the plain ones here, the others by `packaging`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from gpudoctor.model.pattern import late_pattern

_TERM = late_pattern(
    r"""\s*\(*\s*(?:
        (?P<name>[a-z_.]+)\s*(?P<op>==|!=)\s*(?P<quote>['"])(?P<value>[^'"]*)(?P=quote)
    )\s*\)*\s*\Z""",
    re.ASCII | re.VERBOSE,
)


def holds(marker: str, values: Mapping[str, str]) -> bool:
    """Whether a marker holds for these values.

    Raises:
        ValueError: the text is no marker, or asks for a value that is not here.
    """
    if " or " not in marker:
        verdicts = [_term(term, values) for term in marker.split(" and ")]
        if None not in verdicts:
            return all(verdicts)
    from packaging.markers import UndefinedEnvironmentName

    try:
        return bool(_marker(marker).evaluate({**values}))
    except UndefinedEnvironmentName as error:
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


def _term(text: str, values: Mapping[str, str]) -> bool | None:
    match = _TERM.match(text)
    if not match or match["name"] not in values or "version" in match["name"]:
        return None
    if match["name"] == "extra":
        # Names of extras are compared as an index writes them.
        return None if match["value"] != match["value"].lower() else (
            (values["extra"] == match["value"]) == (match["op"] == "==")
        )  # fmt: skip
    return (values[match["name"]] == match["value"]) == (match["op"] == "==")


@cache
def _marker(text: str) -> Any:
    from packaging.markers import InvalidMarker, Marker

    try:
        return Marker(text)
    except InvalidMarker as error:
        raise ValueError(str(error)) from None
