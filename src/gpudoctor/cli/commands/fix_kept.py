"""`fix --undo`, `--list` and `--forget`: what earlier fixes left, as text or JSON."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gpudoctor.cli import common

if TYPE_CHECKING:  # loaded when the command runs
    from gpudoctor.fix.kept import KeptFix
    from gpudoctor.report.style import Style

FORMATS = ("text", "json")


def undo(
    python: str | None,
    style: Style,
    format_: str,
    outputs: Sequence[str] | None,
    *,
    set_aside: bool = False,
) -> int:
    """Put an environment back, and say so.

    Raises:
        GpuDoctorError: as `app.undo`.
        UsageError: an unknown format, or a file that cannot be written.
    """
    from gpudoctor import app as api

    _check(format_, outputs)
    undone = api.undo(
        python, lambda line: common.progress(line, quiet=style.quiet), set_aside=set_aside
    )
    _emit(undone.to_dict(), undone.sentence, style, format_, outputs)
    return undone.exit_code


def kept(style: Style, format_: str, outputs: Sequence[str] | None) -> int:
    """List the fixes that can be undone or removed."""
    from gpudoctor.fix import kept as store

    _check(format_, outputs)
    entries = store.kept(os.environ)
    text = "\n".join(map(_line, entries)) or "No fix is kept."
    _emit({"fixes": list(map(_record, entries))}, text, style, format_, outputs)
    return 0


def forget(name: str, style: Style, format_: str, outputs: Sequence[str] | None) -> int:
    """Remove the fix `name`, or `all` that are finished.

    Raises:
        UsageError: there is none of that name, or it is unfinished.
    """
    from gpudoctor.fix import kept as store

    _check(format_, outputs)
    entries = store.forget(name, os.environ)
    text = "\n".join(f"removed  {_line(entry)}" for entry in entries)
    _emit(
        {"removed": list(map(_record, entries))},
        text or "There is nothing to remove.",
        style,
        format_,
        outputs,
    )
    return 0


def _check(format_: str, outputs: Sequence[str] | None) -> None:
    """What is asked for wrongly is refused before anything is changed."""
    common.check_format(format_, FORMATS)
    common.check_outputs(outputs, FORMATS)


def _emit(
    document: dict[str, Any],
    text: str,
    style: Style,
    format_: str,
    outputs: Sequence[str] | None,
) -> None:
    import json

    from gpudoctor.report.inert import inert

    def render(name: str, _: Style) -> str:
        if name == "json":
            return json.dumps({"schema_version": "1.0", **document}, indent=2) + "\n"
        return f"{inert(text, one_line=False)}\n"

    common.emit(render, style, format_=format_, outputs=outputs, formats=FORMATS)


def _line(entry: KeptFix) -> str:
    from gpudoctor.report.inert import inert

    # One fix is one line, whatever its path is called.
    return inert(f"{entry.id}  {entry.state:<10}  {entry.prefix}  {entry.packages}")


def _record(entry: KeptFix) -> dict[str, Any]:
    return {
        "id": entry.id,
        "state": entry.state,
        "date": entry.date,
        "environment": entry.prefix,
        "packages": entry.packages.split(),
        "snapshot": entry.snapshot,
    }
