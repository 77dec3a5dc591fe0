"""Which ways out hold: each is judged by the rules on the facts that it leads to."""

from __future__ import annotations

from functools import cache

from gpudoctor.model.finding import Finding, Severity
from gpudoctor.model.value import replace
from gpudoctor.prescribe.answers.errors_to_cure import curable_elsewhere, errors_about_visible
from gpudoctor.prescribe.answers.remedies import remedies
from gpudoctor.prescribe.build.prediction import is_newer
from gpudoctor.prescribe.options.question import Option, Question, Way
from gpudoctor.prescribe.options.ways import ways
from gpudoctor.rules import findings_of

_MAX_ALTERNATIVES = 3
_ALTERNATIVE_KINDS = ("wheel", "driver", "mask", "nightly")
_LAST = ("vendor", "python", "source", "nightly")
"""Ways that are the last resort: with one of them, no other is looked for."""


def proved(question: Question, tolerated: frozenset[str]) -> list[Way]:
    """The ways that lead to a machine without errors: the first, and what else is worth it.

    `tolerated`: names of errors that other steps cure.
    """
    found: list[Way] = []

    @cache
    def also() -> frozenset[str]:
        # What the given findings leave out (a policy accepts that there is no GPU).
        return curable_elsewhere(findings_of(question.sheet, Severity.ERROR))

    for option in ways(question, found):
        if found and not _worth_it(option, found, question):
            continue
        if len(found) > _MAX_ALTERNATIVES:
            break
        way = option.make()
        left = [f for f in errors_about_visible(way.sheet) if f.name not in tolerated]
        if left and (wrong := [f for f in left if f.name not in also()]):
            freed = _without_variables(way, wrong)
            if freed is None:
                continue
            way = freed
        found.append(way)
        if way.kind in _LAST:
            break
    return found


def _without_variables(way: Way, wrong: list[Finding]) -> Way | None:
    """The way with the variables taken away that alone would break it; `None`: more is wrong.

    CUDA_FORCE_PTX_JIT breaks nearly every build, and none at all as long as no torch is there.
    """
    if not all(f.remedies and set(f.clears_with) == {"environment"} for f in wrong):
        return None
    return replace(way, steps=(*remedies(wrong, way.sheet), *way.steps))


def _worth_it(way: Option, found: list[Way], question: Question) -> bool:
    """Whether an alternative gives what the ways before it do not."""
    main = found[0]
    if {main.kind, way.kind} & {"repair", "demanded"}:
        return {main.kind, way.kind} == {"repair", "demanded"} and len(found) == 1
    if _is_official(way) and not any(map(_is_official, found)) and main.kind == "wheel":
        return True
    if way.kind not in _ALTERNATIVE_KINDS or any(way.kind == other.kind for other in found):
        return False
    if way.kind == "mask":
        # Without a download, where the first way is one.
        spares = way.build is None and main.kind == "wheel"
        return spares or "mixed-gpus-no-common-wheel" in question.names or _is_newer(way, main)
    if question.bad_nightly:
        return way.kind == "nightly"
    if way.kind == "driver":
        return "driver-too-old" in question.names or _is_newer(way, main)
    return way.kind == "wheel" and main.kind != "mask"


def _is_official(way: Way | Option) -> bool:
    """Whether it is a wheel of the official matrix for the present driver."""
    return way.kind == "wheel" and way.build is not None and not way.build.off_matrix


def _is_newer(way: Option, main: Way) -> bool:
    if way.build is None or main.build is None:
        return False
    return is_newer(way.build.torch, main.build.torch)
