"""`gpudoctor run -- CMD`: a preflight, then the command, then a diagnosis if it dies."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from gpudoctor.cli import common
from gpudoctor.errors import UsageError
from gpudoctor.model.value import dataclass, replace
from gpudoctor.report import render

if TYPE_CHECKING:  # the command must start at once; what explains its death is loaded after it
    from gpudoctor.collect.process.passthrough import Ran
    from gpudoctor.model.report import Report


@dataclass(frozen=True, slots=True)
class _Manner:
    """How the doctor's own words are put out; the command's output is never touched."""

    color: str
    quiet: bool
    verbose: int
    output: Sequence[str]


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command(
        "run",
        short_help="Run a command, and say why if it dies of a GPU fault.",
        context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
    )(run)


def run(
    command: Annotated[list[str] | None, typer.Argument(metavar="-- CMD…")] = None,
    cpu_fallback: Annotated[
        bool,
        typer.Option(
            "--cpu-fallback",
            help="If the GPU cannot be used, run with the GPUs hidden, and say so.",
        ),
    ] = False,
    rerun_blocking: Annotated[
        bool,
        typer.Option(
            "--rerun-blocking",
            help="After an asynchronous CUDA error run once more to find the line.",
        ),
    ] = False,
    no_preflight: Annotated[
        bool, typer.Option("--no-preflight", help="Start the command without looking first.")
    ] = False,
    output: common.OutputOption = None,
    quiet: common.QuietOption = False,
    verbose: common.VerboseOption = 0,
    color: common.ColorOption = "auto",
) -> int:
    """Preflight, then the command, then a diagnosis if it dies of a GPU fault."""
    argv = list(command or ())
    if not argv:
        raise UsageError("run needs a command: gpudoctor run -- python train.py")
    if argv[0].startswith("-"):
        raise UsageError(f"run has no option {argv[0]} (see `gpudoctor run --help`)")
    common.style_for(color)
    common.check_outputs(output)
    manner = _Manner(color, quiet, verbose, output or ())
    environment = dict(os.environ)
    if not no_preflight:
        unusable = _preflight(argv)
        if unusable is not None:
            if not quiet:
                _say(f"preflight: {unusable}")
            if cpu_fallback:
                return _on_cpu(argv, environment, unusable, manner)
    outcome = _through(argv, environment)
    if outcome.returncode == 0 or outcome.error:
        return outcome.returncode
    return _after_death(argv, environment, outcome, manner, cpu_fallback, rerun_blocking)


def _preflight(argv: Sequence[str]) -> str | None:
    from gpudoctor.cli import quick_look as preflight

    sheet = preflight.look(argv)
    return None if sheet is None else preflight.unusable(sheet)


def _diagnose(argv: Sequence[str], outcome: Ran) -> Report | None:
    """What the output shows, with the cure for this machine where the command is Python's."""
    from gpudoctor.cli import quick_look as preflight
    from gpudoctor.triage import after_death

    found = after_death.diagnose(outcome.tail)
    if found is None or preflight.interpreter(argv) is None:
        return found
    machine = preflight.look(argv, preflight.SECONDS_AFTER)
    return found if machine is None else after_death.diagnose(outcome.tail, machine)


def _after_death(
    argv: Sequence[str],
    environment: Mapping[str, str],
    outcome: Ran,
    manner: _Manner,
    cpu_fallback: bool,
    rerun_blocking: bool,
) -> int:
    from gpudoctor.triage import after_death

    found = _diagnose(argv, outcome)
    if outcome.signal is not None:
        _say(after_death.signal_sentence(outcome.signal, outcome.returncode))
    if found is None:
        return outcome.returncode
    asynchronous = after_death.is_asynchronous(found, outcome.tail, environment)
    if asynchronous and rerun_blocking:
        _say(f"running once more with {after_death.BLOCKING}=1 to find the line")
        again = _through(argv, {**environment, after_death.BLOCKING: "1"})
        found = after_death.with_line(found, again.tail)
    _show(found, manner)
    unusable = after_death.gpu_unusable(found) if cpu_fallback else None
    if unusable is not None:
        return _on_cpu(argv, environment, unusable.title, manner)
    if asynchronous and not rerun_blocking:
        _say(
            "the line above may not be the one at fault; `gpudoctor run --rerun-blocking -- …` "
            "runs the command once more and names it"
        )
    return outcome.returncode


def _on_cpu(argv: Sequence[str], environment: Mapping[str, str], why: str, manner: _Manner) -> int:
    from gpudoctor.kb.findings.follow_ups import hides_gpus
    from gpudoctor.triage import after_death

    line = "=" * 72
    _say(
        f"\n{line}\nRUNNING ON THE CPU: the GPU cannot be used ({why}).\n"
        f"Every GPU is hidden from the command; it will be many times slower.\n{line}"
    )
    outcome = _through(argv, {**environment, **hides_gpus()})
    if outcome.returncode and not outcome.error:
        if outcome.signal is not None:
            _say(after_death.signal_sentence(outcome.signal, outcome.returncode))
        if found := _diagnose(argv, outcome):
            _show(found, manner)
    _say(f"this run was on the CPU; it ended with exit code {outcome.returncode}")
    return outcome.returncode


def _through(argv: Sequence[str], environment: Mapping[str, str]) -> Ran:
    from gpudoctor.collect.process.passthrough import passthrough

    outcome = passthrough(argv, environment)
    if outcome.error:
        _say(outcome.error)
    return outcome


def _show(found: Report, manner: _Manner) -> None:
    """The diagnosis on stderr, and in the files of `--output`; stdout is the command's alone."""
    style = replace(
        common.style_for(manner.color, quiet=manner.quiet, verbose=manner.verbose),
        color=_colored(manner.color),
    )
    try:
        common.save(lambda name, how: render(found, name, how), style, manner.output)
    except UsageError as error:  # the command has run: its exit code is what counts
        _say(str(error))
    text = render(found, "text", style)
    try:
        sys.stderr.write("\n" + text.rstrip("\n") + "\n")
        sys.stderr.flush()
    except (OSError, UnicodeEncodeError, ValueError):
        pass


def _colored(color: str) -> bool:
    if color != "auto":
        return color == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    if os.environ.get("CI") or os.environ.get("TERM") == "dumb":
        return False
    try:
        return sys.stderr.isatty()
    except (AttributeError, ValueError):
        return False


def _say(message: str) -> None:
    for line in message.split("\n"):
        common.progress(f"gpudoctor: {line}" if line.strip("= ") else line)
