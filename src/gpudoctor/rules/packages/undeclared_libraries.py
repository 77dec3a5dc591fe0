"""Libraries that torch is linked to without requiring a package that brings them."""

from __future__ import annotations

from collections.abc import Iterator

from gpudoctor.kb.software import packages
from gpudoctor.model.fact import Unknown
from gpudoctor.model.finding import Evidence, Finding
from gpudoctor.model.step import Step
from gpudoctor.model.terms.shell import command_step, sentence_step
from gpudoctor.rules.engine.all_rules import rule
from gpudoctor.rules.engine.case import Case
from gpudoctor.rules.engine.wording import finding, several

_SHOWN = 3


@rule(
    "undeclared-library-missing",
    needs=("torch.version", "missing_libraries"),
    uses=("torch.requires",),
    unless=("cuda-wheel-library-missing",),
)
def undeclared_library_missing(case: Case) -> Iterator[Finding | Unknown]:
    """torch's own libraries name a library that the loader finds nowhere on this system."""
    torch, missing = case.facts.torch, case.facts.missing_libraries
    if torch is None or not missing or case.host.os != "linux":
        return
    shown = [item.name for item in missing[:_SHOWN]]
    more = ["more"] if len(missing) > _SHOWN else []
    one = len(missing) == 1
    yield finding(
        "undeclared-library-missing",
        f"{case.torch_name} is linked to {several([*shown, *more])}, which "
        f"{'is' if one else 'are'} nowhere on this system",
        "The loader looks in torch's own folder, in those that its libraries name, on "
        "LD_LIBRARY_PATH and in the system's folders. `import torch` fails with `cannot open "
        "shared object file`.",
        evidence=[
            Evidence(
                fact="missing_libraries",
                value=f"{item.name}, needed by {item.needed_by or 'torch'}",
                source=case.sheet.source("missing_libraries"),
            )
            for item in missing[:_SHOWN]
        ],
        clears_with=("manual",),
        remedies=_remedies(case, [item.name for item in missing]),
    )


def _remedies(case: Case, names: list[str]) -> tuple[Step, ...]:
    """The packages that bring the libraries, where that is known, and where they must be found."""
    cuda = case.facts.torch.cuda if case.facts.torch else None
    wheels = packages.wheels_bringing(names, (cuda or "").partition(".")[0])
    if not wheels:
        return (
            sentence_step(
                "manual",
                "Install what brings them with the system's packages, or a torch from an index "
                "that is made for this system.",
            ),
        )
    return (
        command_step(
            "install",
            "Install the packages that bring them.",
            (*case.pip, "install", *wheels),
            executable=False,
        ),
        sentence_step(
            "environment",
            "If the loader still does not find them: put the `lib` folders of these packages "
            "(below site-packages) on LD_LIBRARY_PATH.",
        ),
    )
