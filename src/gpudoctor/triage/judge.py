"""From a text to findings: facts and rules on one side, messages on the other, in one order."""

from __future__ import annotations

from collections.abc import Sequence

from gpudoctor import rules
from gpudoctor.kb.findings import catalogue
from gpudoctor.kb.findings.follow_ups import follow_up
from gpudoctor.model.fact import Unknown
from gpudoctor.model.finding import Evidence, Finding, Severity
from gpudoctor.model.sheet import FactSheet
from gpudoctor.model.terms.shell import sentence_step
from gpudoctor.model.value import dataclass, replace
from gpudoctor.triage.merge import complete, meant, read_facts, sheet_of
from gpudoctor.triage.readers import own_report
from gpudoctor.triage.readers.draft import Draft
from gpudoctor.triage.readers.errors.traceback import own_frame
from gpudoctor.triage.readers.own_report import OwnReport
from gpudoctor.triage.signatures.follow_up import is_asynchronous, next_look, still_possible
from gpudoctor.triage.signatures.marks import Marks
from gpudoctor.triage.signatures.match import families, hits, named_errors
from gpudoctor.triage.signatures.rank import CERTAIN, RankedCause, rank
from gpudoctor.triage.text.cleaned_text import Text, fold
from gpudoctor.triage.text.nature import Nature, nature

# Programs and packages whose own names are written small.
_WRITTEN_SMALL = (
    *("bitsandbytes", "conda", "libcusparse", "nouveau", "nvcc", "nvidia-smi", "pip", "systemd"),
    *("torch", "torchvision", "uv", "xformers"),
)


_OWN = "gpudoctor's report in the text"


@dataclass(frozen=True, slots=True, kw_only=True)
class TextDiagnosis:
    """What a text states and what it shows."""

    sheet: FactSheet
    findings: tuple[Finding, ...] = ()
    """Most likely first."""
    not_judged: tuple[Unknown, ...] = ()
    nature: Nature = "output"
    certain: bool = False
    """Whether the first finding is certain, rather than the likeliest of several."""


def diagnose(text: Text) -> TextDiagnosis:
    """Read the facts, find the messages, judge both."""
    if (written := own_report.read_for_machines(text)) is not None:
        return _own(written)
    kind = nature(text)
    if kind == "output" and (own := own_report.read(text)):
        return _own(own)
    if kind != "output":
        return TextDiagnosis(sheet=FactSheet(), nature=kind)
    sheet = read_facts(text)
    judgement = rules.judge(sheet)
    marks = Marks(text, meant(text, sheet))
    # Facts of a text that speaks of neither torch nor a GPU are about something else.
    about = any(
        marks.holds(name)
        for name in ("torch-named", "nvidia-sign", "gpu-named", "amd", "intel-gpu")
    )
    # A GPU of another vendor in a sentence is no complaint about the torch beside it.
    other = any(gpu.vendor != "nvidia" for gpu in sheet.facts.gpus)
    judged = judgement.findings if about and (not other or marks.holds("failure-sign")) else ()
    found = hits(text, marks)
    # What messages leave open the number or name of an error may still say.
    candidates = rank(found, judged, marks) or rank((*found, *named_errors(text)), judged, marks)
    if not candidates:
        candidates = rank(families(text, marks), (), marks)
    findings = tuple(_finding(candidate, candidates, text, marks) for candidate in candidates)
    return TextDiagnosis(
        sheet=sheet,
        findings=findings,
        not_judged=judgement.not_judged,
        certain=bool(candidates) and candidates[0].score >= CERTAIN,
    )


def _own(own: OwnReport) -> TextDiagnosis:
    """What one of our own reports in a text says: its facts judged anew, its findings kept."""
    merged: Draft = own.facts
    sources = dict.fromkeys(merged, "gpudoctor's report in the text")
    complete(merged, sources)
    sheet = sheet_of(merged, sources)
    judgement = rules.judge(sheet)
    rest = fold("\n".join(own.rest))
    around = diagnose(rest) if rest.flat.strip() else None
    judged = {item.name: item for item in judgement.findings}
    said = tuple(judged.get(name) or _of_catalogue(name) for name in own.findings)
    known = {item.name for item in said}
    more = tuple(item for item in around.findings if item.name not in known) if around else ()
    return TextDiagnosis(
        sheet=sheet, findings=said + more, not_judged=judgement.not_judged, certain=bool(said)
    )


def _of_catalogue(name: str) -> Finding:
    """A finding that the report names and that its table alone does not show."""
    entry = catalogue.entry(name)
    return Finding(
        code=entry.code,
        name=entry.name,
        severity=Severity(entry.severity),
        title=follow_up(name).title or _title(entry.meaning),
        evidence=(
            Evidence(fact="text", value=entry.code, source="gpudoctor's report in the text"),
        ),
        still_possible=entry.still_possible,
        remedies=catalogue.cures(entry.name),
    )


def _finding(
    candidate: RankedCause, all_: Sequence[RankedCause], text: Text, marks: Marks
) -> Finding:
    entry = catalogue.entry(candidate.name)
    rivals = [other.name for other in all_ if abs(other.score - candidate.score) <= 40]
    quoted = tuple(
        Evidence(fact="text", value=hit.quote, source=hit.signature.made_by)
        for hit in candidate.hits[:3]
        if hit.quote
    )
    frame = _frame(candidate, text, marks)
    look = next_look(candidate.name, rivals)
    if made := candidate.finding:
        return replace(made, evidence=(*made.evidence, *quoted), next_look=made.next_look or look)
    says = candidate.hits[0].signature.says if candidate.hits else ""
    detail = f"{_opened(says)}." if says else ""
    follows = follow_up(candidate.name)
    if follows.program:
        detail += " This is a fault of the program: no driver and no other build of torch cures it."
    found_by = (sentence_step("manual", follows.find),) if follows.find else ()
    return Finding(
        code=entry.code,
        name=entry.name,
        severity=Severity(entry.severity),
        title=follows.title or _title(entry.meaning),
        detail=detail.strip(),
        evidence=(*quoted, *frame),
        clears_with=("install",) if entry.build_may_cure else (),
        next_look=look,
        still_possible=still_possible(candidate.name, entry.still_possible, marks),
        remedies=(*found_by, *catalogue.cures(entry.name)),
    )


def _opened(sentence: str) -> str:
    """With a capital, unless it opens with a name that has none: cuDNN, pip, bitsandbytes."""
    first = sentence.split(" ", 1)[0].removesuffix("'s")
    named = not first.islower() or first in _WRITTEN_SMALL
    return sentence if named else f"{sentence[:1].upper()}{sentence[1:]}"


def _title(meaning: str) -> str:
    """The catalogue's meaning as a title: its first sentence, without a full stop."""
    return meaning.split(". ")[0].rstrip(".")


def _frame(candidate: RankedCause, text: Text, marks: Marks) -> tuple[Evidence, ...]:
    """Where the program itself was, for faults that lie in it."""
    asynchronous = is_asynchronous(candidate.name, marks)
    if not follow_up(candidate.name).program and not asynchronous:
        return ()
    frame = own_frame(text)
    if frame is None:
        return ()
    where = f"{frame.file}, line {frame.line}"
    note = (
        "the traceback; the error is asynchronous, so that an earlier line may be at fault"
        if asynchronous and "CUDA_LAUNCH_BLOCKING=1" not in text.flat[:200]
        else "the traceback"
    )
    value = f"{where}: {frame.code}" if frame.code else where
    return (Evidence(fact="traceback", value=value, source=note),)
