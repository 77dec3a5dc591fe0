"""What `gpudoctor.scan` gives."""

from __future__ import annotations

from typing import Any

from gpudoctor.binaries.table import ScanTable
from gpudoctor.report.views.scan_view import as_json
from gpudoctor.results import fields_of


class Scan(ScanTable):
    """Which GPUs some binaries run on: those that were named, or those of this machine."""

    def to_dict(self) -> dict[str, Any]:
        """The table as JSON values, exactly what `scan --json` prints."""
        return as_json(self)


def scan(given: ScanTable) -> Scan:
    """A scan as the functions give it."""
    return Scan(**fields_of(given))
