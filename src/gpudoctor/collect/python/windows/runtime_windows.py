"""The Visual C++ runtime, which torch for Windows needs and does not bring.

torch's own `__init__` loads these three before its libraries, and names the page to fetch them
from where that fails (pytorch/pytorch, torch/__init__.py, `_load_dll_libraries`, read 2026-11-21).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from gpudoctor.collect.system.files import is_file

DLLS = ("vcruntime140.dll", "msvcp140.dll", "vcruntime140_1.dll")


def missing_runtime(prefixes: Iterable[str], environ: Mapping[str, str]) -> tuple[str, ...]:
    """Those that lie neither in System32, nor beside the interpreter, nor with conda's libraries.

    `prefixes` are the environment's and that of the installation it borrows its library from.
    """
    if os.name != "nt":
        return ()
    windows = environ.get("SYSTEMROOT") or environ.get("SystemRoot") or r"C:\Windows"
    folders = [os.path.join(windows, "System32")]
    for prefix in prefixes:
        below = ("Scripts", os.path.join("Library", "bin"), os.path.join("bin"))
        folders += [prefix, *(os.path.join(prefix, name) for name in below)]
        folders.append(os.path.join(prefix, "Lib", "site-packages", "torch", "lib"))
    return tuple(
        name for name in DLLS if not any(is_file(os.path.join(folder, name)) for folder in folders)
    )
