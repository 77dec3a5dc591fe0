"""A requirement line (PEP 508) as `packaging` reads it, for every format that holds such lines."""

from __future__ import annotations

from gpudoctor.manifests.install_file import normal
from gpudoctor.model.value import dataclass


@dataclass(frozen=True, slots=True)
class Line:
    """One requirement."""

    name: str
    """As the index has it."""
    extras: tuple[str, ...]
    specifier: str
    marker: str | None
    url: str | None


def named(text: str) -> Line | None:
    """Read `torch[opt-einsum]>=2.8 ; sys_platform == "linux"`; `None`: it is no requirement."""
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        found = Requirement(text)
    except InvalidRequirement:
        return None
    return Line(
        normal(found.name),
        tuple(sorted(map(normal, found.extras))),
        str(found.specifier),
        str(found.marker) if found.marker else None,
        found.url,
    )
