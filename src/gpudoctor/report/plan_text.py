"""A plan in a terminal: the machine, the decision, and what to type there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gpudoctor.model.prescription import Step
from gpudoctor.model.report import Report
from gpudoctor.report.canvas import Canvas
from gpudoctor.report.style import Style
from gpudoctor.report.terminal import of_the_machine, step_command

_SYSTEMS = {"linux": "Linux", "windows": "Windows", "macos": "macOS"}


def render(
    report: Report, style: Style, considered: Mapping[str, Sequence[str]] | None = None
) -> str:
    """The plan as text; commands are those of the planned machine's shell.

    `considered`: every build that was looked at, with what speaks against it (nothing: it runs).
    """
    canvas = Canvas(style)
    prescription = report.prescription
    if prescription is None:
        return canvas.text()
    style = of_the_machine(style, report)
    possible = prescription.status != "impossible"
    if not style.quiet:
        canvas.hanging(("Plan for ", "bold"), _machine(report))
        canvas.blank()
    if not possible:
        canvas.line(("No plan is possible", "bold red"))
    canvas.paragraph(prescription.why, indent=0 if possible else 2)
    _steps(canvas, prescription.steps, style)
    if prescription.notes:
        canvas.blank()
    for note in prescription.notes:
        canvas.hanging(("note  ", "yellow"), note)
    if prescription.alternatives and possible:
        canvas.blank()
        for alternative in prescription.alternatives:
            canvas.hanging(("or  ", "cyan"), alternative.why)
            if style.verbose:
                _steps(canvas, alternative.steps, style)
    if style.verbose:
        canvas.blank()
        for claim in prescription.evidence:
            dated = f", {claim.date}" if claim.date else ""
            canvas.hanging(("because  ", "dim"), f"{claim.claim} ({claim.source}{dated})")
    if considered:
        canvas.blank()
        canvas.line(("Builds that were considered", "bold"))
    for label, reasons in (considered or {}).items():
        mark = "bad" if reasons else "good"
        said = "; ".join(reasons) or f"{label} runs there"
        canvas.hanging((f"{canvas.mark(mark)} ", ""), said)
    return canvas.text()


def _steps(canvas: Canvas, steps: tuple[Step, ...], style: Style) -> None:
    for number, step in enumerate(steps, 1):
        canvas.blank()
        canvas.paragraph(f"{number}. {step.text}" if len(steps) > 1 else step.text)
        command = step_command(step, style)
        if command:
            canvas.raw(command, indent=4, style="bold cyan")


def _machine(report: Report) -> str:
    facts = report.sheet.facts
    counts: dict[str, int] = {}
    for gpu in facts.gpus:
        name = gpu.name or gpu.sm or gpu.gfx or "a GPU"
        known = f" ({gpu.sm or gpu.gfx})" if gpu.name and (gpu.sm or gpu.gfx) else ""
        counts[name + known] = counts.get(name + known, 0) + 1
    parts = [f"{count} × {name}" if count > 1 else name for name, count in counts.items()]
    host = facts.host
    if host is not None and host.os is not None:
        system = "WSL" if host.wsl else _SYSTEMS[host.os]
        parts.append(f"{system} on {host.arch}" if host.arch else system)
    if facts.driver is not None and facts.driver.version:
        parts.append(f"driver {facts.driver.version}")
    if facts.python is not None and facts.python.version:
        free = "t" if (facts.python.tag or "").endswith("t") else ""
        parts.append(f"Python {facts.python.version}{free}")
    return ", ".join(parts)
