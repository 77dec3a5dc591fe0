"""What the two children that talk to the driver share: lines of JSON out, and death with us.

Started by path with `-I -S`, so nothing of gpudoctor is imported here, and little of the
standard library: each millisecond of import is a millisecond of every check.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # importing typing would cost 7 ms
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

try:
    from _json import encode_basestring_ascii as quoted  # the C function alone: 6 ms cheaper
except ImportError:  # an interpreter without it
    from json.encoder import encode_basestring_ascii as quoted


def say(record: Mapping[str, object]) -> None:
    """Write one line of JSON at once: what was said survives if the next call never returns."""
    data = (as_json(record) + "\n").encode()
    while data:
        data = data[os.write(1, data) :]


def leave(main: Callable[[], int]) -> None:
    """Run `main` and end at once; a mistake of ours is said as one, apart from the library's end.

    Nothing is buffered, and an orderly end takes 3 ms.
    """
    try:
        status = main()
    except Exception as error:
        say({"step": "failed", "error": f"{type(error).__name__}: {error}"})
        status = 1
    os._exit(status)


def as_json(value: object) -> str:
    """JSON of `None`, booleans, integers, floats, strings, lists and mappings of such."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(as_json(item) for item in value) + "]"
    if isinstance(value, dict):
        pairs = (f"{quoted(str(key))}:{as_json(item)}" for key, item in value.items())
        return "{" + ",".join(pairs) + "}"
    return quoted(str(value))


def die_with_parent() -> None:
    """Have the kernel kill this process when the one that started it dies (Linux)."""
    if not sys.platform.startswith("linux"):
        return
    import ctypes

    set_parent_death_signal, sigkill = 1, 9  # PR_SET_PDEATHSIG of linux/prctl.h
    try:
        ctypes.CDLL(None).prctl(set_parent_death_signal, sigkill, 0, 0, 0)
    except (OSError, AttributeError):
        return


def loaded_path(name: str) -> str | None:
    """Path of the loaded library whose file name starts with `name`, links followed (Linux)."""
    try:
        with open("/proc/self/maps", encoding="utf-8", errors="replace") as maps:
            for line in maps:
                path = line.rstrip("\n").partition("/")[2]
                if path.rpartition("/")[2].startswith(name):
                    return "/" + path
    except OSError:
        return None
    return None
