"""A scan judged for some GPUs: the rows of the table library × GPU."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from gpudoctor.binaries.coverage import CanJit, Coverage, coverage
from gpudoctor.binaries.general import made_on_purpose
from gpudoctor.binaries.names import is_nvidias_own, without_cuda
from gpudoctor.binaries.scan import Scan
from gpudoctor.compat.architecture import ComputeCapability
from gpudoctor.model.library import Library
from gpudoctor.model.value import dataclass

NVIDIAS_OWN = "NVIDIA's own library: it chooses its kernels itself"
ON_PURPOSE = "made for few GPUs on purpose, beside broader libraries of its distribution"
OTHER_VENDORS = "it has no code for NVIDIA's GPUs, but for others"
OTHER_BUILD = "the distribution brings another build of it, which runs"


@dataclass(frozen=True, slots=True)
class Cell:
    """One library on one GPU."""

    coverage: Coverage
    ignored: str | None = None
    """Why it says nothing that it does not run there; `None`: it does say something."""

    @property
    def fails(self) -> bool:
        """Whether nothing of the library runs, and that is a fault."""
        return self.coverage.status == "none" and self.ignored is None


@dataclass(frozen=True, slots=True)
class Row:
    """One library on all GPUs."""

    library: Library
    cells: tuple[Cell, ...]
    """In the order of the GPUs; none for a library that is not judged."""
    note: str | None = None
    """Why it is not judged."""


@dataclass(frozen=True, slots=True)
class ScanTable:
    """What a scan found, judged."""

    scan: Scan
    gpus: tuple[ComputeCapability, ...]
    rows: tuple[Row, ...]
    named: bool = False
    """Whether somebody named the GPUs, so that the verdict is the answer."""

    @property
    def exit_code(self) -> int:
        """0; 1 if something does not run on a GPU that was named; 3 if that is not known."""
        if self.named and self.fails:
            return 1
        return 3 if self.scan.proves_nothing or (self.named and self.undecided) else 0

    @property
    def undecided(self) -> bool:
        """Whether something that counts for a verdict could not be read."""
        owners = {row.library.distribution for row in self.rows} - {None}
        return any(each.named or each.distribution in owners for each in self.scan.skipped)

    @property
    def fails(self) -> bool:
        """Whether a library does not run on one of the GPUs."""
        return any(cell.fails for row in self.rows for cell in row.cells)


def judge(
    scan: Scan, gpus: Sequence[ComputeCapability], can_jit: CanJit | None = None
) -> ScanTable:
    """Judge every library of `scan` for every one of `gpus`; `can_jit` as in `coverage`."""
    siblings: dict[str, list[Library]] = defaultdict(list)
    for library in scan.files:
        if library.distribution is not None:
            siblings[library.distribution].append(library)
    rows = []
    for library in scan.files:
        if not (library.groups or library.relocatable):
            rows.append(Row(library, (), OTHER_VENDORS if gpus else None))
            continue
        if is_nvidias_own(library.path, library.distribution):
            rows.append(Row(library, (), NVIDIAS_OWN if gpus else None))
            continue
        beside = siblings.get(library.distribution or "", [])
        cells = tuple(_cell(library, beside, gpu, can_jit) for gpu in gpus)
        rows.append(Row(library, cells))
    return ScanTable(scan, tuple(gpus), tuple(rows))


def _cell(
    library: Library, beside: list[Library], gpu: ComputeCapability, can_jit: CanJit | None
) -> Cell:
    found = coverage(library, gpu, can_jit)
    if found.status != "none":
        return Cell(found)
    name = without_cuda(library.path)
    if name is not None and any(
        without_cuda(other.path) == name and coverage(other, gpu, can_jit).runnable
        for other in beside
    ):
        return Cell(found, OTHER_BUILD)
    if made_on_purpose(library, beside):
        return Cell(found, ON_PURPOSE)
    return Cell(found)
