"""Libraries that torch's own libraries are linked to, and that lie nowhere on this system.

Only what no way of the loader could find counts: torch's folder, the folders that its libraries
name themselves, `LD_LIBRARY_PATH`, conda's folder, the system's list and its folders. Libraries
of NVIDIA's wheels count wherever they lie, because torch loads them by their full path first
(`_preload_cuda_deps` in torch/__init__.py).
"""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from gpudoctor.binaries.formats.elf_dynamic import Dynamic, read_dynamic
from gpudoctor.binaries.source import FileSource, UnreadableBinaryError
from gpudoctor.collect.reason import Reason
from gpudoctor.collect.system.files import names, search_path
from gpudoctor.collect.system.loader import cached_paths
from gpudoctor.collect.system.sysroot import Sysroot
from gpudoctor.model.facts import MissingLibrary
from gpudoctor.model.pattern import late_pattern

_OWN = late_pattern(r"lib(torch|c10|shm)\w*\.so\Z", re.ASCII)
# The C library's, the compiler's and the driver's: not of any package that could be undeclared.
_ELSEWHERE = late_pattern(
    r"(ld-|lib(c|m|dl|rt|pthread|util|gcc_s|stdc\+\+|gomp|cuda|nvidia-\w+)\.so)", re.ASCII
)
_FOLDERS = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib")
_TRIPLETS = ("x86_64-linux-gnu", "aarch64-linux-gnu")


def missing_libraries(
    torch: str,
    site: Sequence[str],
    environ: Mapping[str, str],
    root: Sysroot,
    conda: str | None = None,
) -> tuple[tuple[MissingLibrary, ...], Reason | None]:
    """What torch's libraries need and nothing provides; `torch` is its folder.

    Returns:
        The libraries, and why that cannot be said (`None`: it was).
    """
    folder = os.path.join(torch, "lib")
    wanted: dict[str, str] = {}
    for name in names(folder):
        if _OWN.match(name):
            path = os.path.join(folder, name)
            linked = _linked(path)
            for needed in linked.needed if linked else ():
                if not _ELSEWHERE.match(needed) and not _beside(needed, path, linked):
                    wanted.setdefault(needed, path)
    if not wanted:
        return (), None
    for places in (_listed(environ, conda), _in_wheels(wanted, site)):
        for found in places:
            wanted.pop(found, None)
    if not wanted:
        return (), None
    paths, problem = cached_paths(root)
    if problem is not None:
        return (), problem
    known = {os.path.basename(path) for path in paths}
    return tuple(
        MissingLibrary(name=name, needed_by=os.path.basename(path))
        for name, path in wanted.items()
        if name not in known and not _in_system(name, root)
    ), None


def _linked(path: str) -> Dynamic | None:
    try:
        with FileSource(path) as source:
            return read_dynamic(source)
    except (OSError, UnreadableBinaryError):
        return None


def _beside(needed: str, path: str, linked: Dynamic | None) -> bool:
    """Whether it lies in torch's own folder, or in one that the library names."""
    origin = os.path.dirname(path)
    folders = [origin]
    for entry in linked.search if linked else ():
        folders.append(entry.replace("${ORIGIN}", origin).replace("$ORIGIN", origin))
    return any(os.path.exists(os.path.join(folder, needed)) for folder in folders)


def _listed(environ: Mapping[str, str], conda: str | None) -> Iterator[str]:
    folders = list(search_path(environ, "LD_LIBRARY_PATH"))
    if conda:
        folders.append(os.path.join(conda, "lib"))
    for folder in folders:
        yield from names(folder)


def _in_wheels(wanted: Iterable[str], site: Sequence[str]) -> Iterator[str]:
    for name in list(wanted):
        for folder in site:
            place = glob.escape(folder)
            if any(
                glob.glob(os.path.join(place, depth, "lib", glob.escape(name)))
                for depth in ("nvidia/*", "*")
            ):
                yield name
                break


def _in_system(name: str, root: Sysroot) -> bool:
    folders = [*_FOLDERS, *(f"{each}/{t}" for each in ("/lib", "/usr/lib") for t in _TRIPLETS)]
    return any(root.exists(f"{folder}/{name}") for folder in folders)
