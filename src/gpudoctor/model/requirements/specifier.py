"""Which versions a specifier allows, by the rules that pip follows (PEP 440).

`packaging` takes ten milliseconds to import and more: it is loaded where a specifier holds more
than numbers. `model/terms/version.py` answers the same for what is installed, nightlies included.
"""

from __future__ import annotations

import re
from functools import lru_cache
from operator import eq, ge, gt, le, lt, ne
from typing import TYPE_CHECKING, Any

from gpudoctor.model.lazy import later
from gpudoctor.model.pattern import late_pattern
from gpudoctor.model.terms.version import numbers, public_version

if TYPE_CHECKING:
    from packaging import specifiers
    from packaging import version as versions
else:
    specifiers = later("packaging.specifiers")
    versions = later("packaging.version")

_BARE = late_pattern(r"\d+(\.\d+)*((a|b|rc|\.?dev|\.?post)\d*)?(\+[A-Za-z0-9.]+)?\Z", re.ASCII)
_PLAIN = late_pattern(r"\d{1,9}(\.\d{1,9}){0,3}(\+[a-z0-9.]+)?\Z", re.ASCII)
_PLAIN_CLAUSE = late_pattern(
    r"\s*(>=|<=|==|!=|>|<)\s*(\d{1,9}(?:\.\d{1,9}){0,3})(\.\*)?\s*\Z", re.ASCII
)
_WILD = late_pattern(r"\d+(\.\d+)*\.\*\Z", re.ASCII)


def specifier_of(text: str) -> str:
    """A specifier as people write it: a bare `2.8` is any of 2.8, a bare `2.8.0` that one.

    Raises:
        ValueError: it is none.
    """
    try:
        found = specifiers.SpecifierSet(",".join(_clause(part.strip()) for part in text.split(",")))
    except specifiers.InvalidSpecifier as error:
        raise ValueError(str(error)) from None
    if not list(found):
        raise ValueError(f"{text!r} is no specifier")
    return str(found)


def _clause(text: str) -> str:
    bare = text.removeprefix("==").strip() if not text.startswith("===") else text
    if _WILD.match(bare):
        return f"=={bare}"
    if not _BARE.match(bare):
        return text
    public = public_version(bare)
    one = "+" in bare or public.count(".") >= 2 or not public.replace(".", "").isdigit()
    return f"=={bare}" if one else f"=={bare}.*"


@lru_cache(maxsize=16384)
def allows(specifier: str, version: str) -> bool:
    """Whether a specifier allows a version, nightlies included.

    A local label is compared where the specifier names one.

    Raises:
        ValueError: the text is no specifier.
    """
    if (verdict := allows_plainly(specifier, version)) is not None:
        return verdict
    try:
        return bool(_set(specifier).contains(version, prereleases=True))
    except specifiers.InvalidSpecifier as error:
        raise ValueError(str(error)) from None


def allows_plainly(specifier: str, version: str) -> bool | None:
    """The same for a release and clauses of numbers alone; `None`: there is more to it."""
    if not _PLAIN.match(version):
        return None
    have = _padded(version)
    verdict = True
    for text in specifier.split(","):
        clause = _PLAIN_CLAUSE.match(text)
        if clause is None or (clause[3] and clause[1] not in ("==", "!=")):
            return None
        wanted = _padded(clause[2])
        if clause[3]:
            depth = clause[2].count(".") + 1
            met = (have[:depth] == wanted[:depth]) is (clause[1] == "==")
        else:
            met = _MET[clause[1]](have, wanted)
        verdict = verdict and met
    return verdict


_MET = {">=": ge, "<=": le, "==": eq, "!=": ne, ">": gt, "<": lt}


def _padded(version: str) -> tuple[int, ...]:
    return (*numbers(version), 0, 0, 0)[:4]


@lru_cache(maxsize=4096)
def _set(specifier: str) -> Any:
    return specifiers.SpecifierSet(specifier)


@lru_cache(maxsize=4096)
def version(text: str) -> Any:
    """A version that can be compared: `570`, `12.8`, `2.9.1+cu128`; what is none is the lowest."""
    try:
        return versions.Version(text)
    except versions.InvalidVersion:
        return versions.Version("0.dev0")


def is_version(text: str) -> bool:
    """Whether a text is a version."""
    try:
        versions.Version(text)
    except versions.InvalidVersion:
        return False
    return True
