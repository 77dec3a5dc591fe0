"""What `gpudoctor.report` gives."""

from __future__ import annotations

from typing import Any

from gpudoctor.fleet import Fleet
from gpudoctor.fleet.render import as_dict, render
from gpudoctor.report.style import Style
from gpudoctor.results import fields_of


class Fleets(Fleet):
    """Many machines: prints as in the terminal."""

    def to_dict(self) -> dict[str, Any]:
        """The table as JSON values, exactly what `report --json` prints."""
        return as_dict(self)

    def __str__(self) -> str:
        return render(self, "text", Style())


def fleet(given: Fleet) -> Fleets:
    """A fleet as the functions give it."""
    return Fleets(**fields_of(given))
