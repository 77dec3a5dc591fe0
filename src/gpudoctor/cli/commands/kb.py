"""`gpudoctor kb`: the knowledge base, its date, its tables, its sources."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from gpudoctor.cli.command import CommandDefinition, CommandOption
from gpudoctor.cli.output import Output
from gpudoctor.errors import UsageError
from gpudoctor.model.lazy import later

if TYPE_CHECKING:
    from gpudoctor.binaries import table_check
    from gpudoctor.kb import info
    from gpudoctor.kb import show as contents
    from gpudoctor.kb.info import Table
    from gpudoctor.report.style import Style
else:  # loaded when the command runs
    contents = later("gpudoctor.kb.show")
    info = later("gpudoctor.kb.info")
    table_check = later("gpudoctor.binaries.table_check")

_FORMATS = ("text", "markdown", "json")
_CELL = 48
"""Columns of the widest cell in text; `-v` shows cells whole."""


def overview(output: Output) -> int:
    """List the tables with their dates."""
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
    told = output.style.verbose and not output.style.quiet
    notes = [f"{item.name}: {text}" for item in tables for text in item.sources] if told else []
    output.emit(_Shown(head, rows, notes, value).render)
    return 0


def show(output: Output, *, table: str) -> int:
    """Print one table.

    Raises:
        UsageError: there is none of that name.
    """
    found = _one(table)
    rows = contents.rows(found)
    notes = [] if output.style.quiet else [f"source: {text}" for text in found.sources]
    if output.style.verbose:
        notes += [f"note: {text}" for text in info.notes(found.file)]
    value = {"table": found.name, "date": found.date, "sources": found.sources, "rows": rows}
    head = f"{found.name}, {found.date}, {len(rows)} rows"
    output.emit(_Shown(head, rows, notes, value).render)
    return 0


def verify(output: Output, *, wheels: Sequence[str]) -> int:
    """Hold wheels to the knowledge base.

    Raises:
        UsageError: a file cannot be read, or is no wheel.
    """
    rows = []
    for path in wheels:
        if not os.path.isfile(path):
            raise UsageError(f"{path} cannot be read: it is no file")
        if not path.lower().endswith(".whl"):
            raise UsageError(f"{path} is no wheel: the name of a wheel ends in .whl")
        output.progress(f"reading {path}")
        seen = table_check.verify(path)
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
    verbose = output.style.verbose if output.style.quiet else 1
    output.as_verbose(verbose).emit(_Shown(head, rows, [], {"wheels": rows}).render)
    return 0


class _Shown:
    """A heading, rows, notes under them, and the same as a JSON value."""

    def __init__(
        self, head: str, rows: Sequence[dict[str, Any]], notes: Sequence[str], value: Any
    ) -> None:
        self.head, self.rows, self.notes, self.value = head, rows, notes, value

    def render(self, name: str, style: Style) -> str:
        """The text in one format; cells are cut to `_CELL` columns unless it is to say more."""
        if name == "json":
            return json.dumps(self.value, ensure_ascii=False, indent=2)
        keys = list(dict.fromkeys(key for row in self.rows for key in row))
        cells = [[_cell(row.get(key)) for key in keys] for row in self.rows]
        if name == "markdown":
            lines = [f"## {self.head}", "", _piped(keys), _piped(["---"] * len(keys))]
            lines += [_piped([cell.replace("|", "\\|") for cell in row]) for row in cells]
            lines += ["", *(f"* {note}" for note in self.notes)]
            return "\n".join(lines)
        if not style.verbose:
            cells = [[_cut(cell) for cell in row] for row in cells]
        widths = [
            max([len(key), *(len(row[column]) for row in cells)]) for column, key in enumerate(keys)
        ]
        lines = [self.head, ""]
        lines += [_aligned(row, widths) for row in (keys, *cells)]
        lines += ["", *self.notes] if self.notes else []
        return "\n".join(lines)


def _one(text: str) -> Table:
    """The one table that `text` means.

    Raises:
        UsageError: none or several; names them.
    """
    found = contents.find(text)
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(f"{text!r} may be {', '.join(item.name for item in found)}; name one")

    near = get_close_matches(text, contents.names(), 3, 0.3)
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


COMMAND = CommandDefinition(
    name="kb",
    help="The knowledge base: its date, its tables, its sources.",
    formats=_FORMATS,
    subcommands=(
        CommandDefinition(
            name="show",
            help="Print one table of the knowledge base, with its date and its sources.",
            operand=CommandOption("table", "A table as `gpudoctor kb` lists it."),
            formats=_FORMATS,
            run=show,
        ),
        CommandDefinition(
            name="verify",
            help="Read wheels and say where the knowledge base states other architectures.",
            operand=CommandOption("wheels", "Wheels of torch.", "WHEEL...", "many"),
            formats=_FORMATS,
            run=verify,
        ),
    ),
    run=overview,
)
