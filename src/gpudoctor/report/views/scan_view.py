"""What `gpudoctor scan` found, as JSON or as a table of libraries and GPUs."""

from __future__ import annotations

from typing import Any

from gpudoctor.binaries.scan import Scan
from gpudoctor.binaries.table import CoverageCell, CoverageRow, ScanTable
from gpudoctor.model.parts.binary import CodeGroup, Library
from gpudoctor.report.inert import inert
from gpudoctor.report.style import Style
from gpudoctor.report.writers.canvas import Canvas, Span

SCHEMA_VERSION = "1.0"
_MARKS = {"native": "good", "jit": "good", "partial": "warning", "none": "bad"}
_STYLES = {"native": "green", "jit": "green", "partial": "yellow", "none": "red"}
_COLUMN = 13
_MOST_GROUPS = 3
_WORTH_A_LINE = 20


def render(table: ScanTable, format_: str, style: Style) -> str:
    """The table in `format_`, `text`, `json` or `markdown`."""
    if format_ == "json":
        import json

        return json.dumps(as_json(table), indent=2, ensure_ascii=True) + "\n"
    if format_ == "markdown":
        from gpudoctor.report.views import scan_markdown

        return scan_markdown.render(table)
    return _text(table, style)


def as_json(table: ScanTable) -> dict[str, Any]:
    """The published form; keys may be added to it."""
    return {
        "schema_version": SCHEMA_VERSION,
        "files": [_file(table, row) for row in table.rows],
        "skipped": [{"path": each.path, "reason": each.reason} for each in table.scan.skipped],
    }


def _file(table: ScanTable, row: CoverageRow) -> dict[str, Any]:
    library = row.library
    found: dict[str, Any] = {
        "path": library.path,
        "format": library.format,
        "machine": library.machine,
        "distribution": library.distribution,
        "fatbins": library.fatbins,
        "sass": dict(library.sass),
        "ptx": dict(library.ptx),
        "coverage": [_cell(cell) for cell in row.cells],
    }
    if library.relocatable:
        found["relocatable"] = _totals(library.relocatable)
    if library.embedded:
        found["embedded"] = _totals(library.embedded)
    found.update(_other_vendors(library))
    if row.note is not None and table.gpus:
        found["note"] = row.note
    return found


def _other_vendors(library: Library) -> dict[str, Any]:
    """AMD's, Intel's and Apple's part, each only where there is one."""
    found: dict[str, Any] = {}
    if library.hip:
        found["hip"] = dict(library.hip)
    if library.mislabelled:
        found["mislabelled"] = dict(library.mislabelled)
    if library.kernel_archive:
        reference = library.kernel_archive
        found["kernel_archive"] = {
            "name": reference.name,
            "paths": list(reference.paths),
            "found": list(library.archived),
        }
    if library.xpu:
        found["xpu"] = dict(library.xpu)
    if library.macos:
        found["macos"] = library.macos
    if library.metal:
        found["metal"] = list(library.metal)
    return found


def _cell(cell: CoverageCell) -> dict[str, Any]:
    result = cell.coverage
    found: dict[str, Any] = {
        "gpu": result.gpu.sm,
        "status": result.status,
        "runnable": result.runnable,
        "of": result.of,
    }
    if result.missing:
        found["missing"] = [
            {"count": each.count, "sass": list(each.sass), "ptx": list(each.ptx)}
            for each in result.missing
        ]
    if cell.ignored is not None:
        found["ignored"] = cell.ignored
    return found


def _totals(groups: tuple[CodeGroup, ...]) -> dict[str, Any]:
    """Relocatable code as counts; an object has at most one image of each architecture."""
    sass: dict[str, int] = {}
    ptx: dict[str, int] = {}
    for group in groups:
        for name in group.sass:
            sass[name] = sass.get(name, 0) + group.count
        for name in group.ptx:
            ptx[name] = ptx.get(name, 0) + group.count
    return {"fatbins": sum(group.count for group in groups), "sass": sass, "ptx": ptx}


def _text(table: ScanTable, style: Style) -> str:
    canvas = Canvas(style)
    if not table.rows:
        canvas.line(_nothing_found(table.scan))
    common = _common_folder([row.library.path for row in table.rows])
    shown = [row for row in table.rows if not style.quiet or any(c.fails for c in row.cells)]
    if common and shown:
        canvas.line(("In ", "dim"), (common, "dim"))
    if table.gpus and shown:
        _grid(canvas, table, shown, common, style)
        _remarks(canvas, shown, common)
    if not table.gpus or style.verbose:
        for row in shown:
            _architectures(canvas, row, common, style)
    for skipped in table.scan.skipped:
        canvas.hanging(
            (f"{canvas.mark('unknown')} ", "yellow"), f"{skipped.path}: {skipped.reason}"
        )
    return canvas.text()


def _nothing_found(scan: Scan) -> str:
    if not scan.looked_at:
        return "Nothing was examined: there is no file."
    if scan.proves_nothing:
        return "Nothing with device code was examined: what could hold some was not read."
    return f"No device code in {_files(scan.looked_at)}."


def _grid(
    canvas: Canvas, table: ScanTable, rows: list[CoverageRow], common: str, style: Style
) -> None:
    """One line a library, one column a GPU."""
    columns = len(table.gpus) * _COLUMN
    names = [row.library.path[len(common) :] for row in rows]
    width = min(max(map(len, names), default=0), max(20, style.width - columns - 2))
    canvas.line((" " * (width + 2), ""), *(_cut(gpu.sm, _COLUMN) for gpu in table.gpus), "")
    for row, name in zip(rows, names, strict=True):
        cells: list[Span] = [_cell_span(canvas, cell) for cell in row.cells]
        if row.note:
            cells = [(_cut(canvas.mark("none"), _COLUMN), "dim")] * len(table.gpus)
        canvas.line(_tail(name, width) + "  ", *cells, "")


def _cell_span(canvas: Canvas, cell: CoverageCell) -> tuple[str, str]:
    result = cell.coverage
    word: str = result.status
    if result.status == "partial":
        word = f"{result.runnable} of {result.of}"
    if cell.ignored:
        return _cut(f"{canvas.mark('none')} {word}", _COLUMN), "dim"
    mark = canvas.mark(_MARKS[result.status])
    return _cut(f"{mark} {word}", _COLUMN), _STYLES[result.status]


def _remarks(canvas: Canvas, rows: list[CoverageRow], common: str) -> None:
    """What a cell cannot say: which kernels are missing, and why something is not judged."""
    canvas.blank()
    ignored: dict[str, int] = {}
    for row in rows:
        if row.note:
            ignored[row.note] = ignored.get(row.note, 0) + 1
        for cell in row.cells:
            if cell.ignored:
                ignored[cell.ignored] = ignored.get(cell.ignored, 0) + 1
            elif cell.coverage.missing:
                name = row.library.path[len(common) :]
                mark = _MARKS[cell.coverage.status]
                canvas.hanging(
                    (f"{canvas.mark(mark)} ", _STYLES[cell.coverage.status]),
                    f"{name} on {cell.coverage.gpu.sm}: {_what_is_missing(cell)}",
                )
    for reason, count in ignored.items():
        times = "1 verdict" if count == 1 else f"{count} verdicts"
        canvas.hanging((f"{canvas.mark('none')} ", "dim"), (f"{times} left out: {reason}", "dim"))


def _what_is_missing(cell: CoverageCell) -> str:
    result = cell.coverage
    parts = [f"{each.count} built for {_names(each)}" for each in result.missing[:_MOST_GROUPS]]
    if len(result.missing) > _MOST_GROUPS:
        rest = sum(each.count for each in result.missing[_MOST_GROUPS:])
        parts.append(f"{rest} built for other sets")
    text = f"no code in {result.of - result.runnable} of {result.of} kernels: {'; '.join(parts)}"
    if result.too_new_ptx:
        text += "; this driver is too old to compile their PTX"
    return text


def _architectures(canvas: Canvas, row: CoverageRow, common: str, style: Style) -> None:
    library = row.library
    owner = f"  [{library.distribution}]" if library.distribution else ""
    canvas.line((library.path[len(common) :], "bold"), (owner, "dim"))
    groups = [*library.groups] if style.verbose else [*library.groups[:_MOST_GROUPS]]
    for group in groups:
        canvas.hanging(f"  {group.count:5} kernels: ", _names(group) + _isa(group), indent=16)
    if len(groups) < len(library.groups):
        rest = sum(group.count for group in library.groups[len(groups) :])
        everything = " ".join([*library.sass, *library.ptx])
        canvas.hanging(f"  {rest:5} others;  ", f"all together: {everything}", indent=16)
    for line in _other_vendor_lines(library):
        canvas.hanging("  ", line, indent=16)
    for group in library.relocatable:
        text = _names(group) + _isa(group)
        canvas.hanging(f"  {group.count:5} objects: ", f"{text}, relocatable", indent=16)


def _other_vendor_lines(library: Library) -> list[str]:
    lines = [
        f"{each.count:5} bundles: {' '.join(each.targets)}"
        for each in library.bundles[:_MOST_GROUPS]
    ]
    if len(library.bundles) > _MOST_GROUPS:
        lines.append(f"all together: {' '.join(library.hip)}")
    lines += [
        f"labelled {label}, but it is code for {target}"
        for label, target in library.mislabelled.items()
    ]
    if library.kernel_archive:
        there = " ".join(library.archived) or "none of them is there"
        paths = ", ".join(library.kernel_archive.paths)
        lines.append(f"AMD's device code lies in {paths}: {there}")
    if library.xpu:
        counts = [f"{name} ({count})" for name, count in library.xpu.items()]
        lines.append(f"Intel's images: {', '.join(counts)}")
    if library.macos:
        lines.append(f"needs macOS {library.macos} or newer")
    if library.metal:
        lines.append(f"Metal code for macOS {', '.join(library.metal)} or newer")
    return lines


def _isa(group: CodeGroup) -> str:
    return f" (PTX ISA {group.ptx_isa})" if group.ptx_isa else ""


def _names(group: CodeGroup) -> str:
    return " ".join(group.sass + group.ptx)


def _cut(text: str, width: int) -> str:
    return text[: width - 1].ljust(width)


def _tail(name: str, width: int) -> str:
    """The name in `width` columns: of a long one its end, which tells more than its beginning."""
    plain = inert(name)
    return plain.ljust(width) if len(plain) <= width else "…" + plain[1 - width :]


def _common_folder(paths: list[str]) -> str:
    """The folder or wheel that all paths begin with, if it is worth a line of its own."""
    if len(paths) < 2:
        return ""
    first, last = min(paths), max(paths)
    length = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), 0)
    end = max(first.rfind(mark, 0, length) for mark in "/\\") + 1
    return first[:end] if end > _WORTH_A_LINE else ""


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count} files"
