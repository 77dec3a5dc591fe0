"""Copies of CUDA libraries that the loader may prefer to the ones torch brings."""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Iterable, Iterator, Mapping

from gpudoctor.collect.reason import Reason
from gpudoctor.collect.system.files import names, search_path
from gpudoctor.collect.system.sysroot import Sysroot
from gpudoctor.model.facts import LoaderLibrary
from gpudoctor.model.pattern import late_pattern

_LIBRARIES = {
    "libcudnn": "cudnn",
    "libcublas": "cublas",
    "libcublasLt": "cublaslt",
    "libnccl": "nccl",
    "libnvJitLink": "nvjitlink",
    "libcupti": "cupti",
    "libcudart": "cudart",
    "libnvrtc": "nvrtc",
    "libcusparse": "cusparse",
    "libstdc++": "libstdcxx",
}
_SONAME = late_pattern(r"(lib[A-Za-z_+]+)\.so(?:\.(\d[\d.]*))?\Z", re.ASCII)
# Text, not compiled: `re` compiles and keeps it when it is first needed, which is seldom.
_DLL = (
    r"(?ai)(cudnn|cublaslt|cublas|nvjitlink|cudart|nvrtc|cupti|cusparse)"
    r"(?:64)?_(\d[\d.]*)(?:_\d+)?\.dll\Z"
)
_CACHE_MAGIC = b"glibc-ld.so.cache1.1"
_CONF_LIMIT = 200
_MACHINE = Sysroot()


def find_loader_libraries(
    environ: Mapping[str, str], root: Sysroot, *, windows: bool = False, conda: str | None = None
) -> tuple[tuple[LoaderLibrary, ...], Reason | None]:
    """The copies, in the order in which the loader would meet them.

    Args:
        environ: whose `LD_LIBRARY_PATH` (on Windows `PATH`) counts.
        root: of `/etc/ld.so.cache` and what that lists.
        windows: whether the patient is a Python for Windows.
        conda: prefix of the conda environment whose interpreter runs.

    Returns:
        The copies, and why the system's own list could not be read (`None`: it was).
    """
    found: list[LoaderLibrary] = []
    for folder in search_path(environ, "LD_LIBRARY_PATH"):
        found += _in_folder(folder, "LD_LIBRARY_PATH")
    if windows:
        for folder in search_path(environ):
            found += _dlls(folder, "PATH")
        if conda:
            found += _dlls(os.path.join(conda, "Library", "bin"), "conda")
    elif conda:
        # conda's interpreter names its own lib folder ($ORIGIN/../lib) before the system's.
        found += _in_folder(os.path.join(conda, "lib"), "conda")
    if os.name == "nt":  # there is no list of the system's: the PATH was all
        return _distinct(found), None
    system, problem = _system(root)
    found += system
    return _distinct(found), problem


def _in_folder(folder: str, via: str) -> Iterator[LoaderLibrary]:
    for name in names(folder):
        if name.startswith("lib") and (library := _library(os.path.join(folder, name), via)):
            yield library


def _library(path: str, via: str, root: Sysroot = _MACHINE) -> LoaderLibrary | None:
    """The library a file is, by its name; the full version is that of the file a link leads to."""
    match = _SONAME.match(os.path.basename(path))
    if not match or match[1] not in _LIBRARIES or not match[2]:
        return None
    true = _SONAME.match(os.path.basename(root.realpath(path)))
    full = true[2] if true and true[1] == match[1] else None
    return LoaderLibrary(name=_LIBRARIES[match[1]], path=path, version=full or match[2], via=via)


def _dlls(folder: str, via: str) -> Iterator[LoaderLibrary]:
    for name in names(folder):
        if match := re.match(_DLL, name):
            path = os.path.join(folder, name)
            version = match[2]
            if version.isdigit() and len(version) == 3:
                version = f"{version[:2]}.{version[2]}"  # cudart64_110.dll is of CUDA 11.0
            yield LoaderLibrary(name=match[1].lower(), path=path, version=version, via=via)


def _system(root: Sysroot) -> tuple[list[LoaderLibrary], Reason | None]:
    """What `/etc/ld.so.cache` lists; without a cache, what the folders of `ld.so.conf` hold."""
    try:
        cache = root.read_bytes("/etc/ld.so.cache", 1 << 23)
    except OSError as error:
        return [], Reason.of_error(error)
    if cache is not None:
        paths = parse_cache(cache)
        if paths is None:
            return [], Reason("damaged", "/etc/ld.so.cache has a form that is not known")
    else:
        folders = _conf_folders(root, "/etc/ld.so.conf", set())
        paths = [f"{folder}/{name}" for folder in folders for name in root.names(folder)]
    found = (_library(path, "ld.so.conf", root) for path in paths)
    return [library for library in found if library], None


def cached_paths(root: Sysroot) -> tuple[list[str], Reason | None]:
    """All libraries of `/etc/ld.so.cache` (empty without one), or why it is unreadable."""
    try:
        cache = root.read_bytes("/etc/ld.so.cache", 1 << 23)
    except OSError as error:
        return [], Reason.of_error(error)
    paths = [] if cache is None else parse_cache(cache, everything=True)
    if paths is None:
        return [], Reason("damaged", "/etc/ld.so.cache has a form that is not known")
    return paths, None


def parse_cache(data: bytes, *, everything: bool = False) -> list[str] | None:
    """Paths of the libraries in an `ld.so.cache` that matter, or all; `None` if it is none.

    The form is that of glibc's `sysdeps/generic/dl-cache.h`: a head of 48 bytes with the number
    of entries, entries of 24 bytes, and offsets of strings counted from the head.
    """
    start = data.find(_CACHE_MAGIC)
    if start < 0 or len(data) < start + 48:
        return None
    for order in ("<", ">"):
        (count,) = struct.unpack_from(order + "I", data, start + 20)
        if count * 24 <= len(data) - start - 48:
            break
    else:
        return None
    paths = []
    for entry in range(count):
        _, _, value = struct.unpack_from(order + "III", data, start + 48 + entry * 24)
        end = data.find(b"\0", start + value)
        if value and end >= 0:
            # Only few of some thousand entries matter: look before decoding.
            path = data[start + value : end]
            if everything or path.rpartition(b"/")[2].startswith(_WANTED):
                paths.append(path.decode("utf-8", "replace"))
    return paths


_WANTED = tuple(name.encode() for name in _LIBRARIES)


def _conf_folders(root: Sysroot, path: str, seen: set[str]) -> list[str]:
    """The folders that `ld.so.conf` names, its `include` lines followed."""
    if path in seen or len(seen) > _CONF_LIMIT:
        return []
    seen.add(path)
    folders: list[str] = []
    try:
        text = root.read(path) or ""
    except OSError:
        return []
    for line in text.splitlines():
        words = line.split("#")[0].replace(",", " ").replace(":", " ").split()
        if words[:1] == ["include"]:
            for pattern in words[1:]:
                folders += [
                    folder
                    for included in _expand(root, os.path.join(os.path.dirname(path), pattern))
                    for folder in _conf_folders(root, included, seen)
                ]
        else:
            folders += [word for word in words if word.startswith("/")]
    return folders


def _expand(root: Sysroot, pattern: str) -> Iterable[str]:
    """The files of an `include` pattern, whose last part alone may hold `*`."""
    folder, _, name = pattern.rpartition("/")
    if "*" not in name:
        return [pattern]
    expression = re.compile(".*".join(map(re.escape, name.split("*"))) + r"\Z")
    return [f"{folder}/{n}" for n in root.names(folder) if expression.match(n)]


def _distinct(libraries: Iterable[LoaderLibrary]) -> tuple[LoaderLibrary, ...]:
    """One entry for each file: `libcudnn.so.9` and `libcudnn.so.9.1.0` are the same."""
    result: dict[tuple[str, str], LoaderLibrary] = {}
    for library in libraries:
        result.setdefault((library.name, os.path.realpath(library.path)), library)
    return tuple(result.values())
