"""Version managers put a small script called `python` on the PATH: which interpreter it means.

pyenv: `PYENV_VERSION`, else `.python-version` from the folder upward, else `$PYENV_ROOT/version`
(https://github.com/pyenv/pyenv#understanding-python-version-selection). asdf: `.tool-versions`
and `ASDF_PYTHON_VERSION`. The answers are read from these files; no script is started.

Such a file may have come with a stranger's repository, and what it names is started later. So it
may choose among the versions that the person installed, and never lead to another place: pyenv
itself once followed `../` out of its folder (CVE-2022-35861).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping

from gpudoctor.collect.system.files import is_file, names, read_bytes, read_text

# Text, not compiled: `re` compiles and keeps it when it is first needed, which is seldom.
_NAME = r"[A-Za-z0-9][A-Za-z0-9+_.-]*"
_VERSION = rf"(?a){_NAME}(?:/envs/{_NAME})?"
"""`3.11.7`, `pypy3.10-7.3.17`, `work`, and pyenv-virtualenv's `3.11.7/envs/work`."""


def is_script(path: str) -> bool:
    """Whether an executable is a script (a shim) and no interpreter itself."""
    return (read_bytes(path, 2) or b"") == b"#!"


def resolve(path: str, cwd: str, environ: Mapping[str, str]) -> str | None:
    """The interpreter behind a shim; `None` if it hands over to the next `python` or is unknown."""
    root = os.path.dirname(os.path.dirname(path))
    if is_file(os.path.join(root, "libexec", "pyenv")) or root == environ.get("PYENV_ROOT"):
        return _pyenv(root, cwd, environ)
    if os.path.basename(root) in (".asdf", "asdf"):
        return _asdf(root, cwd, environ)
    return None


def _pyenv(root: str, cwd: str, environ: Mapping[str, str]) -> str | None:
    wanted = environ.get("PYENV_VERSION", "").split(":")[0]
    if not wanted:
        wanted = _first_line(_upward(cwd, ".python-version"))
    if not wanted:
        wanted = _first_line(os.path.join(root, "version"))
    return _installed(os.path.join(root, "versions"), wanted)


def _asdf(root: str, cwd: str, environ: Mapping[str, str]) -> str | None:
    wanted = environ.get("ASDF_PYTHON_VERSION", "")
    home = environ.get("HOME", "")
    for file in (_upward(cwd, ".tool-versions"), os.path.join(home, ".tool-versions")):
        for line in (read_text(file, 1 << 14) or "").splitlines() if not wanted and file else ():
            words = line.split("#")[0].split()
            if len(words) > 1 and words[0] == "python":
                wanted = words[1]
    return _installed(os.path.join(root, "installs", "python"), wanted)


def _installed(versions: str, wanted: str) -> str | None:
    """The interpreter of the version, or of the newest one that begins with it (`3.11`).

    `None` where `wanted` is no version's name: `system`, a path, `path:…`, `ref:…`.
    """
    if wanted == "system" or not re.fullmatch(_VERSION, wanted):
        return None
    matching = [name for name in names(versions) if name.startswith(wanted + ".")]
    for name in (wanted, *sorted(matching, key=_numbers, reverse=True)):
        path = os.path.join(versions, name, "bin", "python")
        if is_file(path):
            return path
    return None


def _numbers(name: str) -> tuple[int, ...]:
    return tuple(int(part) for part in name.split(".") if part.isdecimal() and part.isascii())


def _first_line(path: str | None) -> str:
    text = read_text(path, 4096) if path else None
    return next((line.strip() for line in (text or "").splitlines() if line.strip()), "")


def _upward(folder: str, name: str) -> str | None:
    return next((path for path in upward(folder, name) if is_file(path)), None)


def upward(folder: str, name: str) -> Iterator[str]:
    """`name` in the folder and in each one above it."""
    while True:
        yield os.path.join(folder, name)
        parent = os.path.dirname(folder)
        if parent == folder:
            return
        folder = parent
