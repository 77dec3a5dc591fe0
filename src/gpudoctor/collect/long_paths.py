"""Windows' paths beyond 259 characters: the form that is opened, and the one people write.

Without its long path policy Windows opens no longer paths than 259 characters, but for those that
begin with `\\\\?\\` (https://learn.microsoft.com/windows/win32/fileio/maximum-file-path-limitation).
On other systems every path stays as it is.
"""

from __future__ import annotations

import os

_LONGEST = 259
"""MAX_PATH of Windows without its closing zero."""
_BELOW = 140
"""Room for what is read below an environment: `Lib\\site-packages` and torch's longest path."""
_PREFIX = "\\\\?\\"


def readable(folder: str) -> str:
    """A folder in the form in which Windows opens what lies deep in it, where that is needed."""
    if os.name != "nt" or len(folder) + _BELOW <= _LONGEST or folder.startswith(_PREFIX):
        return folder
    return folder if _opens_long_paths() else extended(folder)


def startable(program: str) -> str:
    """A program's path in the form in which Windows starts it."""
    return extended(program) if os.name == "nt" and len(program) > _LONGEST else program


def extended(path: str) -> str:
    """A path of Windows in the form that has no limit: `\\\\?\\C:\\x`."""
    if os.name != "nt" or path.startswith(_PREFIX):
        return path
    full = os.path.abspath(path)
    return f"{_PREFIX}UNC\\{full[2:]}" if full.startswith("\\\\") else _PREFIX + full


def ordinary(path: str) -> str:
    """The path as people write it."""
    if not path.startswith(_PREFIX):
        return path
    bare = path[len(_PREFIX) :]
    return "\\\\" + bare[4:] if bare.startswith("UNC\\") else bare


def ordinary_text(text: str) -> str:
    """A sentence or a list of paths with each of them as people write it."""
    return text.replace(f"{_PREFIX}UNC\\", "\\\\").replace(_PREFIX, "")


def below(folder: str, path: str) -> str:
    """What lies in a folder under a path that is written with `/`, as records write it."""
    return os.path.join(folder, path.replace("/", os.sep))


def true_path(path: str) -> str:
    """The path without links, in a form that can be opened.

    Windows cannot always say it: not of a RAM disk, whose driver knows no such question.
    """
    if os.name != "nt":
        return os.path.realpath(path)
    try:
        return readable(ordinary(os.path.realpath(path)))
    except OSError:
        return readable(ordinary(os.path.abspath(path)))


def _opens_long_paths() -> bool:
    """Whether this process may open long paths as they are: by its manifest and the policy."""
    import ctypes

    try:
        # Windows alone has it, and the types are checked on every system.
        asked = getattr(ctypes, "WinDLL")("ntdll").RtlAreLongPathsEnabled  # noqa: B009
        return bool(asked() & 0xFF)
    except (AttributeError, OSError):
        return False
