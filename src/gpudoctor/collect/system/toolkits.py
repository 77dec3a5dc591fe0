"""CUDA toolkits on disk and their versions, from the files that NVIDIA puts into them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence

from gpudoctor.collect.long_paths import true_path
from gpudoctor.collect.system.files import executables, is_file, names, read_text
from gpudoctor.collect.system.sysroot import Sysroot
from gpudoctor.model.facts import Toolkit
from gpudoctor.model.pattern import late_pattern

_NVCC = "nvcc.exe" if os.name == "nt" else "nvcc"
_JSON_VERSION = late_pattern(r'"cuda_nvcc"\s*:\s*\{[^}]*?"version"\s*:\s*"(\d+\.\d+)', re.ASCII)
_NAME = late_pattern(r"(?:cuda-|v)(\d{1,2}\.\d)\Z", re.ASCII)
# Text, not compiled: `re` compiles and keeps it when it is first needed, which is seldom.
_JSON_CUDA = r'(?a)"cuda"\s*:\s*\{[^}]*?"version"\s*:\s*"(\d+\.\d+)'
_TEXT_VERSION = r"(?a)CUDA Version (\d+\.\d+)"
_DEFINE = r"(?a)#define\s+CUDA_VERSION\s+(\d{4,6})"
_EXEC = r"(?am)^\s*exec\s+\"?(/[^\s\"$\0]+/nvcc)\b"


def find_toolkits(
    environ: Mapping[str, str],
    root: Sysroot,
    prefix: str | None = None,
    site: Sequence[str] = (),
) -> tuple[Toolkit, ...]:
    """All toolkits: those that variables name, that of the PATH, the usual places, conda's, pip's.

    Args:
        environ: whose `CUDA_HOME`, `CUDA_PATH` and `PATH` count.
        root: below which the usual places (`/usr/local`) are looked at.
        prefix: the environment's, in which conda installs `nvcc`.
        site: its site folders, into which wheels install `nvcc`.
    """
    on_path = {true_path(home) for home in _homes_on_path(environ)}
    found: dict[str, Toolkit] = {}
    for home in _homes(environ, root, prefix, site):
        true = true_path(home)
        if true in found:
            continue
        nvcc = os.path.join(home, "bin", _NVCC)
        has_nvcc = is_file(nvcc)
        version = _version(home)
        if has_nvcc or version:
            found[true] = Toolkit(
                path=home,
                version=version,
                nvcc=nvcc if has_nvcc else None,
                on_path=has_nvcc and true in on_path,
            )
    return tuple(found.values())


def _homes(
    environ: Mapping[str, str], root: Sysroot, prefix: str | None, site: Sequence[str]
) -> Iterator[str]:
    for variable in ("CUDA_HOME", "CUDA_PATH", "CUDA_ROOT"):
        value = environ.get(variable, "")
        if value and os.path.isabs(value):
            yield os.path.normpath(value)
    # Windows' installer sets CUDA_PATH_V12_4 for each version beside CUDA_PATH.
    for variable in sorted(environ):
        if variable.startswith("CUDA_PATH_V") and os.path.isabs(environ[variable]):
            yield os.path.normpath(environ[variable])
    yield from _homes_on_path(environ)
    for parent in ("/usr/local", "/opt"):
        for name in root.names(parent):
            if name == "cuda" or _NAME.match(name):
                yield root.place(f"{parent}/{name}")
    for programs in (environ.get("ProgramFiles"), environ.get("PROGRAMFILES")):
        folder = os.path.join(programs or "", "NVIDIA GPU Computing Toolkit", "CUDA")
        for name in names(folder) if programs else ():
            yield os.path.join(folder, name)
    if prefix and is_file(os.path.join(prefix, "bin", _NVCC)):
        yield prefix
    for folder in site:
        for name in names(os.path.join(folder, "nvidia")):
            if name == "cuda_nvcc" or (name.startswith("cu") and name[2:].isdigit()):
                home = os.path.join(folder, "nvidia", name)
                if is_file(os.path.join(home, "bin", _NVCC)):
                    yield home


def _homes_on_path(environ: Mapping[str, str]) -> Iterator[str]:
    """The toolkit of the `nvcc` that a shell would start: the first on the PATH.

    It may be a link, or a small script that starts the true one.
    """
    for nvcc in executables("nvcc", environ):
        text = read_text(nvcc, 4096) if os.path.getsize(nvcc) < 4096 else None
        if match := re.search(_EXEC, text or ""):
            nvcc = match[1]
        yield os.path.dirname(os.path.dirname(true_path(nvcc)))
        return


def _version(home: str) -> str | None:
    """`12.4`; from `version.json` (11.1 on), `version.txt`, `cuda.h`, else the folder's name."""
    text = read_text(os.path.join(home, "version.json"), 1 << 14) or ""
    if match := _JSON_VERSION.search(text) or re.search(_JSON_CUDA, text):
        return match[1]
    if match := re.search(_TEXT_VERSION, read_text(os.path.join(home, "version.txt"), 4096) or ""):
        return match[1]
    # conda keeps the headers below targets/, Debian in /usr/include.
    for folder in ("include", "targets/x86_64-linux/include", "targets/sbsa-linux/include"):
        header = read_text(os.path.join(home, folder, "cuda.h"), 1 << 16)
        if match := re.search(_DEFINE, header or ""):
            number = int(match[1])
            return f"{number // 1000}.{number % 1000 // 10}"
    match = _NAME.match(os.path.basename(true_path(home)))
    return match[1] if match else None
