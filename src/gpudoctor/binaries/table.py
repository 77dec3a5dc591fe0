"""A scan judged for some GPUs: the rows of the table library × GPU."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from gpudoctor.binaries.judgement.coverage import (
    CanJit,
    Coverage,
    GpuByGfx,
    IntelGpu,
    coverage,
)
from gpudoctor.binaries.judgement.distribution import OTHER_BUILD, judge_distribution
from gpudoctor.binaries.names import is_nvidias_own
from gpudoctor.binaries.scan import Scan
from gpudoctor.compat.architecture import ComputeCapability
from gpudoctor.model.parts.binary import Library
from gpudoctor.model.value import dataclass

NVIDIAS_OWN = "NVIDIA's own library: it chooses its kernels itself"
OTHER_VENDORS = "it has no code for GPUs of this vendor, but for others"

Gpu = ComputeCapability | GpuByGfx | IntelGpu


@dataclass(frozen=True, slots=True)
class CoverageCell:
    """One library on one GPU."""

    coverage: Coverage
    ignored: str | None = None
    """Why it says nothing that it does not run there; `None`: it does say something."""
    fails: bool = False
    """Whether the library, or the distribution that it is a part of, does not run there."""


@dataclass(frozen=True, slots=True)
class CoverageRow:
    """One library on all GPUs."""

    library: Library
    cells: tuple[CoverageCell, ...]
    """In the order of the GPUs; none for a library that is not judged."""
    note: str | None = None
    """Why it is not judged."""


@dataclass(frozen=True, slots=True)
class ScanTable:
    """What a scan found, judged."""

    scan: Scan
    gpus: tuple[Gpu, ...]
    rows: tuple[CoverageRow, ...]
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
        others = any(not isinstance(gpu, ComputeCapability) for gpu in self.gpus)
        return any(
            (each.named or each.distribution in owners) and (others or not each.in_part)
            for each in self.scan.skipped
        )

    @property
    def fails(self) -> bool:
        """Whether a library does not run on one of the GPUs."""
        return any(cell.fails for row in self.rows for cell in row.cells)


def judge(scan: Scan, gpus: Sequence[Gpu], can_jit: CanJit | None = None) -> ScanTable:
    """Judge every library of `scan` for every one of `gpus`; `can_jit` as in `coverage`."""
    columns = [
        _nvidia_column(scan.files, gpu, can_jit)
        if isinstance(gpu, ComputeCapability)
        else _other_column(scan.files, gpu)
        for gpu in gpus
    ]
    rows = []
    for index, library in enumerate(scan.files):
        cells = [column.get(index) for column in columns]
        note = None if not gpus or any(cells) else _note(library)
        shown = tuple(
            cell or CoverageCell(Coverage(gpu, "none", 0, 0), OTHER_VENDORS)
            for cell, gpu in zip(cells, gpus, strict=True)
        )
        rows.append(CoverageRow(library, () if note else shown, note))
    return ScanTable(scan, tuple(gpus), tuple(rows))


def _note(library: Library) -> str:
    """Why a library is not judged."""
    cuda = library.groups or library.relocatable
    return NVIDIAS_OWN if cuda and is_nvidias_own(library.path) else OTHER_VENDORS


def _nvidia_column(
    libraries: Sequence[Library], gpu: ComputeCapability, can_jit: CanJit | None
) -> dict[int, CoverageCell]:
    """The cells of the libraries that are judged, by their place."""
    cells: dict[int, CoverageCell] = {}
    owned: dict[str, list[int]] = defaultdict(list)
    for index, library in enumerate(libraries):
        if not (library.groups or library.relocatable) or is_nvidias_own(library.path):
            continue
        if library.distribution is not None:
            owned[library.distribution].append(index)
        else:
            # A file that belongs to no distribution fails if most of it does.
            found = coverage(library, gpu, can_jit)
            cells[index] = CoverageCell(found, fails=2 * found.runnable < found.of)
    for indexes in owned.values():
        whole = judge_distribution([libraries[index] for index in indexes], gpu, can_jit)
        for index, part in zip(indexes, whole.parts, strict=True):
            gap = part.ignored is None and 2 * part.coverage.runnable < part.coverage.of
            cells[index] = CoverageCell(part.coverage, part.ignored, whole.fails and gap)
    return cells


def _other_column(
    libraries: Sequence[Library], gpu: GpuByGfx | IntelGpu
) -> dict[int, CoverageCell]:
    """The cells for a GPU of AMD's or Intel's: one library of a distribution that runs is enough.

    Some bring one for each ROCm or oneAPI and load the one that fits.
    """
    found = dict(_covered(libraries, gpu))
    running = {libraries[index].distribution for index, each in found.items() if each.runnable}
    running.discard(None)
    return {
        index: CoverageCell(
            each,
            OTHER_BUILD if not each.runnable and libraries[index].distribution in running else None,
            fails=2 * each.runnable < each.of and libraries[index].distribution not in running,
        )
        for index, each in found.items()
    }


def _covered(
    libraries: Sequence[Library], gpu: GpuByGfx | IntelGpu
) -> Iterator[tuple[int, Coverage]]:
    # Which target runs where stands in tables that other scans need not load.
    if isinstance(gpu, GpuByGfx):
        from gpudoctor.binaries.judgement.amd_coverage import amd_coverage, has_amd_code

        for index, library in enumerate(libraries):
            if has_amd_code(library):
                yield index, amd_coverage(library, gpu)
        return
    from gpudoctor.binaries.judgement.intel_coverage import has_intel_code, intel_coverage

    for index, library in enumerate(libraries):
        if has_intel_code(library):
            yield index, intel_coverage(library, gpu)
