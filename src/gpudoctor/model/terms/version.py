"""Versions as numbers, their local labels, and what a specifier asks of them.

Enough of PEP 440 for what is installed and demanded of torch, in a form that costs no start:
`packaging` takes ten milliseconds to import. Specifiers that are written by people go to it.
"""

from __future__ import annotations

import re
from functools import lru_cache

from gpudoctor.model.pattern import late_pattern

Numbers = tuple[int, ...]

_CLAUSE = late_pattern(
    r"\s*(===|==|>=|<=|!=|~=|<|>)\s*v?([0-9A-Za-z][\w.+!-]*?)(\.\*)?\s*\Z", re.ASCII
)
_PRE = late_pattern(r"[._-]?(a|b|c|rc|alpha|beta|pre|preview|dev)[._-]?\d*", re.ASCII)
_LONGEST = 9
"""Digits of one part; a longer number is no version's."""


@lru_cache(maxsize=8192)
def numbers(version: str) -> Numbers:
    """The leading numbers of a version: `2.10.0+cu128` → `(2, 10, 0)`, `570.172.08` → …, 8)`.

    A part that does not consist of digits alone ends them: `2.9.1rc2` → `(2, 9, 1)`.
    """
    parts: list[int] = []
    for part in public_version(version).split("."):
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        if not digits or len(digits) > _LONGEST:
            break
        parts.append(int(digits))
        if digits != part:
            break
    return tuple(parts)


def split_label(version: str) -> tuple[str, str]:
    """A version without its local label, and the label: `2.9.1+cu128` → `2.9.1`, `cu128`."""
    base, _, label = version.strip().partition("+")
    return base, label


def public_version(version: str) -> str:
    """A version without its local label, PEP 440's public version: `2.9.1+cu128` → `2.9.1`."""
    return split_label(version)[0]


def local_label(version: str) -> str:
    """The local label of a version, empty where it has none: `2.9.1+cu128` → `cu128`."""
    return split_label(version)[1]


def is_prerelease(version: str) -> bool:
    """Whether it is a nightly or another version before a release: `2.16.0.dev20261101`."""
    return _PRE.search(public_version(version).lower()) is not None


@lru_cache(maxsize=4096)
def satisfies(version: str, specifier: str) -> bool | None:
    """Whether a version meets a specifier such as `>=2.14.0,<2.16`; `None`: it cannot be read.

    A local label is compared only where the specifier names one. A nightly counts as its release:
    an installed one was wanted, and `>=2.14` does not refuse 2.16.0.dev20261101.
    """
    verdicts = [_clause(version, part) for part in specifier.split(",") if part.strip()]
    if None in verdicts:
        return None
    return all(verdicts)


def _clause(version: str, text: str) -> bool | None:
    match = _CLAUSE.match(text)
    if match is None:
        return None
    operator, wanted, star = match[1], match[2], match[3] is not None
    base, label = split_label(version.lower())
    limit, wanted_label = split_label(wanted.lower())
    if operator == "===":
        return version.strip().lower() == wanted.lower()
    have, asked = numbers(base), numbers(limit)
    if not asked or not have:
        return None
    if operator in ("==", "!="):
        same = have[: len(asked)] == asked if star else _padded(have) == _padded(asked)
        if same and not star and (is_prerelease(limit) or is_prerelease(base)):
            same = base == limit
        if same and wanted_label:
            same = label == wanted_label
        return same is (operator == "==")
    if operator == "~=":
        return _padded(have) >= _padded(asked) and have[: len(asked) - 1] == asked[:-1]
    one, other = _padded(have), _padded(asked)
    return {">=": one >= other, "<=": one <= other, "<": one < other, ">": one > other}[operator]


def _padded(version: Numbers) -> Numbers:
    return (*version, 0, 0, 0, 0)[: max(4, len(version))]
