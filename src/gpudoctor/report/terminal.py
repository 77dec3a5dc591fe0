"""The report in a terminal: verdict, the stack at a glance, the root cause, what to type.

What is to be typed comes last and is never wrapped, so that it can be copied.
"""

from __future__ import annotations

from collections.abc import Sequence

from gpudoctor.model.finding import Finding, Severity
from gpudoctor.model.prescription import Prescription, Step
from gpudoctor.model.report import Report
from gpudoctor.model.value import replace
from gpudoctor.report.canvas import Canvas
from gpudoctor.report.headline import headline
from gpudoctor.report.layers import Layer, Mark, layers
from gpudoctor.report.style import Shell, Style

_MARK_STYLE: dict[Mark, str] = {
    "good": "green",
    "warning": "yellow",
    "bad": "bold red",
    "unknown": "magenta",
    "none": "dim",
}
_VERDICT_STYLE = {
    "healthy": "bold green",
    "warning": "bold yellow",
    "broken": "bold red",
    "unknown": "bold magenta",
}
_SEVERITY_MARK: dict[Severity, Mark] = {
    Severity.ERROR: "bad",
    Severity.WARNING: "warning",
    Severity.INFO: "none",
}


def render(report: Report, style: Style) -> str:
    """The report as text for a terminal of `style.width` columns."""
    style = of_the_machine(style, report)
    canvas = Canvas(style)
    canvas.line((headline(report), _VERDICT_STYLE[report.verdict]))
    rows = [] if style.quiet else layers(report)
    if rows:
        canvas.blank()
        _stack(canvas, rows)
    _findings(canvas, report, style)
    if report.notes:
        canvas.blank()
    for note in report.notes:
        canvas.paragraph(note, style="dim")
    if style.verbose:
        _details(canvas, report)
    if report.prescription is not None and report.findings:
        _prescription(canvas, report, report.prescription, style)
    return canvas.text()


def of_the_machine(style: Style, report: Report) -> Style:
    """The style with commands for the machine that the report is about.

    A saved machine, or a planned one, may have another shell than the one that shows the report.
    """
    host = report.sheet.facts.host
    if host is None or host.os is None or (host.os == "windows") == (style.shell != "posix"):
        return style
    shell: Shell = "powershell" if host.os == "windows" else "posix"
    return replace(style, shell=shell)


def _stack(canvas: Canvas, rows: list[Layer]) -> None:
    width = max(len(row.name) for row in rows)
    for row in rows:
        symbol = canvas.mark(row.mark)
        canvas.hanging(
            (f"{symbol} ", _MARK_STYLE[row.mark]), (f"{row.name:<{width}}  ", "bold"), row.text
        )


def _findings(canvas: Canvas, report: Report, style: Style) -> None:
    shown = [f for f in report.findings if style.verbose or f.severity is not Severity.INFO]
    for finding in shown:
        canvas.blank()
        brief = bool(finding.caused_by) and not style.verbose
        _finding(canvas, finding, report, style, brief=brief)
    for finding in (f for f in report.findings if f not in shown):
        canvas.blank()
        canvas.hanging(("i ", "cyan"), (f"{finding.code} ", "dim"), finding.title)
    if report.suppressed:
        canvas.blank()
        names = ", ".join(f"{e.finding.code} {e.finding.name}" for e in report.suppressed)
        canvas.paragraph(f"Left out of the verdict: {names}.", style="dim")


def _finding(
    canvas: Canvas, finding: Finding, report: Report, style: Style, *, brief: bool
) -> None:
    mark = _SEVERITY_MARK[finding.severity]
    canvas.hanging(
        (f"{canvas.mark(mark)} ", _MARK_STYLE[mark]), (f"{finding.code} ", "bold"), finding.title
    )
    if brief:
        canvas.paragraph(f"This follows from {finding.caused_by}.", indent=2, style="dim")
        return
    if finding.detail:
        canvas.paragraph(finding.detail, indent=2)
    for item in finding.evidence:
        source = f"  [{item.source}]" if item.source else ""
        canvas.hanging(("    proof  ", "dim"), f"{item.fact} = {item.value}{source}")
    prescribed = report.prescription is not None and report.prescription.steps
    for step in () if prescribed else finding.remedies:
        canvas.paragraph(step.text, indent=4)
        if command := step_command(step, style):
            canvas.raw(command, indent=6)
    if finding.next_look:
        canvas.hanging(("    look   ", "dim"), finding.next_look)
    if finding.still_possible and report.about == "text":
        canvas.hanging(("    now    ", "dim"), finding.still_possible)
    canvas.paragraph(f"gpudoctor explain {finding.code} says more.", indent=4, style="dim")


def _prescription(canvas: Canvas, report: Report, prescription: Prescription, style: Style) -> None:
    if prescription.status == "not-needed":
        return
    canvas.blank()
    if prescription.status == "impossible":
        canvas.line(("No way out was found", "bold red"))
        canvas.paragraph(prescription.why, indent=2)
        _alternatives(canvas, prescription, style)
        return
    for note in prescription.notes:
        if not any(note == finding.next_look for finding in report.findings):
            canvas.hanging(("note  ", "yellow"), note)
    if style.verbose:
        for claim in prescription.evidence:
            dated = f", {claim.date}" if claim.date else ""
            canvas.hanging(("because  ", "dim"), f"{claim.claim} ({claim.source}{dated})")
    _alternatives(canvas, prescription, style)
    canvas.blank()
    typed = any(step_command(step, style) for step in prescription.steps)
    canvas.line(("What to type" if typed else "What to do", "bold"))
    canvas.paragraph(prescription.why, indent=2)
    _steps(canvas, prescription.steps, style, said=[f.title for f in report.findings])


def _alternatives(canvas: Canvas, prescription: Prescription, style: Style) -> None:
    for alternative in prescription.alternatives:
        if not style.verbose and prescription.status == "resolved":
            canvas.hanging(("or  ", "cyan"), f"{alternative.why} (-v shows the commands)")
            continue
        canvas.hanging(("or  ", "cyan"), alternative.why)
        _steps(canvas, alternative.steps, style)


def _steps(canvas: Canvas, steps: tuple[Step, ...], style: Style, said: Sequence[str] = ()) -> None:
    """`said`: titles that stand further up; a step need not open with one again."""
    for step in steps:
        command = step_command(step, style)
        text = step.text
        for title in said:
            rest = text.removeprefix(f"{title}.").strip()
            if rest or command:
                text = rest
        canvas.blank()
        if text:
            canvas.paragraph(text, indent=2)
        if command:
            canvas.raw(command, indent=4, style="bold cyan")


def step_command(step: Step, style: Style) -> str | None:
    """The command of a step for the shell that is in use here."""
    by_shell = {"posix": step.posix, "powershell": step.powershell, "cmd": step.cmd}
    return by_shell[style.shell] or step.posix


def _details(canvas: Canvas, report: Report) -> None:
    from gpudoctor.report.details import fact_lines

    canvas.blank()
    canvas.line(("Facts", "bold"))
    for path, value, source in fact_lines(report.sheet):
        canvas.hanging((f"  {path} = ", "dim"), f"{value}  [{source}]" if source else value)
    for entry in report.not_judged:
        canvas.hanging(("  not judged  ", "magenta"), f"{entry.fact}: {entry.reason}")
    timings = ", ".join(f"{name} {value:.0f} ms" for name, value in report.timings_ms.items())
    if timings:
        canvas.hanging(("  timings  ", "dim"), timings)
