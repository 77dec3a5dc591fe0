"""The report on a text, which every format renders."""

from __future__ import annotations

import io
import json
from typing import BinaryIO

from gpudoctor import __version__, rules
from gpudoctor.errors import UsageError
from gpudoctor.examine import verdict as weigh
from gpudoctor.kb import info
from gpudoctor.kb.findings import catalogue
from gpudoctor.model.factfile import embedded, parse_sheet
from gpudoctor.model.finding import Finding, Severity
from gpudoctor.model.prescription import Prescription
from gpudoctor.model.privacy.redaction import redact
from gpudoctor.model.report import Knowledge, Report
from gpudoctor.model.sheet import FactSheet
from gpudoctor.model.value import replace
from gpudoctor.prescribe import Options, missing_fact, prescribe
from gpudoctor.triage.conditional import by_case
from gpudoctor.triage.judge import TextDiagnosis, diagnose
from gpudoctor.triage.readers.errors.traceback import last_error
from gpudoctor.triage.text import stream
from gpudoctor.triage.text.clean import clean, decode
from gpudoctor.triage.text.cleaned_text import Text, fold
from gpudoctor.triage.text.private import scrub, scrub_finding, scrub_prescription


def of_stream(source: BinaryIO, *, keep_private: bool = False) -> Report:
    """The report on what a stream holds, to its end; memory stays bounded."""
    return of_text(stream.read(source), keep_private=keep_private)


def of_string(
    text: str | bytes, *, keep_private: bool = False, machine: FactSheet | None = None
) -> Report:
    """The report on a text that is at hand; `machine`: the one it comes from, if that is known."""
    plain = decode(text) if isinstance(text, bytes) else text
    if len(plain) > stream.WHOLE:
        return of_stream(io.BytesIO(plain.encode("utf-8", "replace")), keep_private=keep_private)
    return of_text(fold(clean(plain)), keep_private=keep_private, machine=machine)


def of_text(text: Text, *, keep_private: bool = False, machine: FactSheet | None = None) -> Report:
    """The report on a folded text; private details stay out unless they are to be kept.

    The text alone is judged; the cure is that of the machine it comes from, where that is known.
    """
    saved = None if machine is not None else _saved(text)
    if saved is not None:
        return saved if keep_private else redacted(saved)
    found = diagnose(text)
    sheet, findings = found.sheet, found.findings
    patient = sheet if machine is None else machine
    prescription = _prescription(sheet, findings) if machine is None else _cure(machine, findings)
    if not keep_private:
        sheet = redact(sheet)
        findings = tuple(scrub_finding(item) for item in findings)
        prescription = scrub_prescription(prescription)
    return Report(
        version=__version__,
        knowledge=Knowledge(version=info.version(), date=info.date()),
        verdict=weigh.verdict(findings, weigh.missing_essentials(sheet)),
        exit_code=0,
        sheet=sheet,
        findings=findings,
        not_judged=found.not_judged,
        prescription=prescription,
        notes=_notes(text, found, prescription, patient),
        about="text",
    )


def _saved(text: Text) -> Report | None:
    """The report on a fact sheet or report in JSON inside the text, as `check --facts` gives it."""
    inner = None if text.cut else embedded(text.plain)
    if inner is None:
        return None

    from gpudoctor.examine import visit
    from gpudoctor.examine.complete import complete
    from gpudoctor.examine.options import VisitOptions

    try:
        sheet = parse_sheet(json.dumps(inner), "the fact sheet in the text")
    except UsageError:
        return None  # of another schema, or damaged: the words around it may still say something
    made = visit.judge(complete(sheet), VisitOptions(), saved=True)
    return replace(made, exit_code=0, about="text", notes=(_OWN_SHEET, *made.notes))


def redacted(report: Report) -> Report:
    """The report without private details."""
    return replace(
        report,
        sheet=redact(report.sheet),
        findings=tuple(scrub_finding(item) for item in report.findings),
        prescription=scrub_prescription(report.prescription),
    )


def _prescription(sheet: FactSheet, findings: tuple[Finding, ...]) -> Prescription | None:
    """What to type, where the facts decide it; `None` where they do not.

    Only what is found in the facts can be cured by the solver; the cure of a message stands in
    its finding's advice.
    """
    if not findings:
        return Prescription(status="not-needed", why="Nothing in the text needs to be changed.")
    if findings[0].severity is Severity.INFO:
        return None

    if missing_fact(sheet) is not None:
        return by_case(sheet, findings[:1]) if _asks_for_a_build(findings[0]) else None
    return prescribe(sheet, findings[:1], Options())


def _cure(machine: FactSheet, findings: tuple[Finding, ...]) -> Prescription | None:
    """What to type on the machine that the text comes from, where a build may be the cure.

    What is wrong with the machine itself decides, if anything is: without a GPU no build helps.
    """
    if not findings or not _asks_for_a_build(findings[0]):
        return _prescription(FactSheet(), findings)

    if missing_fact(machine) is not None:
        return None
    own = tuple(item for item in rules.judge(machine).findings if item.severity is Severity.ERROR)
    return prescribe(machine, own or findings[:1], Options())


_OWN_SHEET = "The text holds a fact sheet of gpudoctor, which was judged as `check --facts` does."
_QUESTIONS = {
    "host.os": "which operating system it is",
    "gpus": "which GPU it is (the output of nvidia-smi -L)",
    "driver.version": "the driver's version (the first lines of nvidia-smi)",
}


def _notes(
    text: Text, found: TextDiagnosis, prescription: Prescription | None, patient: FactSheet
) -> tuple[str, ...]:
    notes = []
    if found.nature == "source":
        notes.append("The text is source code: the messages in it happened to nobody.")
    elif found.nature == "documentation":
        notes.append("The text is documentation: the messages in it happened to nobody.")
    elif not found.findings:
        notes.append(_nothing(found))
        if error := last_error(text):
            notes.append(
                f"An error stands in the text, and the GPU stack does not make it: {scrub(error)}"
            )
    elif not found.certain and len(found.findings) > 1:
        notes.append(
            "The text alone does not decide between these causes; they stand in the order of "
            "likelihood, each with the look that tells it from the others."
        )
    if text.cut:
        notes.append(
            "The text is long: its beginning, its end and the surroundings of known messages were "
            "judged."
        )
    if found.findings and _asks_for_a_build(found.findings[0]):
        jetson = patient.facts.host is not None and patient.facts.host.jetson
        if (path := missing_fact(patient)) and not (jetson and prescription):
            asked = [_QUESTIONS.get(path) or f"{path}, which nvidia-smi prints"]
            if prescription and path == "host.os" and patient.why_unknown("driver.version"):
                asked.append(_QUESTIONS["driver.version"])
            facts = ", and ".join(asked)
            notes.append(
                f"What to type depends on what is missing: {facts}."
                if prescription
                else f"For an exact prescription one fact is missing: {facts}."
            )
    return tuple(notes)


def _asks_for_a_build(finding: Finding) -> bool:
    """Whether another build of torch may be the cure, for which the machine must be known."""
    if finding.severity is Severity.INFO:
        return False
    entry = catalogue.find(finding.code)
    return entry is not None and entry.build_may_cure


def _nothing(found: TextDiagnosis) -> str:
    if weigh.missing_essentials(found.sheet):
        return "Nothing in the text is a known fault, and it does not say enough to call it sound."
    return "Nothing in the text is wrong."
