"""The solver's answer: the first way out that holds, and what else is worth it."""

from __future__ import annotations

from gpudoctor.model.finding import Finding
from gpudoctor.model.prescription import Alternative, Prescription, Step
from gpudoctor.model.sheet import FactSheet
from gpudoctor.model.terms.sentence import said
from gpudoctor.prescribe.answers.errors_to_cure import errors_of
from gpudoctor.prescribe.answers.helpless import without
from gpudoctor.prescribe.answers.missing import missing_fact
from gpudoctor.prescribe.answers.proof import proved
from gpudoctor.prescribe.answers.remedies import leftover_notes, remedies
from gpudoctor.prescribe.options.question import Question, Way
from gpudoctor.prescribe.options.shadowing import shadow_of
from gpudoctor.prescribe.options.ways import untried_nightly

_ANSWERED_BY_A_BUILD = ("platform-dropped-intel-mac", "python-unsupported")


def cure(
    question: Question,
    tolerated: frozenset[str],
    sheet: FactSheet,
    cured: tuple[tuple[Step, ...], tuple[Finding, ...]],
    *,
    asked: bool,
) -> Prescription:
    """The answer where a build is to be chosen, or torch to be put right.

    Args:
        question: about the machine that ways begin from.
        tolerated: names of errors that a way need not cure.
        sheet: the machine as it was found.
        cured: the steps that lead to where ways begin, and the findings that remedies cure.
        asked: whether another torch than the installed one is asked for.
    """
    start = question.sheet
    before, rest = cured
    first = (*before, *remedies(rest, sheet, question.names))
    shadow = shadow_of(start)
    lifted = shadow.lifted(start) if shadow is not None and not asked else None
    if shadow is not None and lifted is not None and not errors_of(lifted) - tolerated:
        version = lifted.facts.torch.version if lifted.facts.torch else ""
        return Prescription(
            status="resolved",
            why=said(
                "shadowed",
                f"torch {version} is installed and serves these GPUs; another torch comes before "
                "it.",
                torch=version,
            ),
            steps=(*first, shadow.step),
            notes=leftover_notes(question.findings, first),
        )
    if path := _unanswerable(start):
        return without(start, path, first)
    found = proved(question, tolerated)
    if not found:
        from gpudoctor.prescribe.answers.impossible import impossible  # rare

        return impossible(question, first)
    main, others = found[0], found[1:]
    if main.kind == "driver":
        # The new driver and its restart take the place of what the rules advise about the old.
        rest = tuple(f for f in rest if not {"driver", "reboot"} & set(f.clears_with))
        first = (*before, *remedies(rest, sheet, question.names))
    if main.packages and question.target.platform == "macos_x86_64":
        # The way installs the same release, with a Python that has it.
        rest = tuple(f for f in rest if f.name not in _ANSWERED_BY_A_BUILD)
        first = (*before, *remedies(rest, sheet, question.names))
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
        alternatives=tuple(alternative(way) for way in (*others, *untried_nightly(question))),
        evidence=main.claims,
        notes=main.notes + _assumptions(question, main),
        download_bytes=main.build.download_bytes if main.build else None,
    )


def _unanswerable(sheet: FactSheet) -> str | None:
    """What is missing for choosing a build; a driver that is being repaired is not."""
    path = missing_fact(sheet)
    return None if path == "driver.version" else path


def _assumptions(question: Question, main: Way) -> tuple[str, ...]:
    """What was taken for given because it is not known."""
    notes = []
    host, target = question.host, question.target
    if host.arch is None and target.platform is not None:
        text = f"The processor is not known; wheels for {target.platform} are meant."
        notes.append(said("processor-unknown", text))
    if question.beyond_tables and main.packages:
        notes.append(
            said(
                "unproved-gpu",
                f"{question.gpu_names} is of a generation that no table has: nobody is known to "
                "have run this build on it. Where it fails, a nightly for the newest CUDA is the "
                "other way (`gpudoctor fix --channel nightly --dry-run`).",
            )
        )
    if target.python is None and question.kind != "cpu" and main.packages:
        text = "The Python version is not known, so this wheel may not exist for it."
        notes.append(said("python-unknown", text))
    return tuple(notes)


def alternative(way: Way) -> Alternative:
    """A way beside the first one."""
    return Alternative(
        why=way.why,
        steps=way.steps,
        torch=way.build.torch if way.build else None,
        variant=way.build.variant if way.build else None,
        index_url=way.index_url,
        packages=way.packages,
        risk=way.risk,
    )
