"""`gpudoctor kb`: the knowledge base, its date, its tables, its sources."""

from __future__ import annotations

import json as json_
import os
from collections.abc import Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gpudoctor.cli import common
from gpudoctor.errors import UsageError

if TYPE_CHECKING:
    from gpudoctor.kb.info import Table

_FORMATS = ("text", "markdown", "json")
_CELL = 48
"""Columns of the widest cell in text; `-v` shows cells whole."""


def register(app: typer.Typer) -> None:
    """Add the command and its two subcommands to `app`."""
    group = typer.Typer(help="The knowledge base: its date, its tables, its sources.")
    group.callback(invoke_without_command=True)(kb)
    group.command("show")(show)
    group.command("verify")(verify)
    app.add_typer(group, name="kb")


def kb(
    context: typer.Context,
    format_: common.TextMarkdownJsonOption = "text",
    json: common.JsonOption = False,
    output: common.OutputOption = None,
    quiet: common.QuietOption = False,
    verbose: common.VerboseOption = 0,
    color: common.ColorOption = "auto",
) -> int | None:
    """List the tables with their dates; `kb show TABLE` prints one."""
    if context.invoked_subcommand is not None:
        return None
    from gpudoctor.kb import info

    tables = info.tables()
    rows_of_all = sum(table.rows for table in tables)
    head = f"Knowledge base {info.version()} ({info.age()}), {rows_of_all} rows"
    rows = [{"table": item.name, "rows": item.rows, "date": item.date} for item in tables]
    value = {
        "version": info.version(),
        "date": info.date(),
        "age": info.age(),
        "tables": [
            {**row, "sources": item.sources} for row, item in zip(rows, tables, strict=True)
        ],
    }
    notes = [f"{item.name}: {text}" for item in tables for text in item.sources] if verbose else []
    _emit(
        _Shown(head, rows, notes if not quiet else [], value),
        format_,
        json=json,
        output=output,
        verbose=verbose,
        color=color,
    )
    return 0


def show(
    table: Annotated[str, typer.Argument(help="A table as `gpudoctor kb` lists it.")],
    format_: common.TextMarkdownJsonOption = "text",
    json: common.JsonOption = False,
    output: common.OutputOption = None,
    quiet: common.QuietOption = False,
    verbose: common.VerboseOption = 0,
    color: common.ColorOption = "auto",
) -> int:
    """Print one table of the knowledge base, with its date and its sources."""
    from gpudoctor.kb import info
    from gpudoctor.kb import show as tables

    found = _one(table)
    rows = tables.rows(found)
    notes = [] if quiet else [f"source: {text}" for text in found.sources]
    if verbose:
        notes += [f"note: {text}" for text in info.notes(found.file)]
    value = {"table": found.name, "date": found.date, "sources": found.sources, "rows": rows}
    _emit(
        _Shown(f"{found.name}, {found.date}, {len(rows)} rows", rows, notes, value),
        format_,
        json=json,
        output=output,
        verbose=verbose,
        color=color,
    )
    return 0


def verify(
    wheels: Annotated[list[str], typer.Argument(metavar="WHEEL...", help="Wheels of torch.")],
    format_: common.TextMarkdownJsonOption = "text",
    json: common.JsonOption = False,
    output: common.OutputOption = None,
    quiet: common.QuietOption = False,
    verbose: common.VerboseOption = 0,
    color: common.ColorOption = "auto",
) -> int:
    """Read wheels and say where the knowledge base states other architectures."""
    common.check_format("json" if json else format_, _FORMATS)
    from gpudoctor.binaries.table_check import verify as verify_

    rows = []
    for path in wheels:
        if not os.path.isfile(path):
            raise UsageError(f"{path} cannot be read: it is no file")
        if not path.lower().endswith(".whl"):
            raise UsageError(f"{path} is no wheel: the name of a wheel ends in .whl")
        common.progress(f"reading {path}", quiet=quiet)
        seen = verify_(path)
        rows.append(
            {
                "wheel": seen.wheel,
                "status": seen.status,
                "wheel has": list(seen.found),
                "knowledge base has": list(seen.expected),
                "reason": seen.reason,
            }
        )
    wrong = sum(1 for row in rows if row["status"] == "differs")
    read = "1 wheel" if len(rows) == 1 else f"{len(rows)} wheels"
    head = f"{read} read, {wrong} of them not as the knowledge base has it"
    _emit(
        _Shown(head, rows, [], {"wheels": rows}),
        format_,
        json=json,
        output=output,
        verbose=1 if not quiet else verbose,
        color=color,
    )
    return 0


class _Shown:
    """A heading, rows, notes under them, and the same as a JSON value."""

    def __init__(
        self, head: str, rows: Sequence[dict[str, Any]], notes: Sequence[str], value: Any
    ) -> None:
        self.head, self.rows, self.notes, self.value = head, rows, notes, value

    def render(self, name: str, *, whole: bool) -> str:
        """The text in one format; cells are cut to `_CELL` columns unless `whole`."""
        if name == "json":
            return json_.dumps(self.value, ensure_ascii=False, indent=2)
        keys = list(dict.fromkeys(key for row in self.rows for key in row))
        cells = [[_cell(row.get(key)) for key in keys] for row in self.rows]
        if name == "markdown":
            lines = [f"## {self.head}", "", _piped(keys), _piped(["---"] * len(keys))]
            lines += [_piped([cell.replace("|", "\\|") for cell in row]) for row in cells]
            lines += ["", *(f"* {note}" for note in self.notes)]
            return "\n".join(lines)
        if not whole:
            cells = [[_cut(cell) for cell in row] for row in cells]
        widths = [
            max([len(key), *(len(row[column]) for row in cells)]) for column, key in enumerate(keys)
        ]
        lines = [self.head, ""]
        lines += [_aligned(row, widths) for row in (keys, *cells)]
        lines += ["", *self.notes] if self.notes else []
        return "\n".join(lines)


def _emit(
    shown: _Shown,
    format_: str,
    *,
    json: bool,
    output: list[str] | None,
    verbose: int,
    color: str,
) -> None:
    common.check_format("json" if json else format_, _FORMATS)
    common.emit(
        lambda name, style: shown.render(name, whole=style.verbose > 0),
        common.style_for(color, verbose=verbose),
        format_=format_,
        json=json,
        outputs=output,
        formats=_FORMATS,
    )


def _one(text: str) -> Table:
    """The one table that `text` means.

    Raises:
        UsageError: none or several; names them.
    """
    from gpudoctor.kb import show as tables

    found = tables.find(text)
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(f"{text!r} may be {', '.join(item.name for item in found)}; name one")

    near = get_close_matches(text, tables.names(), 3, 0.3)
    hint = f"the nearest are {', '.join(near)}" if near else "`gpudoctor kb` lists them"
    raise UsageError(f"the knowledge base has no table {text!r}; {hint}")


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, dict):
        return "; ".join(f"{key}: {_cell(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_cell(item) for item in value)
    return " ".join(str(value).split())


def _cut(text: str) -> str:
    return text if len(text) <= _CELL else text[: _CELL - 1] + "…"


def _piped(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
