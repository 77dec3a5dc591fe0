"""What `gpudoctor.scan` gives."""

from __future__ import annotations

from typing import Any

from gpudoctor.binaries.table import ScanTable
from gpudoctor.results import fields_of


class Scan(ScanTable):
    """Which GPUs some binaries run on, judged by the driver and the GPUs of this machine."""

    def to_dict(self) -> dict[str, Any]:
        """The table as JSON values, exactly what `scan --json` prints."""
        from gpudoctor.report.scan import as_json

        return as_json(self)

    @property
    def exit_code(self) -> int:
        """0: nobody asked whether it runs somewhere."""
        return 0


class ScanForGpus(Scan):
    """The same for GPUs that were named."""

    @property
    def exit_code(self) -> int:
        """1 if something that decides does not run on one of them."""
        return 1 if self.fails else 0


def scan(given: ScanTable, *, named: bool) -> Scan:
    """A scan as the functions give it; `named`: for GPUs that were asked for."""
    return (ScanForGpus if named else Scan)(**fields_of(given))
