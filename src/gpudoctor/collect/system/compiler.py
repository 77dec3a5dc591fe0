"""The host's C/C++ compiler, which Triton and extensions need; read, not started."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping

from gpudoctor.collect.system.files import executables, is_file, names, read_bytes
from gpudoctor.model.facts import Compiler
from gpudoctor.model.pattern import late_pattern
from gpudoctor.model.terms.version import numbers

_COMMENT = late_pattern(rb"GCC: \([^)\0]*\) (\d+(?:\.\d+){0,2})")
_NAMED = late_pattern(
    r"(?:^|-)(gcc|g\+\+|clang\+?\+?|cc|c\+\+|icx|icpx)(?:-(\d+(?:\.\d+)*))?(?:\.exe)?\Z"
)
# Text, not compiled: `re` compiles and keeps it when it is first needed, which is seldom.
_LLVM = r"(?a)/llvm-?(\d+)/"
_NUMBER = late_pattern(r"\d+(?:\.\d+)*\Z", re.ASCII)


def find_compiler(environ: Mapping[str, str]) -> Compiler | None:
    """The compiler that Triton and torch's extension builder would take; `None` without any.

    That is what `CC` or `CXX` names, else `gcc`, `clang`, `cc` on the PATH (the order of Triton's
    build.py), else an MSVC of Visual Studio.
    """
    path = next(_candidates(environ), None)
    if path is None:
        return _msvc(environ)
    true = os.path.realpath(path)
    name, version = _name_and_version(path, true)
    return Compiler(path=path, name=name, version=version)


def _candidates(environ: Mapping[str, str]) -> Iterator[str]:
    for variable in ("CC", "CXX"):
        words = environ.get(variable, "").split()
        if words and os.path.isabs(words[0]) and is_file(words[0]):
            yield words[0]
        elif words and os.path.basename(words[0]) == words[0]:
            yield from executables(words[0], environ)
    for name in ("gcc", "clang", "cc", "cl") if os.name != "nt" else ("cl", "clang-cl", "gcc"):
        yield from executables(name, environ)


def _name_and_version(path: str, true: str) -> tuple[str | None, str | None]:
    match = _NAMED.search(os.path.basename(true)) or _NAMED.search(os.path.basename(path))
    if match is None:
        return None, None
    stem, version = match[1], match[2]
    if stem.startswith("clang") or "clang" in os.path.basename(true):
        if version is None and (found := re.search(_LLVM, true)):
            version = found[1]
        return "clang", _longest(_folders(true, "clang"), version) or version
    if stem in ("cc", "c++") and not match[2]:
        return None, None  # macOS: cc is a stand-in that asks Xcode
    return "gcc", _gcc_version(true, version) or version


def _gcc_version(true: str, major: str | None) -> str | None:
    """From `lib/gcc/TARGET/VERSION`, and the comment in the start-up object that lies there."""
    root = os.path.dirname(os.path.dirname(true))
    target = os.path.basename(true).rpartition("-gcc")[0]
    for library in ("lib", "lib64", "libexec"):
        base = os.path.join(root, library, "gcc")
        for name in names(base):
            versions = [v for v in names(os.path.join(base, name)) if _NUMBER.match(v)]
            if major:
                versions = [v for v in versions if v.split(".")[0] == major.split(".")[0]]
            if not versions or (target and target != name):
                continue
            version = max(versions, key=numbers)
            data = read_bytes(os.path.join(base, name, version, "crtbegin.o"), 1 << 16) or b""
            match = _COMMENT.search(data)
            said = match[1].decode("ascii") if match else ""
            return said if said.split(".")[0] == version.split(".")[0] else version
    return None


def _folders(true: str, name: str) -> list[str]:
    """Names in `lib/clang` beside the compiler: one folder for each version."""
    root = os.path.dirname(os.path.dirname(true))
    return [v for v in names(os.path.join(root, "lib", name)) if _NUMBER.match(v)]


def _longest(versions: list[str], major: str | None) -> str | None:
    fitting = [v for v in versions if major is None or v.split(".")[0] == major.split(".")[0]]
    return max(fitting, key=len, default=None)


def _msvc(environ: Mapping[str, str]) -> Compiler | None:
    """The newest MSVC of Visual Studio; its version is that of the tools' folder."""
    found = []
    for programs in (environ.get("ProgramFiles"), environ.get("ProgramFiles(x86)")):
        studio = os.path.join(programs, "Microsoft Visual Studio") if programs else ""
        for year in names(studio) if studio else ():
            for edition in names(os.path.join(studio, year)):
                tools = os.path.join(studio, year, edition, "VC", "Tools", "MSVC")
                for version in names(tools):
                    path = os.path.join(tools, version, "bin", "Hostx64", "x64", "cl.exe")
                    if _NUMBER.match(version) and is_file(path):
                        found.append((numbers(version), version, path))
    if not found:
        return None
    _, version, path = max(found)
    return Compiler(path=path, name="msvc", version=version)
