"""The Visual C++ runtime, which torch for Windows needs and does not bring.

torch's own `__init__` loads these three before its libraries, and names the page to fetch them
from where that fails (pytorch/pytorch, torch/__init__.py, `_load_dll_libraries`, read 2026-11-21).
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable, Mapping

from gpudoctor.collect.system.files import is_file, read_bytes

_LIBRARY = "msvcp140.dll"
_FIXED_INFO = b"\xbd\x04\xef\xfe"
"""Where VS_FIXEDFILEINFO begins: its signature 0xFEEF04BD
(https://learn.microsoft.com/windows/win32/api/verrsrc/ns-verrsrc-vs_fixedfileinfo)."""
_FILE_VERSION = struct.Struct("<8xHHHH")
_SIZE = 4 << 20
DLLS = ("vcruntime140.dll", "msvcp140.dll", "vcruntime140_1.dll")


def missing_runtime(prefixes: Iterable[str], environ: Mapping[str, str]) -> tuple[str, ...]:
    """Those that lie neither in System32, nor beside the interpreter, nor with conda's libraries.

    `prefixes` are the environment's and that of the installation it borrows its library from.
    """
    if os.name != "nt":
        return ()
    folders = [_system(environ)]
    for prefix in prefixes:
        below = ("Scripts", os.path.join("Library", "bin"), os.path.join("bin"))
        folders += [prefix, *(os.path.join(prefix, name) for name in below)]
        folders.append(os.path.join(prefix, "Lib", "site-packages", "torch", "lib"))
    return tuple(
        name for name in DLLS if not any(is_file(os.path.join(folder, name)) for folder in folders)
    )


def runtime_version(folder: str, environ: Mapping[str, str]) -> str | None:
    """File version of the C++ runtime that an interpreter in `folder` loads; `None` if unknown.

    Windows looks beside the program first, then in System32
    (https://learn.microsoft.com/windows/win32/dlls/dynamic-link-library-search-order).
    """
    if os.name != "nt":
        return None
    paths = (os.path.join(place, _LIBRARY) for place in (folder, _system(environ)))
    path = next((path for path in paths if is_file(path)), None)
    return file_version(read_bytes(path, _SIZE) or b"") if path else None


def file_version(data: bytes) -> str | None:
    """The version that a library's resources state; `None` where they state none."""
    start = data.find(_FIXED_INFO)
    if start < 0 or start + _FILE_VERSION.size > len(data):
        return None
    minor, major, revision, build = _FILE_VERSION.unpack_from(data, start)
    return f"{major}.{minor}.{build}.{revision}"


def _system(environ: Mapping[str, str]) -> str:
    windows = environ.get("SYSTEMROOT") or environ.get("SystemRoot") or r"C:\Windows"
    return os.path.join(windows, "System32")
