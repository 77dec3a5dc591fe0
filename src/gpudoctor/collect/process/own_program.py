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
    program = (
        f"import runpy, sys; sys.path[:] = [{folder!r}, *filter(None, sys.path)]; "
        f"runpy.run_module({script!r}, run_name='__main__')"
    )
    return ["-c", program]


def holds_module(folder: str, name: str) -> bool:
    """Whether an entry of `sys.path` holds the module `name` as a file, without importing it."""
    if os.path.isfile(os.path.join(folder, f"{name}.py")):
        return True
    if not os.path.isfile(folder):
        return False
    zipimport = import_module("zipimport")
    try:
        return zipimport.zipimporter(folder).find_spec(name) is not None
    except zipimport.ZipImportError:
        return False
