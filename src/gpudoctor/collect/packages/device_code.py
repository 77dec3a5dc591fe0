"""The X-ray of an environment: which of its libraries carry device code, and for which GPUs.

Candidates come from the distributions' own lists of files (`RECORD`), which name every file with
its size: one read instead of a walk through tens of thousands of files. A distribution without
one (conda's, an editable one) is walked instead.

NVIDIA's own libraries (cuBLAS, cuDNN …) are left out by their names: they hold kernels for single
architectures on purpose and choose among them at run time, so their coverage proves nothing, and
cuBLAS alone would take longer than all the rest. What they serve is in the knowledge base. Other
libraries of NVIDIA's distributions (DALI) are read like everybody's.
"""

from __future__ import annotations

import errno
import os
import re
import threading
import time
from collections.abc import Iterable, Iterator, Sequence

from gpudoctor.binaries.library import read_library
from gpudoctor.binaries.names import is_nvidias_own
from gpudoctor.binaries.source import UnreadableBinaryError
from gpudoctor.collect.long_paths import true_path
from gpudoctor.collect.packages.distributions import Distribution
from gpudoctor.collect.reason import Reason
from gpudoctor.collect.system.files import is_file, names, read_bytes
from gpudoctor.model.facts import Library
from gpudoctor.model.pattern import late_pattern
from gpudoctor.model.value import dataclass, replace

# No library with a kernel, its container and the ELF file around them is smaller.
_SMALLEST = 2 << 10
_THREADS = 4
_PATIENCE = 0.04
_LATE = Reason("late", "the time was over before it was read")
_SLOW = Reason("late", "reading took longer than the time left")
_RECORD_LIMIT = 1 << 26
_LONGEST_LINE = 5000
_ENDINGS: tuple[bytes, ...] = (b".so",)
_WINDOWS_ENDINGS: tuple[bytes, ...] = (b".pyd", b".dll")
_MACOS_ENDINGS = (b".dylib",)
_LINE = late_pattern(
    rb"\"?([^\"\r\n]+?\.(?:so|pyd|dll|dylib)(?:\.[0-9.]+)?)\"?,[^,\r\n]*,(\d*)\r?\Z"
)
# Text, not compiled: `re` compiles and keeps it when it is first needed, which is seldom.
_BINARY = r"\.(?:so|pyd|dll)(?:\.[0-9.]+)?\Z"
_CONDA_LIBRARY = r"(?a)(?:lib)?torch_cuda\w*\.(?:so|dll)\Z"
_HOST_ONLY = late_pattern(
    # auditwheel and delocate copy what a wheel links to into these folders: mostly plain host
    # libraries and NVIDIA's own, but also, as in ctranslate2.libs, the one with the kernels.
    r"(?:^|/)[\w.]+\.dylibs/|(?:^|/)bin/"
    r"|(?:^|/)[\w.]+\.libs/lib(?:cu(?:blas|dnn|fft|rand|solver|sparse|dart|file|pti)|nv|npp|nccl)"
)
_WALK_DEPTH = 8
_WALK_FILES = 200_000


@dataclass(frozen=True, slots=True)
class CandidateLibrary:
    """A shared library that may carry device code."""

    path: str
    """Absolute."""
    shown: str
    """Relative to its site folder, as the report names it."""
    distribution: str | None
    size: int


@dataclass(frozen=True, slots=True)
class Unread:
    """A library of which nothing is known."""

    candidate: CandidateLibrary
    reason: Reason

    @property
    def out_of_reach(self) -> bool:
        """Whether the file may be whole and could only not be read: no permission, no time."""
        return self.reason.kind in ("denied", "late")


@dataclass(frozen=True, slots=True)
class Xray:
    """What was read."""

    libraries: tuple[Library, ...]
    unread: tuple[Unread, ...] = ()


def candidates(
    distributions: Iterable[Distribution],
    torch_folder: str | None = None,
    conda_prefix: str | None = None,
) -> list[CandidateLibrary]:
    """Every shared library that may carry device code, the largest first.

    Args:
        distributions: all that are installed.
        torch_folder: the package that is imported; walked if no RECORD lists it.
        conda_prefix: conda keeps torch's libraries in the environment's own `lib` folder.
    """
    found: dict[str, CandidateLibrary] = {}
    for distribution in _imported(distributions, torch_folder):
        for candidate in _of_distribution(distribution):
            found.setdefault(candidate.path, candidate)
    in_torch = [c for c in found.values() if c.distribution == "torch"]
    if torch_folder is not None and not in_torch:
        for candidate in _walk(torch_folder, os.path.dirname(torch_folder), "torch"):
            found.setdefault(candidate.path, candidate)
    chosen = list(found.values())
    if conda_prefix:
        # torch's own lib folder holds links to those of the environment: each file once.
        there = {true_path(candidate.path) for candidate in chosen}
        chosen += [each for each in _conda(conda_prefix) if true_path(each.path) not in there]
    return sorted(chosen, key=lambda candidate: -candidate.size)  # the slowest begins first


def _imported(
    distributions: Iterable[Distribution], torch_folder: str | None
) -> Iterator[Distribution]:
    """The distributions that imports find: of several copies, the first; of torch, that one."""
    seen: set[str] = set()
    torch_site = true_path(os.path.dirname(torch_folder)) if torch_folder else None
    for distribution in distributions:
        name = distribution.name
        if name == "torch":
            shadowed = torch_site is not None and true_path(distribution.site) != torch_site
        else:
            shadowed = name in seen
        seen.add(name)
        if not shadowed:
            yield distribution


def read_device_code(chosen: Sequence[CandidateLibrary], deadline: float) -> Xray:
    """Read the candidates, several at a time, until the deadline (`time.monotonic`).

    A file on a slow disk makes only its own thread wait.
    """
    libraries: dict[str, Library] = {}
    unread: dict[str, Unread] = {}
    looked_at: set[str] = set()
    pending = iter(chosen)
    lock = threading.Lock()
    finished = threading.Event()

    def work(patience: float) -> None:
        if patience and finished.wait(patience):
            return
        while True:
            with lock:
                candidate = next(pending, None)
            if candidate is None:
                finished.set()
                return
            if time.monotonic() > deadline:
                unread[candidate.path] = Unread(candidate, _LATE)
                continue
            try:
                library = _read(candidate)
            except Exception as error:  # one bad file must not end the visit
                unread[candidate.path] = Unread(candidate, unread_reason(error))
                continue
            if library is not None:
                libraries[candidate.path] = library
            looked_at.add(candidate.path)

    # From memory one thread is twice as fast as four, which get into each other's way; from a
    # disk it is the other way round. So the others come in only if the first takes long.
    threads = [
        threading.Thread(target=work, args=(_PATIENCE if number else 0.0,), daemon=True)
        for number in range(min(_THREADS, len(chosen)))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()) + 0.05)
    done, failed = dict(libraries), dict(unread)
    if any(thread.is_alive() for thread in threads):
        reached = set(looked_at) | set(failed)
        for candidate in chosen:
            if candidate.path not in reached:
                failed[candidate.path] = Unread(candidate, _SLOW)
    return Xray(
        tuple(done[candidate.path] for candidate in chosen if candidate.path in done),
        tuple(failed[candidate.path] for candidate in chosen if candidate.path in failed),
    )


def _read(candidate: CandidateLibrary) -> Library | None:
    # A pipe that lies where a library should would hold this thread for ever.
    if not is_file(candidate.path):
        missing = f"{candidate.path} is not there, or is no file"
        raise UnreadableBinaryError(missing) from FileNotFoundError(errno.ENOENT, missing)
    library = read_library(candidate.path)
    if library is None or (not library.has_device_code and not library.macos):
        return None
    if library.kernel_archive is not None:
        from gpudoctor.binaries.code.kernel_archive import archived_targets

        found = archived_targets(candidate.path, library.kernel_archive)
        library = replace(library, archived=found)
    return replace(library, path=candidate.shown, distribution=candidate.distribution)


def unread_reason(error: Exception) -> Reason:
    """Why a binary could not be read: what the system refused, what the reader found, a fault."""
    if not isinstance(error, UnreadableBinaryError):
        return Reason.of_error(error)
    said = str(error).rstrip(".")
    if isinstance(error.__cause__, OSError):
        return Reason(Reason.of_error(error.__cause__).kind, said)
    return Reason(error.kind, said)


def _of_distribution(distribution: Distribution) -> Iterator[CandidateLibrary]:
    data = read_bytes(distribution.record, _RECORD_LIMIT)
    if data is None or not distribution.info.endswith(".dist-info"):
        return
    windows = os.path.basename(os.path.dirname(distribution.site)) == "Lib"
    endings = _WINDOWS_ENDINGS if windows else _ENDINGS
    if distribution.name == "torch" and not windows:
        endings += _MACOS_ENDINGS
    for path, size in _recorded(data, endings):
        full = os.path.normpath(os.path.join(distribution.site, path))
        if size < 0:
            try:
                size = os.path.getsize(full)
            except OSError:
                continue
        if size >= _SMALLEST and not _HOST_ONLY.search(path) and not is_nvidias_own(path):
            yield CandidateLibrary(full, path, distribution.name, size)


def _conda(prefix: str) -> Iterator[CandidateLibrary]:
    for folder in (os.path.join(prefix, "lib"), os.path.join(prefix, "Library", "bin")):
        for name in names(folder):
            if re.match(_CONDA_LIBRARY, name):
                path = os.path.join(folder, name)
                try:
                    size = os.stat(path).st_size
                except OSError:
                    continue
                yield CandidateLibrary(path, path, "libtorch", size)


def _recorded(data: bytes, endings: tuple[bytes, ...]) -> Iterator[tuple[str, int]]:
    """Shared libraries of a RECORD and their sizes (-1: not recorded).

    A RECORD of torch has a megabyte of other lines: jumping from ending to ending takes 1 ms for
    each ending, where splitting or matching all lines takes 30.
    """
    for ending in endings:
        at = data.find(ending)
        while at >= 0:
            start = data.rfind(b"\n", 0, at) + 1
            stop = data.find(b"\n", at)
            stop = stop if stop >= 0 else len(data)
            # No path is longer; a stranger's endless line would keep the pattern busy for ever.
            match = _LINE.match(data[start:stop]) if stop - start < _LONGEST_LINE else None
            if match:
                path = match[1].decode("utf-8", "replace").replace("\\", "/")
                yield path, int(match[2]) if match[2] else -1
            at = data.find(ending, stop)


def _walk(folder: str, site: str, distribution: str | None) -> Iterator[CandidateLibrary]:
    pending = [(folder, 0)]
    budget = _WALK_FILES
    while pending and budget > 0:
        here, depth = pending.pop()
        try:
            entries = list(os.scandir(here))
        except OSError:
            continue
        budget -= len(entries)
        for entry in entries:
            if re.search(_BINARY, entry.name):
                try:
                    size = entry.stat().st_size
                except OSError:
                    continue
                if size >= _SMALLEST:
                    shown = os.path.relpath(entry.path, site).replace(os.sep, "/")
                    yield CandidateLibrary(entry.path, shown, distribution, size)
            elif (
                depth < _WALK_DEPTH
                and entry.name != "__pycache__"
                and entry.is_dir(follow_symlinks=False)
            ):
                pending.append((entry.path, depth + 1))
