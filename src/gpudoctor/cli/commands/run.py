"""`gpudoctor run -- CMD`: a preflight, then the command, then a diagnosis if it dies."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from gpudoctor.cli.command import CommandDefinition, CommandOption
from gpudoctor.cli.output import Output, progress
from gpudoctor.errors import UsageError
from gpudoctor.model.lazy import later
from gpudoctor.report import render

if TYPE_CHECKING:
    from gpudoctor.cli import quick_look
    from gpudoctor.collect.process import passthrough
    from gpudoctor.kb.findings import follow_ups
    from gpudoctor.model.report import Report
    from gpudoctor.triage import after_death
else:  # the command must start at once; what explains its death is loaded after it
    quick_look = later("gpudoctor.cli.quick_look")
    passthrough = later("gpudoctor.collect.process.passthrough")
    follow_ups = later("gpudoctor.kb.findings.follow_ups")
    after_death = later("gpudoctor.triage.after_death")


def execute(
    output: Output,
    *,
    command: Sequence[str],
    cpu_fallback: bool,
    rerun_blocking: bool,
    no_preflight: bool,
) -> int:
    """Look, run the command, explain its death; gives the command's own code.

    Raises:
        UsageError: there is no command.
    """
    argv = command
    if not argv:
        raise UsageError("run needs a command: gpudoctor run -- python train.py")
    if argv[0].startswith("-"):
        raise UsageError(f"run has no option {argv[0]} (see `gpudoctor run --help`)")
    environment = dict(os.environ)
    if not no_preflight:
        unusable = _preflight(argv)
        if unusable is not None:
            if not output.style.quiet:
                _say(f"preflight: {unusable}")
            if cpu_fallback:
                return _on_cpu(argv, environment, unusable, output)
    outcome = _through(argv, environment)
    if outcome.returncode == 0 or outcome.error:
        return outcome.returncode
    return _after_death(argv, environment, outcome, output, cpu_fallback, rerun_blocking)


def _preflight(argv: Sequence[str]) -> str | None:
    sheet = quick_look.look(argv)
    return None if sheet is None else quick_look.unusable(sheet)


def _diagnose(argv: Sequence[str], outcome: passthrough.Ran) -> Report | None:
    """What the output shows, with the cure for this machine where the command is Python's."""
    found = after_death.diagnose(outcome.tail)
    if found is None or quick_look.interpreter(argv) is None:
        return found
    machine = quick_look.look(argv, quick_look.SECONDS_AFTER)
    return found if machine is None else after_death.diagnose(outcome.tail, machine)


def _after_death(
    argv: Sequence[str],
    environment: Mapping[str, str],
    outcome: passthrough.Ran,
    output: Output,
    cpu_fallback: bool,
    rerun_blocking: bool,
) -> int:
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
    _show(found, output)
    unusable = after_death.gpu_unusable(found) if cpu_fallback else None
    if unusable is not None:
        return _on_cpu(argv, environment, unusable.title, output)
    if asynchronous and not rerun_blocking:
        _say(
            "the line above may not be the one at fault; `gpudoctor run --rerun-blocking -- …` "
            "runs the command once more and names it"
        )
    return outcome.returncode


def _on_cpu(argv: Sequence[str], environment: Mapping[str, str], why: str, output: Output) -> int:
    line = "=" * 72
    _say(
        f"\n{line}\nRUNNING ON THE CPU: the GPU cannot be used ({why}).\n"
        f"Every GPU is hidden from the command; it will be many times slower.\n{line}"
    )
    outcome = _through(argv, {**environment, **follow_ups.hides_gpus()})
    if outcome.returncode and not outcome.error:
        if outcome.signal is not None:
            _say(after_death.signal_sentence(outcome.signal, outcome.returncode))
        if found := _diagnose(argv, outcome):
            _show(found, output)
    _say(f"this run was on the CPU; it ended with exit code {outcome.returncode}")
    return outcome.returncode


def _through(argv: Sequence[str], environment: Mapping[str, str]) -> passthrough.Ran:
    outcome = passthrough.passthrough(argv, environment)
    if outcome.error:
        _say(outcome.error)
    return outcome


def _show(found: Report, output: Output) -> None:
    """The diagnosis on stderr, and in the files of `--output`; stdout is the command's alone."""
    try:
        output.save(partial(render, found))
    except UsageError as error:  # the command has run: its exit code is what counts
        _say(str(error))
    text = render(found, "text", output.style)
    try:
        sys.stderr.write("\n" + text.rstrip("\n") + "\n")
        sys.stderr.flush()
    except (OSError, UnicodeEncodeError, ValueError):
        pass


def _say(message: str) -> None:
    for line in message.split("\n"):
        progress(f"gpudoctor: {line}" if line.strip("= ") else line)


COMMAND = CommandDefinition(
    name="run",
    help="Preflight, then the command, then a diagnosis if it dies of a GPU fault.",
    short="Run a command, and say why if it dies of a GPU fault.",
    operand=CommandOption("command", None, "-- CMD…", "many", required=False),
    options=(
        CommandOption(
            "--cpu-fallback",
            "If the GPU cannot be used, run with the GPUs hidden, and say so.",
            kind="flag",
        ),
        CommandOption(
            "--rerun-blocking",
            "After an asynchronous CUDA error run once more to find the line.",
            kind="flag",
        ),
        CommandOption("--no-preflight", "Start the command without looking first.", kind="flag"),
    ),
    formats=(),
    starts_another=True,
    run=execute,
)
