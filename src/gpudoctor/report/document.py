"""The report as a document: which words stand in it, in which order, for every format.

Verdict, layers, root cause with its proof, what to type; then what else was found, other ways,
notes, what is missing for an answer, and what was left out of the verdict and why.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from gpudoctor.examine.verdict import REQUIREMENT, missing_essentials
from gpudoctor.model.finding import Finding, Severity
from gpudoctor.model.lazy import later
from gpudoctor.model.prescription import Alternative, Prescription
from gpudoctor.model.report import Report
from gpudoctor.model.step import Step
from gpudoctor.report import links
from gpudoctor.report.blocks import (
    Block,
    Command,
    Document,
    Item,
    Mark,
    Page,
    Paragraph,
    Section,
)
from gpudoctor.report.headline import headline
from gpudoctor.report.layer_rows import layers
from gpudoctor.report.shells import Shells, commands, shells_of
from gpudoctor.report.style import Style

if TYPE_CHECKING:
    from gpudoctor.report.views import details, plan_view
else:  # for plans, and with -v
    details = later("gpudoctor.report.views.details")
    plan_view = later("gpudoctor.report.views.plan_view")

_MARKS: dict[Severity, Mark] = {
    Severity.ERROR: "bad",
    Severity.WARNING: "warning",
    Severity.INFO: "none",
}


def document(
    report: Report, style: Style, *, brief: bool = False, extra: Sequence[Section] = ()
) -> Document:
    """The report's words.

    Args:
        report: what was found.
        style: how much is said (`quiet`, `verbose`), and the shell of who reads it.
        brief: leave to `-v` what follows from another finding, and the details of what is no more
            than information; a terminal has few lines.
        extra: further sections, put before the notes.
    """
    brief = brief and not style.verbose
    shells = shells_of(report.sheet, style, one=brief or style.verbose > 0)
    if report.about == "plan":
        return _made(report, plan_view.sections(report, style, shells), extra, style)
    prescription = report.prescription
    leading, others = _parted(report.findings)
    typed = prescription is not None and bool(prescription.steps)
    parts = [Section(kind="layers", blocks=tuple(layers(report)))]
    parts += [_finding(f, report, shells, typed=typed, brief=brief) for f in leading]
    parts += _cure(report, shells)
    parts += [_finding(f, report, shells, typed=typed, brief=brief) for f in others]
    parts += extra
    parts += _others(report, shells, brief=brief)
    if style.verbose:
        parts.append(_facts(report))
    return _made(report, parts, (), style)


def _made(
    report: Report, parts: Sequence[Section], extra: Sequence[Section], style: Style
) -> Document:
    kept = [part for part in (*parts, *extra) if part.blocks or part.title]
    if style.quiet:
        kept = [_commands_alone(part) for part in kept if part.kind == "cure"]
    said = headline(report) if report.about != "plan" else ""
    return Document(headline=said, report=report, sections=tuple(kept))


def _commands_alone(cure: Section) -> Section:
    """What `-q` leaves of the cure: the commands, and the steps that are none."""
    kept: list[Block] = []
    for block, following in zip(cure.blocks, (*cure.blocks[1:], None), strict=True):
        step = isinstance(block, Paragraph) and not isinstance(following, Command)
        if isinstance(block, Command) or (step and block is not cure.blocks[0]):
            kept.append(block)
    return Section(kind="cure", blocks=tuple(kept))


def _parted(findings: Sequence[Finding]) -> tuple[list[Finding], list[Finding]]:
    """What decides the verdict, and what follows from it or matters less."""
    names = {finding.name for finding in findings}
    gravest = min((finding.severity.rank for finding in findings), default=0)
    leading = [
        finding
        for finding in findings
        if finding.severity.rank == gravest < Severity.INFO.rank and finding.caused_by not in names
    ]
    return leading, [finding for finding in findings if finding not in leading]


def _finding(
    finding: Finding, report: Report, shells: Shells, *, typed: bool, brief: bool
) -> Section:
    blocks: list[Block] = []
    if brief and finding.caused_by:
        blocks = [Paragraph(f"This follows from {finding.caused_by}.")]
    elif not (brief and finding.severity is Severity.INFO):
        blocks = list(_told(finding, report, shells, typed=typed))
    return Section(
        kind="finding",
        title=finding.title,
        mark=_MARKS[finding.severity],
        finding=finding,
        blocks=tuple(blocks),
    )


def _told(finding: Finding, report: Report, shells: Shells, *, typed: bool) -> Iterator[Block]:
    if finding.detail:
        yield Paragraph(finding.detail)
    if finding.caused_by:
        yield Paragraph(f"This follows from {finding.caused_by}.")
    for item in finding.evidence:
        source = f"  [{item.source}]" if item.source else ""
        yield Item("proof", f"{item.fact} = {item.value}{source}")
    for place in finding.files:
        yield Item("file", place.path if place.line is None else f"{place.path}:{place.line}")
    if not typed or finding.name == REQUIREMENT:  # a prescription answers the others as a whole
        yield from _steps(finding.remedies, shells)
    if finding.next_look:
        yield Item("look", finding.next_look)
    if finding.still_possible and report.about == "text":
        yield Item("now", finding.still_possible)
    yield Page(finding.code, links.page(finding.code))


def _cure(report: Report, shells: Shells) -> Iterator[Section]:
    prescription = report.prescription
    if prescription is None or not report.findings or prescription.status == "not-needed":
        return
    if prescription.status == "impossible":
        blocks = [Paragraph(prescription.why), *_alternatives(prescription, shells, brief=False)]
        yield Section(kind="cure", title="No way out was found", mark="bad", blocks=tuple(blocks))
        return
    said = [finding.title for finding in report.findings]
    steps = list(_steps(prescription.steps, shells, said=said))
    typed = any(isinstance(block, Command) for block in steps)
    blocks = [Paragraph(prescription.why)] if prescription.why else []
    blocks += steps
    if report.fix:
        blocks.append(Paragraph("gpudoctor can carry this out, and undo it:"))
        blocks += commands(report.fix, shells)
    title = "What to type" if typed else "What to do"
    yield Section(kind="cure", title=title, blocks=tuple(blocks))


def _others(report: Report, shells: Shells, *, brief: bool) -> Iterator[Section]:
    """Other ways and notes; what is missing for an answer; what was left out, and why."""
    blocks: list[Block] = []
    prescription = report.prescription
    looks = {finding.next_look for finding in report.findings}
    if prescription is not None and prescription.status == "resolved" and report.findings:
        blocks += _alternatives(prescription, shells, brief=brief)
        blocks += [Item("note", note) for note in prescription.notes if note not in looks]
    blocks += [Item("note", note) for note in report.notes]
    blocks += _missing(report, brief=brief)
    blocks += [
        Item("left out", f"{entry.finding.code} {entry.finding.name}: {entry.reason}")
        for entry in report.suppressed
    ]
    if not brief and prescription is not None:
        blocks += evidence(prescription)
    yield Section(kind="others", blocks=tuple(blocks))


def _missing(report: Report, *, brief: bool) -> Iterator[Item]:
    """What must be known for an answer and is not; the rules that were not judged."""
    if report.about == "text":
        return  # a text says what it says; what should be asked for stands in the notes
    if report.verdict == "unknown":
        for entry in missing_essentials(report.sheet):
            yield Item("missing", f"{entry.fact}: {entry.reason}")
        for entry in report.not_judged:
            if entry.fact == REQUIREMENT:
                yield Item("missing", f"what this project requires: {entry.reason}")
    if report.not_judged and not brief:
        rules = ", ".join(dict.fromkeys(entry.fact for entry in report.not_judged))
        yield Item("not judged", f"for want of facts: {rules}")


def _alternatives(prescription: Prescription, shells: Shells, *, brief: bool) -> Iterator[Block]:
    for other in prescription.alternatives:
        if not other.steps and other.why in prescription.why:
            continue  # it was said already, and has no command to show
        yield from _alternative(other, shells, brief=brief)


def _alternative(other: Alternative, shells: Shells, *, brief: bool) -> Iterator[Block]:
    hidden = brief and other.steps
    yield Item("or", f"{other.why} (-v shows the commands)" if hidden else other.why)
    if not hidden:
        yield from _steps(other.steps, shells)


def alternatives(prescription: Prescription, shells: Shells, *, brief: bool) -> tuple[Block, ...]:
    """The other ways out; with `brief` their commands stay out."""
    return tuple(_alternatives(prescription, shells, brief=brief))


def evidence(prescription: Prescription) -> list[Item]:
    """What the prescription rests on, each with its source and that source's date."""
    found = []
    for claim in prescription.evidence:
        source = ", ".join(part for part in (claim.source, claim.date) if part)
        found.append(Item("because", f"{claim.claim} ({source})" if source else claim.claim))
    return found


def _steps(steps: Sequence[Step], shells: Shells, said: Sequence[str] = ()) -> Iterator[Block]:
    """`said`: titles that stand further up; a step need not open with one again."""
    for step in steps:
        typed = commands(step, shells)
        text = step.text
        for title in said:
            rest = text.removeprefix(f"{title}.").strip()
            if rest or typed:
                text = rest
        if text:
            yield Paragraph(text)
        yield from typed


def steps(given: Sequence[Step], shells: Shells) -> tuple[Block, ...]:
    """Steps as sentences and commands."""
    return tuple(_steps(given, shells))


def _facts(report: Report) -> Section:
    blocks: list[Block] = [
        Item(path, f"{value}  [{source}]" if source else value)
        for path, value, source in details.fact_lines(report.sheet)
    ]
    blocks += [Item("not judged", f"{entry.fact}: {entry.reason}") for entry in report.not_judged]
    timings = ", ".join(f"{name} {value:.0f} ms" for name, value in report.timings_ms.items())
    if timings:
        blocks.append(Item("timings", timings))
    return Section(kind="facts", title="Facts", blocks=tuple(blocks))
