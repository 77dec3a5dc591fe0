"""`gpudoctor smoke`: do kernels run here, and are their numbers right?"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from gpudoctor.cli import common
from gpudoctor.errors import UsageError
from gpudoctor.report import render
from gpudoctor.report.style import Style


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("smoke", short_help="Do kernels run here, and are their numbers right?")(smoke)


def smoke(
    python: common.PythonOption = None,
    level: Annotated[
        str, typer.Option("--level", metavar="LEVEL", help="quick (seconds) or full (minutes).")
    ] = "quick",
    device: Annotated[
        str | None,
        typer.Option("--device", metavar="N|cpu", help="One GPU, as nvidia-smi counts, or cpu."),
    ] = None,
    advice: Annotated[
        str | None,
        typer.Option("--advice", metavar="PATH", help="Write the training advice as YAML."),
    ] = None,
    timeout: common.TimeoutOption = None,
    format_: common.FormatOption = "text",
    json: common.JsonOption = False,
    output: common.OutputOption = None,
    quiet: common.QuietOption = False,
    verbose: common.VerboseOption = 0,
    color: common.ColorOption = "auto",
) -> int:
    """Run kernels on the GPUs (or the CPU) and hold their numbers to float64."""
    from gpudoctor import app as api
    from gpudoctor.report.views import smoke_tests

    style = common.style_for(color, quiet=quiet, verbose=verbose)
    common.check_format("json" if json else format_)
    common.check_timeout(timeout)
    if level not in ("quick", "full"):
        raise UsageError(f"--level takes quick or full, not {level!r}")
    if advice is not None:
        _writable(advice)
    # A line a test while somebody watches; a log has the results, and the steps with -v.
    told = verbose > 0 or (sys.stderr is not None and sys.stderr.isatty())
    report = api.smoke(
        python=python,
        level=level,
        device=device,
        timeout=timeout,
        progress=lambda message: common.progress(message, quiet=quiet or not told),
    )

    def draw(name: str, how: Style) -> str:
        proof = report.smoke
        return render(report, name, how, smoke_tests.sections(proof, how) if proof else ())

    if advice is not None:
        _write(advice, api.advice_yaml(report))
    common.emit(draw, style, format_=format_, json=json, outputs=output)
    return report.exit_code


def _writable(path: str) -> None:
    """Refuse a path that cannot be written before minutes are spent on what it should hold."""
    try:
        with open(path, "a", encoding="utf-8"):
            pass
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from None


def _write(path: str, text: str) -> None:
    try:
        with open(path, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from None
