"""A scan judged for some GPUs: the rows of the table library × GPU."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from gpudoctor.binaries.coverage import CanJit, Coverage, coverage
from gpudoctor.binaries.distribution import judge_distribution
from gpudoctor.binaries.names import is_nvidias_own
from gpudoctor.binaries.scan import Scan
from gpudoctor.compat.architecture import ComputeCapability
from gpudoctor.model.library import Library
from gpudoctor.model.value import dataclass

NVIDIAS_OWN = "NVIDIA's own library: it chooses its kernels itself"
OTHER_VENDORS = "it has no code for NVIDIA's GPUs, but for others"


@dataclass(frozen=True, slots=True)
class Cell:
    """One library on one GPU."""

    coverage: Coverage
    ignored: str | None = None
    """Why it says nothing that it does not run there; `None`: it does say something."""
    fails: bool = False
    """Whether the library, or the distribution that it is a part of, does not run there."""


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
    owned: dict[str, list[Library]] = defaultdict(list)
    cells: dict[int, list[Cell]] = {}
    for library in scan.files:
        if _note(library) is not None:
            continue
        if library.distribution is not None:
            owned[library.distribution].append(library)
        else:
            cells[id(library)] = [_alone(library, gpu, can_jit) for gpu in gpus]
    for libraries in owned.values():
        for gpu in gpus:
            whole = judge_distribution(libraries, gpu, can_jit)
            for part in whole.parts:
                gap = part.ignored is None and 2 * part.coverage.runnable < part.coverage.of
                cell = Cell(part.coverage, part.ignored, whole.fails and gap)
                cells.setdefault(id(part.library), []).append(cell)
    rows = []
    for library in scan.files:
        note = _note(library) if gpus else None
        rows.append(Row(library, tuple(cells.get(id(library), ())), note))
    return ScanTable(scan, tuple(gpus), tuple(rows))


def _note(library: Library) -> str | None:
    """Why a library is not judged."""
    if not (library.groups or library.relocatable):
        return OTHER_VENDORS
    return NVIDIAS_OWN if is_nvidias_own(library.path) else None


def _alone(library: Library, gpu: ComputeCapability, can_jit: CanJit | None) -> Cell:
    """A file that belongs to no distribution stands for itself: it fails if most of it does."""
    found = coverage(library, gpu, can_jit)
    return Cell(found, fails=2 * found.runnable < found.of)
