"""The containers of a library by their set of images: the form in which facts keep them."""

from __future__ import annotations

from collections import Counter

from gpudoctor.binaries.code.fatbin import Containers
from gpudoctor.binaries.code.registration import Registered
from gpudoctor.model.parts.binary import CodeGroup

_NOTHING_KNOWN = Registered()

_Key = tuple[tuple[str, ...], tuple[str, ...], tuple[int, int], bool]


def group(containers: Containers, registered: Registered = _NOTHING_KNOWN) -> tuple[CodeGroup, ...]:
    """The containers by their set of images, the most frequent set first.

    Left out are containers of which nothing can be loaded (empty ones, LTO intermediate code
    alone) and those that the host code does not register: libcurand and libnvjpeg carry one.
    Where the file does not tell which containers can be linked again, only how many, they are
    taken from those without PTX, since the device linker writes machine code alone.
    """
    unplaced = registered.relinkable_elsewhere
    counted: Counter[_Key] = Counter()
    for images, starts in containers.items():
        sass = tuple(dict.fromkeys(image.name for image in images if image.is_sass))
        ptx = tuple(dict.fromkeys(image.name for image in images if image.is_ptx))
        isa = max((image.isa for image in images if image.is_ptx), default=(0, 0))
        if not sass and not ptx:
            continue
        again = len(registered.relinkable.intersection(starts))
        once = len(starts) - again
        if registered.complete:
            once = len(registered.as_they_are.intersection(starts))
        elif unplaced and not ptx:
            more = min(unplaced, once)
            again, once, unplaced = again + more, once - more, unplaced - more
        for count, relinks in ((once, False), (again, True)):
            if count:
                counted[sass, ptx, isa, relinks] += count
    ordered = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    return tuple(
        CodeGroup(
            sass=sass,
            ptx=ptx,
            count=count,
            ptx_isa=f"{isa[0]}.{isa[1]}" if ptx else None,
            relinkable=relinks,
        )
        for (sass, ptx, isa, relinks), count in ordered
    )
