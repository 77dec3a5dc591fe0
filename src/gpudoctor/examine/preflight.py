"""The report on what install files bring to a machine, without installing anything."""

from __future__ import annotations

from collections.abc import Sequence

from gpudoctor.examine.options import VisitOptions
from gpudoctor.examine.visit import conclude
from gpudoctor.manifests import Judged, judge
from gpudoctor.manifests.conflict_ways import out_of_conflict
from gpudoctor.manifests.file_edit import in_file
from gpudoctor.manifests.formats import sources
from gpudoctor.manifests.source_files import SourceFile
from gpudoctor.model.finding import Severity
from gpudoctor.model.prescription import Alternative, Prescription
from gpudoctor.model.report import Report
from gpudoctor.model.sheet import FactSheet
from gpudoctor.model.terms.shell import sentence_step
from gpudoctor.model.value import replace
from gpudoctor.prescribe import Options, prescribe

_WITH_STEPS = ("conda", "pixi")
"""Tools whose own steps of a prescription are the cure of their files too."""


def preflight(
    sheet: FactSheet,
    paths: Sequence[str | SourceFile],
    options: Options,
    *,
    tool: str | None = None,
    extras: Sequence[str] = (),
    groups: Sequence[str] = (),
    visit: VisitOptions | None = None,
) -> Report:
    """Judge what files install on the machine of a sheet.

    Raises:
        UsageError: a file cannot be read, or is not of its format.
    """
    judged = judge(sheet, paths, tool=tool, extras=extras, groups=groups)
    owner = judged.installation.document.tool
    if options.tool == "auto" and owner in _WITH_STEPS:
        options = replace(options, tool=owner)
    prescription = None
    if judged.installation.outcome.reason == "managed":
        # Only Dockerfiles come here, whose reader is loaded for them alone.
        from gpudoctor.manifests.containers.install_line import LIFTED

        found = [replace(item, text=f"{item.text}\n{LIFTED}\n") for item in sources(tuple(paths))]
        after = judge(sheet, found, tool=tool, extras=extras, groups=groups)
        prescription = _in_an_environment(judged, after, options)
    elif _troubled(judged):
        way = out_of_conflict(judged, sheet) if options.torch_spec is None else None
        prescription = way or _prescription(judged, options)
    report = conclude(
        judged.sheet,
        judged.findings,
        visit or VisitOptions(),
        not_judged=judged.not_judged,
        prescription=prescription,
    )
    return replace(report, notes=(*judged.notes, *report.notes))


def _in_an_environment(judged: Judged, after: Judged, options: Options) -> Prescription:
    """An environment in the image, and what is left to do once the image can be built."""
    at = judged.installation.outcome.files[0]
    text = f"In {at.path}, before line {at.line}:\n\nRUN python3 -m venv /opt/venv\n"
    step = sentence_step("manual", f'{text}ENV PATH="/opt/venv/bin:$PATH"')
    torch = after.installation.outcome.choice("torch")
    rest = None
    if _troubled(after) and after.installation.outcome.reason != "managed":
        rest = _prescription(after, options)
    if rest is not None and rest.status != "not-needed":
        return replace(rest, steps=(step, *rest.steps))
    why = "A virtual environment in the image takes what its distribution's Python refuses."
    if torch is not None and rest is None and not _troubled(after):
        why += f" torch {torch.release} then runs on these GPUs."
    return Prescription(
        status="resolved",
        why=why,
        torch=torch.release if torch else None,
        variant=torch.variant if torch else None,
        steps=(step,),
    )


def _troubled(judged: Judged) -> bool:
    return any(found.severity is not Severity.INFO for found in judged.findings)


def _prescription(judged: Judged, options: Options) -> Prescription:
    """The cure as an edit of the file; never against a pin that the file states."""
    row = judged.installation
    pin = judged.pin if options.torch_spec is None else None
    if pin is None:
        found = prescribe(judged.sheet, judged.findings, options)
        return in_file(found, row.document, row.outcome)
    specifier, at = pin
    held = prescribe(judged.sheet, judged.findings, replace(options, torch_spec=specifier))
    if held.status != "impossible":
        return in_file(held, row.document, row.outcome)
    where = f"{at.path}, line {at.line}," if at.line else at.path
    free = prescribe(judged.sheet, judged.findings, options)
    why = f"{where} pins torch{specifier}, and no build of it runs on these GPUs."
    if free.status != "resolved":
        return replace(held, why=why)
    free = in_file(free, row.document, row.outcome)
    nearest = f"torch {free.torch}+{free.variant}" if free.torch else free.why
    way = Alternative(
        why=f"Without that pin: {free.why}",
        steps=free.steps,
        torch=free.torch,
        variant=free.variant,
        index_url=free.index_url,
        packages=free.packages,
    )
    return replace(
        held, why=f"{why} The nearest way out is {nearest}.", alternatives=(way,), steps=()
    )
