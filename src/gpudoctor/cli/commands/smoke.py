"""`gpudoctor smoke`: do kernels run here, and are their numbers right?"""

from __future__ import annotations

from gpudoctor.cli.command import PYTHON, TIMEOUT, CommandDefinition, CommandOption
from gpudoctor.cli.output import Output
from gpudoctor.errors import UsageError
from gpudoctor.report import render


def execute(
    output: Output,
    *,
    python: str | None,
    level: str,
    device: str | None,
    advice: str | None,
    timeout: float | None,
) -> int:
    """Run the kernels, put the report out, and give the exit code.

    Raises:
        UsageError: a value is not known, or a file cannot be written.
    """
    from gpudoctor import app
    from gpudoctor.report.views import smoke_tests

    if advice is not None:  # refused before minutes are spent on what it should hold
        _write(advice, "", "a")
    report = app.smoke(
        python=python, level=level, device=device, timeout=timeout, progress=output.step
    )
    if advice is not None:
        _write(advice, app.advice_yaml(report))
    proof = report.smoke
    output.emit(
        lambda name, style: render(
            report, name, style, smoke_tests.sections(proof, style) if proof else ()
        )
    )
    return report.exit_code


def _write(path: str, text: str, mode: str = "w") -> None:
    try:
        with open(path, mode, encoding="utf-8", newline="\n") as file:
            file.write(text)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from None


COMMAND = CommandDefinition(
    name="smoke",
    help="Run kernels on the GPUs (or the CPU) and hold their numbers to float64.",
    short="Do kernels run here, and are their numbers right?",
    options=(
        PYTHON,
        CommandOption(
            "--level",
            "quick (seconds) or full (minutes).",
            "LEVEL",
            default="quick",
            choices=("quick", "full"),
        ),
        CommandOption("--device", "One GPU, as nvidia-smi counts, or cpu.", "N|cpu"),
        CommandOption("--advice", "Write the training advice as YAML.", "PATH"),
        TIMEOUT,
    ),
    run=execute,
)
