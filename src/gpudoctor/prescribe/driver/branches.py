"""Which driver branch and kernel-module flavour serve a set of GPUs and a CUDA major."""

from __future__ import annotations

from typing import Literal

from gpudoctor.compat import driver as compat
from gpudoctor.compat.architecture import ComputeCapability
from gpudoctor.kb.hardware import nvidia_gpus as kb_gpus
from gpudoctor.kb.software import cuda as kb_cuda
from gpudoctor.model.terms.version import numbers
from gpudoctor.model.value import dataclass
from gpudoctor.prescribe.known_steps import recommended_branch

Flavour = Literal["open", "proprietary", "either"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverPlan:
    """A driver to reach."""

    branch: int
    last: bool
    """Whether newer branches no longer know one of the GPUs: exactly this branch is meant."""
    flavour: Flavour
    at_least: str | None = None
    """The first driver within the branch that serves all; `None`: each of them."""
    why: str
    """What decides, as a clause: `it is the last branch that serves Pascal`."""
    why_names_it: bool = False
    """Whether the clause says `at_least` already."""

    @property
    def version(self) -> str:
        """A version of this branch that is above every floor within it, for predictions."""
        return f"{self.branch}.999"


@dataclass(frozen=True, slots=True)
class NoDriver:
    """Why no driver serves all of the GPUs at once."""

    why: str


def driver_for(
    gpus: tuple[ComputeCapability, ...],
    *,
    cuda_major: int | None = None,
    names: tuple[str, ...] = (),
    linux: bool = True,
) -> DriverPlan | NoDriver:
    """The branch to install for GPUs (and what a CUDA major needs), or why there is none.

    `linux`: whether the kernel-module flavour matters (not on Windows, nor in WSL).
    """
    first, first_of = first_branch(gpus, names)
    last, last_of = _last(gpus)
    floor = kb_cuda.floor(cuda_major, "linux" if linux else "windows") if cuda_major else None
    need = numbers(floor)[0] if floor else 0
    if last is not None and max(first, need) > last:
        wanted = f"CUDA {cuda_major} needs {need}" if need > first else f"{first_of} needs {first}"
        return NoDriver(f"{last_of} is served up to driver branch {last}, and {wanted} or newer")
    flavour = flavour_of(gpus)
    if flavour is None and linux:
        return NoDriver(
            "no kernel-module flavour serves all of these GPUs: Blackwell needs the open one, GPUs "
            "before Turing the proprietary one"
        )
    wanted_branch = recommended_branch()
    low = max(first, need)

    def at_least(branch: int) -> str | None:
        return _within(branch, floor, names, linux=linux)

    if last is not None and last <= wanted_branch:
        why = f"it is the last branch that serves {last_of}"
        return DriverPlan(
            branch=last, last=True, flavour=flavour or "either", at_least=at_least(last), why=why
        )
    branch = max(low, wanted_branch)
    by_cuda = need >= wanted_branch >= first
    why = (
        f"CUDA {cuda_major} needs driver {floor} or newer"
        if by_cuda
        else f"{first_of} needs it"
        if first > wanted_branch
        else "it is the long-term branch"
    )
    return DriverPlan(
        branch=branch,
        last=False,
        flavour=flavour or "either",
        at_least=at_least(branch),
        why=why,
        why_names_it=by_cuda and at_least(branch) == floor,
    )


def _within(branch: int, floor: str | None, names: tuple[str, ...], *, linux: bool) -> str | None:
    """The oldest driver of `branch` that a CUDA's floor and the models of the GPUs allow."""
    wanted = [floor] if floor else []
    for name in names if linux else ():
        # The models' figures are those of Linux drivers.
        model = kb_gpus.by_name(name)
        first = compat.first_driver_of(name, model.capability) if model else None
        if first is not None:
            wanted.append(first.text)
    inside = [text for text in wanted if kb_cuda.branch_of(numbers(text)[0]) == branch]
    exact = [text for text in inside if len(numbers(text)) > 1]
    return max(exact, key=numbers, default=None)


def knows(driver: str, gpu: ComputeCapability) -> bool | None:
    """Whether a driver's branch serves a capability; `None` where that is not known."""
    known = compat.knows(driver, str(gpu))
    return None if known is None else known == "yes"


def first_branch(
    gpus: tuple[ComputeCapability, ...], names: tuple[str, ...] = ()
) -> tuple[int, str]:
    """The oldest driver branch that knows all of some GPUs (0: any), and what sets it."""
    found = [(0, "")]
    for gpu in gpus:
        row = kb_gpus.capability_row(str(gpu))
        if row is not None and row.first_branch is not None:
            found.append((row.first_branch, f"{row.architecture} ({gpu.sm})"))
    for name in names:
        model = kb_gpus.by_name(name)
        basis = model.min_driver_basis if model else None
        # Before Blackwell the figure is that of the open kernel module, which came later than
        # the proprietary one that serves those GPUs too.
        if model and model.min_driver and numbers(model.capability) >= (10, 0) and basis:
            found.append((kb_cuda.branch_of(numbers(model.min_driver)[0]) or 0, model.name))
    return max(found, key=lambda item: item[0])


def _last(gpus: tuple[ComputeCapability, ...]) -> tuple[int | None, str]:
    """The newest branch that still knows all (`None`: no end), and what sets it."""
    found = []
    for gpu in gpus:
        row = kb_gpus.capability_row(str(gpu))
        if row is not None and row.last_branch is not None:
            found.append((row.last_branch, f"{row.architecture} ({gpu.sm})"))
    return min(found, key=lambda item: item[0]) if found else (None, "")


def flavour_of(gpus: tuple[ComputeCapability, ...]) -> Flavour | None:
    """The kernel-module flavour that serves all; `None` if there is no such."""
    found = {kb_cuda.module_flavour(str(gpu)) for gpu in gpus} - {None, "either"}
    if len(found) > 1:
        return None
    if not found:
        return "either"
    return "open" if "open" in found else "proprietary"
