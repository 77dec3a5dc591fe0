"""Starting a script of our own in a child, also where gpudoctor is one file.

Inside an archive (`gpudoctor.pyz`) no script can be started by its path; but every Python imports
from an archive, so that the child is given one line that imports the script from there.
"""

from __future__ import annotations

import os
from importlib import import_module


def arguments(path: str) -> list[str]:
    """What follows the interpreter in the command that runs the script at `path`.

    As where it is started by its path, the current folder is not on the child's `sys.path`, and
    the script's own is.
    """
    if os.path.isfile(path):
        return [path]
    folder, name = os.path.split(path)
    script = name.removesuffix(".py")
    # The archive may hold byte code for this Python, which its `precompiled` finds.
    program = (
        f"import runpy, sys; sys.path[:] = [{folder!r}, *filter(None, sys.path)]\n"
        f"sys.path.append({_archive(folder)!r})\n"
        "try: import precompiled\n"
        "except ImportError: pass\n"
        "sys.path.pop()\n"
        f"runpy.run_module({script!r}, run_name='__main__')"
    )
    return ["-c", program]


def _archive(folder: str) -> str:
    """The file that a folder inside an archive lies in."""
    while folder and not os.path.isfile(folder):
        folder = os.path.dirname(folder) if os.path.dirname(folder) != folder else ""
    return folder


def holds_module(folder: str, name: str) -> bool:
    """Whether an entry of `sys.path` holds the module `name` as a file, without importing it."""
    if os.path.isfile(os.path.join(folder, f"{name}.py")):
        return True
    if not os.path.isfile(folder):
        return False
    zipimport = import_module("zipimport")
    try:
        zipimport.zipimporter(folder).is_package(name)  # find_spec would compile the module
    except zipimport.ZipImportError:
        return False
    return True
