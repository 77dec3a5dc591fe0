"""From facts and findings to one prescription, proved by the rules before it is shown."""

from __future__ import annotations

from gpudoctor.kb.findings import catalogue
from gpudoctor.model.finding import Finding, Severity
from gpudoctor.model.prescription import Alternative, Prescription, Step
from gpudoctor.model.sheet import FactSheet
from gpudoctor.prescribe.answers.elsewhere import gpus_elsewhere
from gpudoctor.prescribe.answers.proof import curable_elsewhere, errors_of, proved
from gpudoctor.prescribe.answers.remedies import (
    MASKED,
    first_driver,
    remedies,
    unmasked,
)
from gpudoctor.prescribe.answers.warnings_only import beside, helpless, without
from gpudoctor.prescribe.build import prediction as predict
from gpudoctor.prescribe.build.candidates import satisfies
from gpudoctor.prescribe.options.question import Question, Way
from gpudoctor.prescribe.options.shadowing import shadow_of
from gpudoctor.prescribe.options.ways import untried_nightly
from gpudoctor.prescribe.request.request import Options, specifier_of
from gpudoctor.prescribe.request.target import capability, served


def missing_fact(sheet: FactSheet) -> str | None:
    """The path of the first fact without which no build can be chosen; `None`: all are there.

    Needed are the system, the GPUs with the compute capability of each visible NVIDIA one, and
    the driver's version. Processor and Python may be unknown; what is chosen then exists for the
    usual ones, and says so.
    """
    facts = sheet.facts
    if facts.host is None or facts.host.os is None or sheet.why_unknown("host.os"):
        return "host.os"
    if sheet.why_unknown("gpus") and not facts.gpus:
        return "gpus"
    for position, gpu in served(sheet):
        path = f"gpus[{position}].compute_capability"
        if gpu.vendor == "nvidia" and (capability(gpu) is None):
            return path
        if gpu.vendor == "amd" and not gpu.gfx:
            return f"gpus[{position}].gfx"
    if any(gpu.vendor == "nvidia" for _, gpu in served(sheet)) and facts.host.os != "macos":
        known_cuda = facts.driver is not None and facts.driver.cuda
        if sheet.why_unknown("driver.version") and not known_cuda:
            return "driver.version"
    return None


def prescribe(
    sheet: FactSheet, findings: tuple[Finding, ...], options: Options | None = None
) -> Prescription:
    """The answer to the findings as a whole.

    Every way out is first tried on the facts that it would lead to, by the same rules that
    made the findings; what would still be broken is not prescribed.
    """
    options = options or Options()
    errors = tuple(f for f in findings if f.severity is Severity.ERROR)
    asked = _asked(sheet, options)
    if not errors and not asked:
        return beside(sheet, findings, options)
    names = frozenset(finding.name for finding in errors)
    tolerated = curable_elsewhere(errors)
    start, before = _start(sheet, errors)
    rest = tuple(f for f in errors if f.name in tolerated and f.name not in MASKED)
    first = (*before, *remedies(rest, sheet, names))
    if not asked and (elsewhere := gpus_elsewhere(sheet, errors, first)) is not None:
        return elsewhere
    question = Question(start, findings, options, names)
    needed = names - tolerated or (start is not sheet and errors_of(start) - tolerated)
    if not needed and not asked and not question.bad_nightly:
        if not first:
            return helpless(sheet, errors)
        return Prescription(
            status="resolved",
            why=_torch_stays(errors),
            steps=first,
            notes=_leftover_notes(findings),
        )
    shadow = shadow_of(start)
    lifted = shadow.lifted(start) if shadow is not None and not asked else None
    if shadow is not None and lifted is not None and not errors_of(lifted) - tolerated:
        version = lifted.facts.torch.version if lifted.facts.torch else ""
        return Prescription(
            status="resolved",
            why=f"torch {version} is installed and serves these GPUs; another torch comes before "
            "it.",
            steps=(*first, shadow.step),
            notes=_leftover_notes(findings),
        )
    if path := _unanswerable(start):
        return without(start, path, first)
    found = proved(question, tolerated)
    if not found:
        from gpudoctor.prescribe.answers.impossible import impossible

        return impossible(question, first)
    main, others = found[0], found[1:]
    if main.kind == "driver":
        # The new driver and its restart take the place of what the rules advise about the old.
        rest = tuple(f for f in rest if not {"driver", "reboot"} & set(f.clears_with))
        first = (*before, *remedies(rest, sheet, names))
    if shadow is not None and main.packages:
        first = (*first, shadow.step)
    return Prescription(
        status="resolved",
        why=main.why,
        torch=main.build.torch if main.build else None,
        variant=main.build.variant if main.build else None,
        index_url=main.index_url,
        packages=main.packages,
        steps=first + main.steps,
        alternatives=tuple(_alternative(way) for way in (*others, *untried_nightly(question))),
        evidence=main.claims,
        notes=main.notes + _assumptions(question, main),
        download_bytes=main.build.download_bytes if main.build else None,
    )


def _torch_stays(errors: tuple[Finding, ...]) -> str:
    inside = any(catalogue.area(finding.code) in ("environment", "libraries") for finding in errors)
    where = "beside torch" if inside else "outside of the Python environment"
    return f"The cause lies {where}; torch stays as it is."


def _start(sheet: FactSheet, errors: tuple[Finding, ...]) -> tuple[FactSheet, tuple[Step, ...]]:
    """The sheet that ways begin from: GPUs unmasked and a driver there, with the steps to it."""
    steps: tuple[Step, ...] = ()
    masked = tuple(f for f in errors if f.name in MASKED)
    if masked:
        steps += remedies(masked, sheet)
        sheet = unmasked(sheet)
    if any(f.name == "driver-not-loaded" for f in errors) and sheet.facts.driver is None:
        plan = first_driver(sheet)
        if plan is not None:
            sheet = predict.with_driver(sheet, plan)
    return sheet, steps


def _asked(sheet: FactSheet, options: Options) -> bool:
    """Whether the options ask for a torch that is not the installed one."""
    torch = sheet.facts.torch
    if options.from_source or options.choose:
        return True
    version = torch.version if torch else None
    if options.channel == "nightly" and "dev" not in (version or ""):
        return True
    if options.torch_spec is None:
        return False
    if version is None:
        return True
    bare, _, label = version.partition("+")
    return not satisfies(bare, label or None, specifier_of(options.torch_spec))


def _unanswerable(sheet: FactSheet) -> str | None:
    """What is missing for choosing a build; a driver that is being repaired is not."""
    path = missing_fact(sheet)
    return None if path == "driver.version" else path


def _leftover_notes(findings: tuple[Finding, ...]) -> tuple[str, ...]:
    return tuple(f.next_look for f in findings[:1] if f.next_look)


def _assumptions(question: Question, main: Way) -> tuple[str, ...]:
    """What was taken for given because it is not known."""
    notes = []
    host, target = question.host, question.target
    if host.arch is None and target.platform is not None:
        notes.append(f"The processor is not known; wheels for {target.platform} are meant.")
    if question.beyond_tables and main.packages:
        notes.append(
            f"{question.gpu_names} is of a generation that no table has: nobody is known to have "
            "run this build on it. Where it fails, a nightly for the newest CUDA is the other way "
            "(`gpudoctor fix --channel nightly --dry-run`)."
        )
    if target.python is None and question.kind != "cpu" and main.packages:
        notes.append("The Python version is not known, so this wheel may not exist for it.")
    return tuple(notes)


def _alternative(way: Way) -> Alternative:
    return Alternative(
        why=way.why,
        steps=way.steps,
        torch=way.build.torch if way.build else None,
        variant=way.build.variant if way.build else None,
        index_url=way.index_url,
        packages=way.packages,
        risk=way.risk,
    )
