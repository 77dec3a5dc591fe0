"""What a fix changed: distributions and versions, before → after."""

from __future__ import annotations

from collections.abc import Mapping

from gpudoctor.model.sheet import FactSheet
from gpudoctor.model.value import dataclass


@dataclass(frozen=True, slots=True)
class Change:
    """One distribution; `None` where it was, or is, not installed."""

    name: str
    before: str | None
    after: str | None

    def __str__(self) -> str:
        return f"{self.name} {self.before or 'not installed'} → {self.after or 'removed'}"


Changes = tuple[Change, ...]


def versions(sheet: FactSheet) -> dict[str, str]:
    """Installed distributions and their versions; torch with its local label."""
    found = {package.name: package.version or "?" for package in sheet.facts.packages}
    if sheet.facts.torch is not None:
        found["torch"] = sheet.facts.torch.version or "?"
    return found


def difference(before: Mapping[str, str], after: Mapping[str, str]) -> Changes:
    """Every distribution whose version differs, torch first."""
    names = sorted(before.keys() | after.keys(), key=lambda name: (name != "torch", name))
    return tuple(
        Change(name, before.get(name), after.get(name))
        for name in names
        if before.get(name) != after.get(name)
    )
