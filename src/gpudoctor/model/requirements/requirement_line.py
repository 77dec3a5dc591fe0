"""A requirement line (PEP 508): as `packaging` reads it, and the plain forms without its cost."""

from __future__ import annotations

import re

from gpudoctor.model.pattern import late_pattern
from gpudoctor.model.value import dataclass

_PLAIN = late_pattern(
    r"""\s*([A-Za-z0-9][A-Za-z0-9._-]*)      # name
        \s*(?:\[([^\]]*)\])?                 # extras
        \s*\(?([^;)]*)\)?                    # specifier, in old metadata in parentheses
        \s*(?:;(.*))?\Z""",
    re.ASCII | re.VERBOSE,
)
_SEPARATORS = late_pattern(r"[-_.]+")


@dataclass(frozen=True, slots=True)
class Line:
    """One requirement."""

    name: str
    """As the index has it."""
    extras: tuple[str, ...]
    specifier: str
    marker: str
    """Empty: it always counts."""
    url: str | None = None
    """A file or a repository that is named directly."""


def normal(name: str) -> str:
    """A package's name as it is compared (PEP 503): `Flash_Attn` → `flash-attn`."""
    return _SEPARATORS.sub("-", name).strip().lower()


def read_line(text: str) -> Line | None:
    """Read what people write: `torch[opt-einsum]>=2.8 ; python_version < "3.13"`.

    `None`: it is no requirement.
    """
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        found = Requirement(text)
    except InvalidRequirement:
        return None
    return Line(
        normal(found.name),
        tuple(sorted(map(normal, found.extras))),
        str(found.specifier),
        str(found.marker) if found.marker else "",
        found.url,
    )


def read_metadata_line(text: str) -> Line | None:
    """Read a `Requires-Dist` line of an installed distribution, old spellings included.

    For the forms that wheels really carry; `packaging` would answer the same and costs the start of
    the program 20 ms. `None`: it is no requirement.
    """
    # Runs of white space, which several parts of the pattern could share, make it slow.
    match = _PLAIN.match(" ".join(text.split()))
    if not match:
        return None
    specifier, url = match[3].strip(), None
    if specifier.startswith("@"):
        specifier, url = "", specifier.removeprefix("@").strip()  # it names no version
    extras = tuple(normal(part.strip()) for part in (match[2] or "").split(",") if part.strip())
    return Line(normal(match[1]), extras, specifier, (match[4] or "").strip(), url)
