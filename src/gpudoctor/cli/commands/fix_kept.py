"""`fix --undo`, `--list` and `--forget`: what earlier fixes left, as text or JSON."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from gpudoctor.cli.output import Output
from gpudoctor.model.lazy import later

if TYPE_CHECKING:
    import json

    from gpudoctor import app
    from gpudoctor.fix import kept as store
    from gpudoctor.fix.kept import KeptFix
    from gpudoctor.report import inert
    from gpudoctor.report.style import Style
else:  # loaded when the command runs
    app = later("gpudoctor.app")
    inert = later("gpudoctor.report.inert")
    json = later("json")
    store = later("gpudoctor.fix.kept")

FORMATS = ("text", "json")


def undo(output: Output, python: str | None, *, set_aside: bool = False) -> int:
    """Put an environment back, and say so.

    Raises:
        GpuDoctorError: as `app.undo`.
        UsageError: an unknown format, or a file that cannot be written.
    """
    output.only(FORMATS)
    undone = app.undo(python, output.progress, set_aside=set_aside)
    _emit(output, undone.to_dict(), undone.sentence)
    return undone.exit_code


def kept(output: Output) -> int:
    """List the fixes that can be undone or removed."""
    output.only(FORMATS)
    entries = store.kept(os.environ)
    text = "\n".join(map(_line, entries)) or "No fix is kept."
    _emit(output, {"fixes": list(map(_record, entries))}, text)
    return 0


def forget(output: Output, name: str) -> int:
    """Remove the fix `name`, or `all` that are finished.

    Raises:
        UsageError: there is none of that name, or it is unfinished.
    """
    output.only(FORMATS)
    entries = store.forget(name, os.environ)
    text = "\n".join(f"removed  {_line(entry)}" for entry in entries)
    removed = {"removed": list(map(_record, entries))}
    _emit(output, removed, text or "There is nothing to remove.")
    return 0


def _emit(output: Output, document: dict[str, Any], text: str) -> None:
    def render(name: str, _: Style) -> str:
        if name == "json":
            return json.dumps({"schema_version": "1.0", **document}, indent=2) + "\n"
        return f"{inert.inert(text, one_line=False)}\n"

    output.emit(render)


def _line(entry: KeptFix) -> str:
    # One fix is one line, whatever its path is called.
    return inert.inert(f"{entry.id}  {entry.state:<10}  {entry.prefix}  {entry.packages}")


def _record(entry: KeptFix) -> dict[str, Any]:
    return {
        "id": entry.id,
        "state": entry.state,
        "date": entry.date,
        "environment": entry.prefix,
        "packages": entry.packages.split(),
        "snapshot": entry.snapshot,
    }
