"""What `gpudoctor scan` found, as a Markdown table: for a release note or a pull request."""

from __future__ import annotations

from gpudoctor.binaries.table import CoverageCell, CoverageRow, ScanTable
from gpudoctor.report.writers.markdown import escape


def render(table: ScanTable) -> str:
    """A table of libraries and GPUs; without GPUs, of libraries and their architectures."""
    heads = [gpu.sm for gpu in table.gpus] or ["kernels", "machine code", "PTX"]
    lines = [
        f"| library | {' | '.join(heads)} |",
        f"| --- |{' --- |' * len(heads)}",
    ]
    for row in table.rows:
        name = escape(row.library.path.rpartition("!/")[2])
        lines.append(f"| {name} | {' | '.join(_cells(table, row))} |")
    notes = [row.note for row in table.rows if row.note]
    notes += [cell.ignored for row in table.rows for cell in row.cells if cell.ignored]
    lines += ["", *(f"- ({note})" for note in dict.fromkeys(notes))]
    lines += [
        f"- {escape(each.path)} was not read: {escape(each.reason)}" for each in table.scan.skipped
    ]
    return "\n".join(lines).rstrip() + "\n"


def _cells(table: ScanTable, row: CoverageRow) -> list[str]:
    library = row.library
    if not table.gpus:
        return [str(library.fatbins), " ".join(library.sass), " ".join(library.ptx)]
    if row.note:
        return ["–"] * len(table.gpus)
    return [_word(cell) for cell in row.cells]


def _word(cell: CoverageCell) -> str:
    result = cell.coverage
    if cell.ignored:
        return f"({result.status})"
    if result.status == "partial":
        return f"{result.runnable} of {result.of}"
    return f"**{result.status}**" if result.status == "none" else result.status
