"""The cells of a project's matrix: the same install files judged for each machine it names."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import product
from math import prod
from typing import TYPE_CHECKING

from gpudoctor.errors import UsageError
from gpudoctor.examine.options import VisitOptions
from gpudoctor.examine.preflight import preflight
from gpudoctor.manifests.formats import sources
from gpudoctor.model.report import Report
from gpudoctor.model.value import dataclass, replace
from gpudoctor.prescribe.plan import options_of, sheet_of

if TYPE_CHECKING:  # loaded when there is something to judge
    from gpudoctor.prescribe import PlanRequest

AXES = ("gpu", "driver", "os", "arch", "python")
MOST = 500
"""Cells that one call judges: settings are a stranger's, and each cell takes milliseconds."""

_SEVERAL = re.compile(r"(\d{1,2})\s*[x×]\s+(\S.*)\Z", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One machine of the matrix; an axis that nobody stated is `None`."""

    gpu: str
    driver: str | None = None
    os: str | None = None
    arch: str | None = None
    python: str | None = None

    def __str__(self) -> str:
        said = (
            self.gpu,
            self.driver and f"driver {self.driver}",
            self.os,
            self.arch,
            self.python and f"Python {self.python}",
        )
        return ", ".join(part for part in said if part)

    @property
    def gpus(self) -> tuple[str, ...]:
        """Its cards: `8 x H100` is eight."""
        several = _SEVERAL.match(self.gpu.strip())
        return (self.gpu,) if several is None else (several[2],) * int(several[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedCell:
    """A cell and the report on it."""

    cell: Cell
    report: Report


def cells_of(
    matrix: Mapping[str, Sequence[str]], stated: Mapping[str, str | None]
) -> tuple[Cell, ...]:
    """Every combination of the axes; a value that is stated stands for its whole axis.

    Raises:
        UsageError: the matrix names no GPU, or has too many cells.
    """
    axes: list[tuple[str | None, ...]] = []
    for name in AXES:
        value = stated.get(name)
        listed = tuple(dict.fromkeys(matrix.get(name, ())))
        axes.append((value,) if value is not None else listed or (None,))
    if axes[0] == (None,):
        raise UsageError("the matrix of the settings names no machine: gpu = ['T4', 'H100']")
    if (count := prod(map(len, axes))) > MOST:
        raise UsageError(f"the matrix of the settings has {count} cells, and {MOST} are the most")
    return tuple(
        Cell(gpu=gpu or "", driver=driver, os=os, arch=arch, python=python)
        for gpu, driver, os, arch, python in product(*axes)
    )


def judge_cells(
    cells: Sequence[Cell],
    paths: Sequence[str],
    request: PlanRequest,
    visit: VisitOptions,
    *,
    extras: Sequence[str] = (),
    groups: Sequence[str] = (),
) -> tuple[JudgedCell, ...]:
    """What the files install on each machine, and whether it runs there; they are read once.

    Raises:
        UsageError: a file cannot be read, or a cell names what nobody knows.
    """
    files = sources(tuple(paths))
    judged = []
    for cell in cells:
        asked = replace(
            request,
            gpus=cell.gpus,
            driver=cell.driver,
            os=cell.os,
            arch=cell.arch,
            python=cell.python,
        )
        try:
            sheet = sheet_of(asked)
        except UsageError as error:
            raise UsageError(f"the cell {cell} of the matrix: {error}") from None
        report = preflight(
            sheet,
            files,
            options_of(asked),
            tool=request.tool,
            extras=extras,
            groups=groups,
            visit=visit,
        )
        judged.append(JudgedCell(cell=cell, report=report))
    return tuple(judged)
