"""Pythons that Windows knows of, and which one `py.exe` starts.

python.org's installer, conda's and uv write where they put a Python below `Software\\Python`, of
the user and of the machine (PEP 514, https://peps.python.org/pep-0514/). By default none of them
puts it on the PATH; `py` finds it here. Which of several it starts stands in `PY_PYTHON`, else in
`py.ini` of the user, else in the one beside it; else it is the newest
(https://docs.python.org/3.13/using/windows.html#customization, read 2026-11-21).
"""

from __future__ import annotations

import ntpath
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

from gpudoctor.collect.system.files import is_file, read_text
from gpudoctor.model.value import dataclass

if sys.platform == "win32":
    import winreg

_CORE = "PythonCore"
_TAG = r"(?a)(\d+)(?:\.(\d+))?(?:-(\w+))?\Z"
_MOST = 100
Root = Literal["HKEY_CURRENT_USER", "HKEY_LOCAL_MACHINE"]
_PLACES: tuple[tuple[Root, str], ...] = (
    ("HKEY_CURRENT_USER", r"Software\Python"),
    ("HKEY_LOCAL_MACHINE", r"Software\Python"),
    ("HKEY_LOCAL_MACHINE", r"Software\Wow6432Node\Python"),
)


@dataclass(frozen=True, slots=True)
class RegisteredPython:
    """One Python as its installer wrote it down."""

    company: str
    """`PythonCore` for python.org's, `ContinuumAnalytics`, `Astral`."""
    tag: str
    """`3.11`, `3.11-32`; of other companies any text."""
    executable: str


def registered() -> tuple[RegisteredPython, ...]:
    """All of them whose interpreter is there, the user's first; none but on Windows."""
    return tuple(each for each in _entries() if is_file(each.executable))


def started_by_launcher(
    found: Iterable[RegisteredPython], environ: Mapping[str, str]
) -> RegisteredPython | None:
    """The one that `py` starts without more words; `None` if it finds none."""
    order = sorted(found, key=_age, reverse=True)  # stable: of one version the user's own first
    wanted = _wanted(environ)
    core = [each for each in order if each.company == _CORE and re.match(_TAG, each.tag)]
    if wanted is None:
        return next(iter(core or order), None)
    if "/" in wanted:
        company, _, tag = wanted.lower().partition("/")
        named = [each for each in order if each.company.lower() == company]
        return next((each for each in named if each.tag.lower().startswith(tag)), None)
    return next((each for each in core if _meant(wanted, each.tag)), None)


def _wanted(environ: Mapping[str, str]) -> str | None:
    """`3.11`, `3.11-32`, `Company/Tag`; a bare `3` may be made more precise by a second setting."""
    settings = _settings(environ)
    first = environ.get("PY_PYTHON") or settings.get("python")
    if first is None or first not in ("2", "3"):
        return first
    return environ.get(f"PY_PYTHON{first}") or settings.get(f"python{first}") or first


def _settings(environ: Mapping[str, str]) -> dict[str, str]:
    """`[defaults]` of both files; the user's goes before."""
    found: dict[str, str] = {}
    for variable in ("LOCALAPPDATA", "SYSTEMROOT"):
        folder = environ.get(variable, "")
        section = ""
        text = read_text(os.path.join(folder, "py.ini"), 1 << 14) if folder else None
        for line in (text or "").splitlines():
            name, equals, value = (part.strip() for part in line.partition("="))
            if name.startswith("["):
                section = name.lower()
            elif section == "[defaults]" and equals and value:
                found.setdefault(name.lower(), value)
    return found


def _meant(wanted: str, tag: str) -> bool:
    asked, has = re.match(_TAG, wanted), re.match(_TAG, tag)
    if asked is None or has is None:
        return False
    return all(
        one in (None, other) for one, other in zip(asked.groups(), has.groups(), strict=True)
    )


def _age(each: RegisteredPython) -> tuple[int, ...]:
    parts = re.match(_TAG, each.tag)
    if parts is None:
        return (-1,)
    # Of one version the one without a suffix goes before: it has 64 bits.
    return int(parts[1]), int(parts[2] or -1), parts[3] is None


def _entries() -> Iterator[RegisteredPython]:
    for root, top in _PLACES:
        for company in _keys(root, top):
            for tag in _keys(root, rf"{top}\{company}"):
                place = rf"{top}\{company}\{tag}\InstallPath"
                folder = _value(root, place, "")
                named = _value(root, place, "ExecutablePath")
                # Before 3.6 python.org's own wrote the folder alone.
                path = named or (ntpath.join(folder, "python.exe") if folder else "")
                if ntpath.isabs(path):
                    yield RegisteredPython(company, tag, path)


def _keys(root: Root, place: str) -> list[str]:
    """Names of the keys below one; none where it is not there, or we may not read it."""
    if sys.platform == "win32":
        try:
            with winreg.OpenKey(getattr(winreg, root), place) as key:
                count = min(winreg.QueryInfoKey(key)[0], _MOST)
                return [winreg.EnumKey(key, number) for number in range(count)]
        except OSError:
            pass
    return []


def _value(root: Root, place: str, name: str) -> str:
    """A value as text; empty where it is not there."""
    if sys.platform == "win32":
        try:
            with winreg.OpenKey(getattr(winreg, root), place) as key:
                return str(winreg.QueryValueEx(key, name)[0]).strip('"')
        except OSError:
            pass
    return ""
