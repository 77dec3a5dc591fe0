"""What a driver can do: floors of CUDA majors, PTX, which GPUs it knows.

Pure rules; the figures come from `gpudoctor.kb` (configs/cuda.yaml, configs/gpus.yaml). Where
the knowledge base does not say, the answer is `None`: nothing is judged from it.
Source of the rules: NVIDIA, CUDA Compatibility (minor-version and forward compatibility).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

from gpudoctor.kb.hardware import nvidia_gpus as kb_gpus
from gpudoctor.kb.software import cuda as kb_cuda
from gpudoctor.model.pattern import late_pattern
from gpudoctor.model.terms.version import numbers
from gpudoctor.model.value import dataclass, field

DriverOs = Literal["linux", "windows", "wsl"]
"""Which numbers count: WSL reports the Windows driver's version."""

Flavour = Literal["open", "proprietary"]
"""Of the kernel module on Linux."""

Known = Literal["yes", "too-old", "too-new"]
"""Whether a driver knows a GPU: `too-old` does not know it yet, `too-new` no longer."""

_BETA_SERIES = frozenset({(525, 47), (535, 43), (550, 40), (570, 123), (580, 94)})
"""Numbers of NVIDIA's Vulkan beta drivers (configs/gpus.yaml, notes)."""

_VERSION = late_pattern(r"\d{3,4}(?:\.\d{1,4}){0,3}\Z", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class DriverVersion:
    """A driver version such as 570.172.08 (Linux) or 572.61 (Windows); compares as numbers."""

    numbers: tuple[int, ...]
    text: str = field(compare=False)

    @classmethod
    def parse(cls, text: str) -> DriverVersion:
        """Read `570.172.08`, `572.61` or a bare branch, `580`.

        Raises:
            ValueError: the text is no driver version.
        """
        stripped = text.strip()
        if not _VERSION.match(stripped):
            raise ValueError(f"{text!r} is no driver version such as 570.172.08")
        return cls(tuple(int(part) for part in stripped.split(".")), stripped)

    @property
    def major(self) -> int:
        """The leading number: 570 of 570.172.08, 572 of 572.61."""
        return self.numbers[0]

    @property
    def branch(self) -> int | None:
        """The driver branch, 570 for 572.61 too; `None` where it is not known."""
        return kb_cuda.branch_of(self.major)

    def __str__(self) -> str:
        return self.text


def parse_driver(text: str | None) -> DriverVersion | None:
    """The version that `text` holds, or `None` where it holds none."""
    try:
        return DriverVersion.parse(text) if text else None
    except ValueError:
        return None


def driver_os(os: str | None, *, wsl: bool = False) -> DriverOs | None:
    """Whose driver numbers count on a host; `None` where CUDA has no driver (macOS)."""
    if wsl:
        return "wsl"
    if os == "linux":
        return "linux"
    return "windows" if os == "windows" else None


def floor_of(cuda_major: int, os: DriverOs) -> DriverVersion | None:
    """Lowest driver for programs of CUDA `cuda_major`.x; `None` if not known."""
    return parse_driver(kb_cuda.floor(cuda_major, os))


@lru_cache(maxsize=4096)
def starts(cuda: str, version: str | None, reported: str | None, os: str) -> bool | None:
    """Whether programs built with CUDA `cuda` start: the one answer for rules and solver.

    Args:
        cuda: `13.0`, or its major alone.
        version: the driver's number, where it counts (a Jetson's does not).
        reported: the CUDA that the loaded libcuda reports, where that is known.
        os: whose numbers count, a `DriverOs`.

    What libcuda reports decides, since a forward-compatibility package may be loaded over an
    older driver; a driver of the floor's own branch must be at the floor besides. Before CUDA 11
    there was no compatibility between minor versions. `None` where neither decides.
    """
    wanted = numbers(cuda)
    if not wanted:
        return None
    driver = parse_driver(version)
    lowest = parse_driver(kb_cuda.floor(wanted[0], os))
    if reported and (serves := numbers(reported)):
        enough = serves[:1] >= wanted[:1] if wanted[0] >= 11 else serves[:2] >= wanted[:2]
        if driver is None or lowest is None or driver.major != lowest.major:
            return enough
        return enough and _at_floor(driver, lowest)
    return None if driver is None or lowest is None else _at_floor(driver, lowest)


def _at_floor(driver: DriverVersion, lowest: DriverVersion) -> bool:
    """Whether a driver is at a floor; a bare branch, `580`, stands for its newest driver."""
    bare = len(driver.numbers) == 1
    return driver.major >= lowest.major if bare else driver >= lowest


@lru_cache(maxsize=4096)
def newest_cuda_of(version: str | None, reported: str | None) -> str | None:
    """The newest CUDA that a driver serves in full: as it reports, else by its branch."""
    if reported and numbers(reported):
        return reported
    driver = parse_driver(version)
    return None if driver is None else newest_cuda(driver)


def newest_cuda(driver: DriverVersion) -> str | None:
    """Newest CUDA that the driver serves in full, as nvidia-smi prints it; `None`: not known."""
    branch = driver.branch
    return None if branch is None else kb_cuda.cuda_of_branch(branch)


def compiles_ptx_of(driver_cuda: str, toolkit: str) -> bool:
    """Whether a driver that serves `driver_cuda` compiles PTX written by `toolkit`.

    Both are CUDA versions, `12.8`; `driver_cuda` is what cuDriverGetVersion reports.
    """
    return numbers(driver_cuda)[:2] >= numbers(toolkit)[:2]


def compiles_ptx_isa(driver_cuda: str, isa: str) -> bool | None:
    """The same by the PTX ISA version (`8.7`) that the PTX states; `None`: ISA not known.

    An ISA newer than every known one is newer than a driver whose CUDA is known; that too is
    left open, since the driver's CUDA may be newer than the knowledge base.
    """
    toolkit = kb_cuda.ptx_isa_to_cuda(isa)
    return None if toolkit is None else compiles_ptx_of(driver_cuda, toolkit)


def knows_gpu(driver: DriverVersion, capability: str) -> Known | None:
    """Whether a driver serves GPUs of a compute capability, by its branch.

    `None` where the capability or the branch is not known, and for Tegra parts, whose driver
    comes with Jetson Linux.
    """
    row = kb_gpus.capability_row(capability)
    if row is None or row.tegra:
        return None
    branch = driver.branch
    if row.last_branch is not None:
        # A driver newer than the knowledge base is of a later branch in any case.
        newer = driver.major > row.last_branch if branch is None else branch > row.last_branch
        if newer:
            return "too-new"
    if row.first_branch is None or branch is None:
        return None
    return "too-old" if driver.major < row.first_branch else "yes"


@lru_cache(maxsize=4096)
def knows(version: str, capability: str, name: str | None = None) -> Known | None:
    """Whether a driver serves a GPU: by its branch, and within it by the model's first driver.

    `name` is given where the number is one of Linux: Windows counts otherwise within a branch.
    `None` where that is not known; see `knows_gpu`.
    """
    driver = parse_driver(version)
    if driver is None:
        return None
    known = knows_gpu(driver, capability)
    first = first_driver_of(name, capability)
    if len(driver.numbers) == 1:
        return known  # a bare branch is its newest release
    if known == "yes" and first is not None and driver < first and driver.branch == first.branch:
        return "too-old"
    return known


@lru_cache(maxsize=512)
def first_driver_of(name: str | None, capability: str) -> DriverVersion | None:
    """The first Linux driver that lists a model, from Blackwell on; `None`: not known.

    Before Blackwell the table has the first open kernel module that lists it, which came later
    than the proprietary one that serves those GPUs too. Numbers such as 570.123.10 are betas,
    whose branch went on without them.
    """
    model = kb_gpus.by_name(name) if name else None
    if model is None or model.capability != capability or numbers(capability) < (10, 0):
        return None
    if model.first_stable_driver:
        return parse_driver(model.first_stable_driver)
    first = parse_driver(model.min_driver)
    return None if first is None or first.numbers[:2] in _BETA_SERIES else first


def module_serves(flavour: Flavour, capability: str) -> bool | None:
    """Whether a kernel-module flavour serves a capability; `None` where it is not known.

    Blackwell needs the open flavour, GPUs before Turing the proprietary one.
    """
    needed = kb_cuda.module_flavour(capability)
    row = kb_gpus.capability_row(capability)
    if needed is None or row is None or row.tegra:
        return None
    return needed in ("either", flavour)


def common_branches(capabilities: tuple[str, ...]) -> tuple[int, int | None] | None:
    """First and last driver branch that serve all capabilities; last `None`: it goes on.

    `None` where no branch serves them all.
    """
    first, last = 0, None
    for capability in capabilities:
        row = kb_gpus.capability_row(capability)
        if row is None:
            continue
        first = max(first, row.first_branch or 0)
        if row.last_branch is not None:
            last = row.last_branch if last is None else min(last, row.last_branch)
    return None if last is not None and first > last else (first, last)
