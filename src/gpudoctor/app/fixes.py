"""What changes an environment: `fix` and `undo`, and the parts that the command shows apart."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from gpudoctor import arguments as given
from gpudoctor import fixed
from gpudoctor.app.machines import level
from gpudoctor.collect import collect
from gpudoctor.errors import CannotJudgeError
from gpudoctor.examine.options import STATIC_SECONDS, VisitOptions
from gpudoctor.fix import procedure as command
from gpudoctor.fix.undo import has_fixes
from gpudoctor.fix.undo import undo as put_back
from gpudoctor.model import report as model_report
from gpudoctor.prescribe import Options

if TYPE_CHECKING:  # loaded by the one function that gives it
    from gpudoctor.fix.procedure import Done
    from gpudoctor.fix.undo import Undone
    from gpudoctor.fixed import Fixed

Say = Callable[[str], None]


def fix(
    *,
    python: str | os.PathLike[str] | None = None,
    dry_run: bool = False,
    tool: str = "auto",
    torch: str | None = None,
    channel: str = "stable",
    index_url: str | None = None,
    from_source: bool = False,
    smoke: str | None = None,
    timeout: float | None = None,
    progress: Say | None = None,
) -> Fixed:
    """Cure the environment as a transaction; with `dry_run`, say what would be done.

    Calling it is the consent that the command asks for.

    Raises:
        UsageError: an argument is wrong.
        FixFailedError: it was refused or failed; the environment is as it was.
        RestoreFailedError: it failed and could not be restored.
    """
    options = VisitOptions(
        python=given.text("python", python),
        smoke=level(smoke),
        timeout_seconds=given.seconds("timeout", timeout),
        prescribe=Options(
            tool=given.text("tool", tool) or "auto",
            torch_spec=given.text("torch", torch),
            channel=given.text("channel", channel) or "stable",
            index_url=given.text("index_url", index_url),
            from_source=given.flag("from_source", from_source),
        ),
    )
    only_look = given.flag("dry_run", dry_run)
    before = fix_plan(options)
    if only_look:
        return fixed.looked(before)
    refuse_unfinished(before)
    if (code := fixed.without_change(before)) is not None:
        return fixed.looked(before, code)
    done = carry_out(before, options, progress or _silently)
    return fixed.done(done)


def undo(
    python: str | os.PathLike[str] | None = None,
    progress: Say | None = None,
    *,
    set_aside: bool = False,
) -> Undone:
    """Put an environment back to where it was before its last fix.

    Raises:
        UsageError: `python` is no interpreter and no environment.
        FixFailedError: undoing would lose what came after the fix; nothing was changed.
    """
    chosen = given.text("python", python)

    say, aside = progress or _silently, given.flag("set_aside", set_aside)
    if chosen is not None and has_fixes(chosen, os.environ):
        # A fix that was cut off may have left an environment that nobody recognises as one.
        return put_back(chosen, os.environ, say, set_aside=aside)
    found = collect(chosen, STATIC_SECONDS, os.getcwd(), os.environ).facts.python
    if found is None or not found.prefix:
        raise CannotJudgeError("no Python environment was found; name it with --python")
    return put_back(found.prefix, os.environ, say, set_aside=aside)


def fix_plan(options: VisitOptions) -> model_report.Report:
    """The machine as it is, with the prescription that `fix` would carry out."""
    return command.examine(options)


def refuse_unfinished(report: model_report.Report) -> None:
    """Raises `FixFailedError` if an earlier fix of the examined environment was cut off."""
    command.refuse_unfinished(report)


def carry_out(before: model_report.Report, options: VisitOptions, say: Say) -> Done:
    """Carry out the prescription of `before` as a transaction; raises as `fix`."""
    return command.carry_out(before, options, say, os.environ)


def _silently(_: str) -> None:
    """Nobody listens."""
