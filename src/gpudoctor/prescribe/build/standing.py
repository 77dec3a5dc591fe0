"""How a chosen build stands among the others: which sentence about "the newest" is true of it."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

from gpudoctor.binaries.judgement.published import Gap, gaps
from gpudoctor.compat.architecture import Architecture, ComputeCapability, runs_natively
from gpudoctor.kb.software import torch_releases
from gpudoctor.kb.software.torch_releases import Build
from gpudoctor.model.terms.sentence import said
from gpudoctor.model.terms.version import numbers
from gpudoctor.model.value import dataclass, replace
from gpudoctor.prescribe.build.candidates import driver_serves
from gpudoctor.prescribe.build.feasible import feasible
from gpudoctor.prescribe.request.target import Target

Kind = Literal["newest", "complete", "official", "for-python", "confirmed", "none"]
"""`newest`: no newer release runs there; `complete`: newer ones run, and lack a library's code for
a GPU; `official`: newer ones run, outside of the official matrix alone; `for-python`: newer ones
have no wheel for this Python; `confirmed`: of a newer one nobody has seen the file; `none`: a newer
one runs, and something else decided."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The condition of a sentence about the newest release, with what the sentence names."""

    kind: Kind
    gap: Gap | None = None
    """With `complete`: what the newer releases lack."""
    unconfirmed: Build | None = None
    """With `confirmed`: the newer build that nobody has seen."""
    python: str | None = None

    def of(self, build: Build) -> str:
        """The end of a sentence about the build; empty where nothing is to be said."""
        if self.kind == "none":
            return ""
        label = {"torch": build.torch, "variant": build.variant, "platform": build.platform}
        named = {"unseen": self.unconfirmed} if self.kind == "confirmed" else {}
        return said(self.kind, self._text(), **label, **named)

    def _text(self) -> str:
        if self.kind == "complete" and self.gap is not None:
            what = self.gap.purpose or self.gap.file
            gpus = ", ".join(self.gap.gpus)
            return (
                f"; newer releases lack {what} for {gpus}, and it is the newest that serves "
                "everything"
            )
        if self.kind == "official":
            return "; it is the newest release of PyTorch's official matrix that does"
        if self.kind == "for-python":
            return f"; of those with a wheel for Python {self.python} it is the newest that does"
        if self.kind == "confirmed" and self.unconfirmed is not None:
            newer = f"{self.unconfirmed.torch}+{self.unconfirmed.variant}"
            return f"; it is the newest whose file was seen, and {newer} is not confirmed here"
        return "; it is the newest release that does"


def standing(build: Build, target: Target) -> Standing:
    """How `build` stands among the builds for `target`."""
    order = numbers(build.torch)
    ahead = _newer(order, target, build.kind)
    lacking = [gaps(other, target.gpus) for other in ahead]
    if ahead and all(lacking) and not gaps(build, target.gpus):
        return Standing(kind="complete", gap=lacking[-1][0])
    if ahead and not build.off_matrix and all(other.off_matrix for other in ahead):
        return Standing(kind="official")
    if ahead:
        return Standing(kind="none")
    if target.python is not None and _newer(order, replace(target, python=None), build.kind):
        return Standing(kind="for-python", python=target.python)
    if (unseen := _unconfirmed(order, build, target)) is not None:
        return Standing(kind="confirmed", unconfirmed=unseen)
    return Standing(kind="newest")


def _newer(order: tuple[int, ...], target: Target, kind: str) -> list[Build]:
    return [offer.build for offer in feasible(target, kind) if offer.order > order]


def _unconfirmed(order: tuple[int, ...], build: Build, target: Target) -> Build | None:
    """A newer build with code for all GPUs, of which nobody has seen the file."""
    newest = numbers(torch_releases.newest())
    free = feasible(target.without_driver(), build.kind)
    if any(offer.order >= newest for offer in free):
        return None  # the newest release is there for these GPUs, and a driver is what is missing
    return next(
        (
            unseen
            for unseen in _unseen(build.kind, build.platform, target.gpus)
            if numbers(unseen.torch) > order and driver_serves(numbers(unseen.cuda or ""), target)
        ),
        None,
    )


@lru_cache(maxsize=512)
def _unseen(kind: str, platform: str, gpus: tuple[ComputeCapability, ...]) -> tuple[Build, ...]:
    """Builds with code for all GPUs whose file nobody has seen, the newest release first.

    Of one release those first that another platform is known to have.
    """
    found = []
    for other in torch_releases.builds():
        if other.kind != kind or other.platform != platform or other.exists:
            continue
        code = [Architecture.parse(name) for name in other.sass]
        if all(any(runs_natively(one, gpu) for one in code) for gpu in gpus):
            sisters = torch_releases.builds_of(other.torch)
            elsewhere = any(item.exists and item.variant == other.variant for item in sisters)
            found.append((numbers(other.torch), elsewhere, numbers(other.cuda or ""), other))
    return tuple(item[3] for item in sorted(found, key=lambda item: item[:3], reverse=True))
