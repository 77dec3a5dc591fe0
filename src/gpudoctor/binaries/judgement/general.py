"""Which kernels of a library are general, and which were made for a few GPUs on purpose.

Host code chooses among kernels at run time: FP8 for 8.9 and 12.0, wgmma for 9.0a, a Marlin
kernel for Turing alone. That such a kernel lacks code for another GPU is no fault. Nothing in
a binary says which ones are meant so; this is told from how the library's containers compare:

* A container counts as general if it serves more than half as many compute capabilities as
  those that serve most. Architecture-specific and family images (`sm_90a`, `sm_100f`) count
  only beside a plain one: by themselves they are made on purpose.
* A library without any container that serves two is built for one GPU, and all of it counts.
* A general container may leave out a GPU in the middle, having machine code for older and for
  newer ones. Where most others serve that GPU, and some container that is not general does,
  the library brings it kernels of its own (cuSPARSE does, for 7.0 to 8.6), and the container
  with the gap does not count for it.
* Of the libraries of one distribution, the same: those that serve at most half as many compute
  capabilities as the broadest (vllm's FlashMLA and FlashAttention 3) are made on purpose
  (`distribution.py`).

docs/scan.md lists the libraries on which this was checked, and what came out.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from gpudoctor.compat.architecture import Architecture, ComputeCapability, runs_natively
from gpudoctor.model.parts.binary import CodeGroup, Library

_SHARE = 50
"""A breadth counts from one container in so many."""


@lru_cache(maxsize=512)
def architecture(name: str) -> Architecture | None:
    """`sm_90a` as a value; `None` for what is none, which runs nowhere. Names repeat a lot."""
    try:
        return Architecture.parse(name)
    except ValueError:
        return None


def architectures(names: Iterable[str]) -> list[Architecture]:
    """Those of the names that are architectures."""
    return [found for name in names if (found := architecture(name)) is not None]


def has_machine_code(group: CodeGroup, gpu: ComputeCapability) -> bool:
    """Whether one of its images runs on `gpu` as it is."""
    return any(runs_natively(each, gpu) for each in architectures(group.sass))


def split_groups(
    library: Library, gpu: ComputeCapability
) -> tuple[tuple[CodeGroup, ...], tuple[CodeGroup, ...]]:
    """The groups whose absence on `gpu` would be a fault, and the others."""
    groups = library.groups or library.relocatable
    if not library.relocatable:
        # A device link without objects (libcurand for Windows has one) holds no kernels.
        groups = tuple(group for group in groups if not group.relinkable) or groups
    breadths = [_breadth(group) for group in groups]
    widest = _widest(zip(breadths, (group.count for group in groups), strict=True))
    if widest < 2:
        return groups, ()
    general: list[CodeGroup] = []
    special: list[CodeGroup] = []
    for group, breadth in zip(groups, breadths, strict=True):
        (general if 2 * breadth > widest else special).append(group)
    served = sum(each.count for each in general if has_machine_code(each, gpu))
    most = 2 * served > sum(each.count for each in general)
    if most and any(has_machine_code(group, gpu) for group in special):
        general = [group for group in general if not _has_gap(group, gpu)]
    return tuple(general), tuple(special)


def common_architectures(library: Library) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The SASS and the PTX that every container of several architectures carries, in order.

    That is the list with which the library was compiled; `a` and `f` forms that were added for
    single files are not in it.
    """
    several = [group for group in library.groups if len(group.sass + group.ptx) > 1]
    chosen = several or list(library.groups)
    return _in_all([group.sass for group in chosen]), _in_all([group.ptx for group in chosen])


def _in_all(lists: list[tuple[str, ...]]) -> tuple[str, ...]:
    if not lists:
        return ()
    return tuple(name for name in lists[0] if all(name in each for each in lists))


def made_on_purpose(library: Library, widest: int) -> bool:
    """Whether `library` as a whole serves few GPUs on purpose.

    `widest` is the breadth of the libraries of its distribution (`widest_breadth`).
    """
    return widest > 1 and 2 * library_breadth(library) <= widest


def widest_breadth(libraries: Iterable[Library]) -> int:
    """For how many compute capabilities the broadest libraries were compiled."""
    return _widest((library_breadth(each), containers(each)) for each in libraries)


def library_breadth(library: Library) -> int:
    """For how many compute capabilities its broadest kernels were compiled."""
    return _widest((_breadth(each), each.count) for each in library.groups or library.relocatable)


def containers(library: Library) -> int:
    """How many containers it has; the objects where nothing was linked."""
    return sum(each.count for each in library.groups or library.relocatable)


def for_single_generations(library: Library) -> int:
    """How many of its containers are made of architecture-specific and family images alone."""
    return sum(
        each.count
        for each in library.groups
        if all(found.suffix for found in architectures(each.sass + each.ptx))
    )


def _widest(breadths: Iterable[tuple[int, int]]) -> int:
    """The greatest breadth, of pairs of a breadth and how many containers have it.

    One container in fifty does not say how the others were meant: paddlepaddle 2.6.2 brings
    three for eleven capabilities beside 850 for five.
    """
    ordered = sorted(breadths, reverse=True)
    share = sum(count for _, count in ordered) / _SHARE
    passed = 0
    for breadth, count in ordered:
        passed += count
        if passed >= share:
            return breadth
    return 0


def _has_gap(group: CodeGroup, gpu: ComputeCapability) -> bool:
    """Whether it has machine code for older and for newer GPUs, but not for this one."""
    own = [each.capability for each in architectures(group.sass)]
    return not has_machine_code(group, gpu) and bool(own) and min(own) < gpu < max(own)


def _breadth(group: CodeGroup) -> int:
    """How many compute capabilities it was compiled for, if for any in general."""
    known = architectures(group.sass + group.ptx)
    if all(each.suffix for each in known):
        return min(1, len(known))
    return len({each.capability for each in known})
