"""Small readings of the file system that never raise and never read without a bound.

`shutil` and `pathlib` would cost the start of the program several milliseconds each.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping


def read_bytes(path: str, limit: int = 1 << 20) -> bytes | None:
    """The first `limit` bytes of a regular file; `None` if there is no such file to be read."""
    try:
        # O_NONBLOCK: a named pipe that lies where a file should must not hold the doctor.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | _BINARY)
    except (OSError, ValueError):
        return None
    try:
        # A buffer of the file's size: one of the limit's would be allocated in full. Files of
        # /proc say 0.
        step = os.fstat(handle).st_size + 1
        parts = []
        while limit > 0 and (part := os.read(handle, min(limit, max(step, _STEP)))):
            parts.append(part)
            limit -= len(part)
        return b"".join(parts)
    except OSError:
        return None
    finally:
        os.close(handle)


def read_text(path: str, limit: int = 1 << 20) -> str | None:
    """The first `limit` bytes of a file as UTF-8, bad bytes replaced; `None` if unreadable."""
    data = read_bytes(path, limit)
    return None if data is None else data.decode("utf-8", "replace")


def names(folder: str) -> list[str]:
    """The names in a folder, sorted; none if it is not there or cannot be read."""
    try:
        return sorted(os.listdir(folder))
    except (OSError, ValueError):
        return []


def is_folder(path: str) -> bool:
    """Whether `path` is a folder; odd paths (a NUL inside) are none."""
    try:
        return os.path.isdir(path)
    except ValueError:
        return False


def may_exist(path: str) -> bool:
    """Whether something lies there, or may lie there without our being allowed to see it."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return False
    except OSError:
        return True
    return True


def is_file(path: str) -> bool:
    """Whether `path` is a regular file, links followed."""
    try:
        return os.path.isfile(path)
    except ValueError:
        return False


def search_path(environ: Mapping[str, str], variable: str = "PATH") -> Iterator[str]:
    """The absolute folders of a path variable, in order, without repetitions and empty ones."""
    seen = set()
    for entry in environ.get(variable, "").split(os.pathsep):
        folder = entry.strip('"')
        if folder and os.path.isabs(folder) and folder not in seen:
            seen.add(folder)
            yield folder


def executables(name: str, environ: Mapping[str, str]) -> Iterator[str]:
    """Every executable called `name` on the PATH, in order."""
    for folder in search_path(environ):
        for suffix in _SUFFIXES:
            path = os.path.join(folder, name + suffix)
            if is_file(path) and os.access(path, os.X_OK):
                yield path


_STEP = 1 << 14
_BINARY: int = getattr(os, "O_BINARY", 0)
_SUFFIXES = (".exe", ".bat", ".cmd") if os.name == "nt" else ("",)
