"""Where an environment keeps its interpreter, its standard library and its distributions.

    POSIX    bin/python   lib/python3.11/            lib/python3.11/site-packages
    Windows  Scripts\\python.exe (venv) or python.exe (installation, conda)   Lib\\site-packages
    Debian   as POSIX, with /usr/lib/python3/dist-packages shared by all versions

Everything is told from names in folders. The version of a POSIX interpreter is also that of its
library folder, which is how a venv without a readable `pyvenv.cfg` still has one.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from types import MappingProxyType

from gpudoctor.collect.long_paths import true_path
from gpudoctor.collect.python.portable import path_file
from gpudoctor.collect.system.files import is_file, is_folder, names, read_text
from gpudoctor.model.pattern import late_pattern
from gpudoctor.model.value import dataclass

_LIBRARY = late_pattern(r"(python|pypy)(\d)\.(\d{1,2})(t?)\Z", re.ASCII)
_EXECUTABLE = late_pattern(r"(?:python|pypy)(\d)(?:\.(\d{1,2}))?(t?)(?:\.exe)?\Z", re.ASCII)
_VERSION = late_pattern(r"(\d)\.(\d{1,2})(?:\.(\d{1,2}))?", re.ASCII)
_NO_CONFIG: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Layout:
    """One prefix (an environment or an installation), as its folders show it."""

    prefix: str
    windows: bool = False
    version: tuple[int, int] | None = None
    """Major and minor; `None` where the folders do not say it."""
    library: str | None = None
    """`lib/python3.11` (absolute), or `Lib`."""
    pypy: bool = False
    free_threaded: bool = False
    config: Mapping[str, str] = _NO_CONFIG
    """`pyvenv.cfg`; empty in an installation."""

    path_file: str | None = None
    """The `._pth` file of an embeddable Python, which alone says where it imports from."""

    @property
    def is_venv(self) -> bool:
        """Whether it borrows its standard library from another prefix."""
        return "home" in self.config

    @property
    def is_conda(self) -> bool:
        """Whether conda (or mamba, pixi) made it and keeps its records there."""
        return is_folder(os.path.join(self.prefix, "conda-meta"))

    @property
    def scripts(self) -> str:
        """The folder of its commands."""
        return os.path.join(self.prefix, "Scripts" if self.windows else "bin")


def read_layout(prefix: str, executable: str | None = None) -> Layout:
    """The layout of a prefix; `executable` helps where several versions share it (`/usr`)."""
    config = read_config(prefix)
    windows = is_windows(prefix)
    hint, free_threaded = _hint(executable, config)
    found = None if windows else _library(prefix, hint, free_threaded=free_threaded)
    if windows:
        folder = os.path.join(prefix, "Lib")
        return Layout(
            prefix=prefix,
            windows=True,
            version=hint or _windows_version(prefix),
            library=folder if is_folder(folder) else None,
            free_threaded=free_threaded,
            config=config,
            path_file=None if config else path_file(prefix),
        )
    return Layout(
        prefix=prefix,
        version=(int(found[2]), int(found[3])) if found else hint,
        library=os.path.join(prefix, "lib", found[0]) if found else None,
        pypy=bool(found and found[1] == "pypy"),
        free_threaded=bool(found[4]) if found else free_threaded,
        config=config,
    )


def read_config(prefix: str) -> dict[str, str]:
    """`pyvenv.cfg` of a prefix, keys in lower case; empty without one."""
    text = read_text(os.path.join(prefix, "pyvenv.cfg"), 1 << 14) or ""
    pairs = (line.partition("=") for line in text.splitlines() if "=" in line)
    return {key.strip().lower(): value.strip() for key, _, value in pairs}


def is_windows(prefix: str) -> bool:
    """Whether a prefix has the folders of Windows."""
    return is_file(os.path.join(prefix, "Scripts", "python.exe")) or is_file(
        os.path.join(prefix, "python.exe")
    )


def interpreter_in(prefix: str) -> str | None:
    """The interpreter of an environment folder; `None` if it holds none (a link may be broken)."""
    places = (("bin", "python"), ("bin", "python3"), ("Scripts", "python.exe"), ("python.exe",))
    paths = (os.path.join(prefix, *place) for place in places)
    return next((path for path in paths if os.path.lexists(path)), None)


def prefix_of(executable: str) -> str:
    """The prefix that an interpreter has when it is started by this path.

    Python looks for `pyvenv.cfg` beside the path as it was typed, or one folder above, before it
    follows links; only then for its standard library, from the true place upward
    (https://docs.python.org/3/library/sys_path_init.html).
    """
    folder = os.path.dirname(os.path.abspath(executable))
    for prefix in (folder, os.path.dirname(folder)):
        if is_file(os.path.join(prefix, "pyvenv.cfg")):
            return prefix
    if path_file(folder) is not None:
        return folder
    folder = os.path.dirname(true_path(executable))
    hint, _ = _hint(executable, {})
    place = folder
    # Not up to the root: /lib is a link to /usr/lib on most systems, and nobody's prefix.
    while (parent := os.path.dirname(place)) != place:
        if is_file(os.path.join(place, "Lib", "os.py")) or _library(place, hint):
            return place
        place = parent
    return os.path.dirname(folder)


def parse_version(text: str | None) -> str | None:
    """`3.11.7` out of `3.11.7.final.0`, `Python 3.11.7` and the like."""
    match = _VERSION.search(text or "")
    return match[0] if match else None


def _hint(executable: str | None, config: Mapping[str, str]) -> tuple[tuple[int, int] | None, bool]:
    """Major and minor by `pyvenv.cfg` or the interpreter's name; whether it is free-threaded."""
    version: tuple[int, int] | None = None
    if match := _VERSION.match(config.get("version_info") or config.get("version") or ""):
        version = (int(match[1]), int(match[2]))
    free_threaded = False
    for path in (executable, executable and true_path(executable), config.get("executable")):
        match = _EXECUTABLE.match(re.split(r"[/\\]", path or "")[-1])
        if match and match[2]:
            free_threaded = free_threaded or bool(match[3])
            version = version or (int(match[1]), int(match[2]))
    return version, free_threaded


def _library(
    prefix: str, hint: tuple[int, int] | None = None, *, free_threaded: bool = False
) -> tuple[str, str, str, str, str] | None:
    """Name of the library folder and its parts: implementation, major, minor, `t`."""
    found = []
    for folder in ("lib", "lib64"):
        for name in names(os.path.join(prefix, folder)):
            match = _LIBRARY.match(name)
            version = (int(match[2]), int(match[3])) if match else (0, 0)
            if match and (version == hint if hint else version >= (3, 0)):
                found.append((name, match[1], match[2], match[3], match[4]))
        if found:
            break

    def preference(entry: tuple[str, str, str, str, str]) -> tuple[bool, bool, int]:
        complete = is_file(os.path.join(prefix, "lib", entry[0], "os.py"))
        return bool(entry[4]) == free_threaded, complete, int(entry[3])

    return max(found, key=preference, default=None)


def _windows_version(prefix: str) -> tuple[int, int] | None:
    """From `python311.dll`, which stands beside the interpreter of an installation."""
    for name in names(prefix):
        match = re.match(r"python(\d)(\d{1,2})t?\.dll\Z", name.lower(), re.ASCII)
        if match:
            return int(match[1]), int(match[2])
    return None
