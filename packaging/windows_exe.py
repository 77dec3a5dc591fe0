#!/usr/bin/env python3
"""Makes gpudoctor.exe of gpudoctor.pyz, for winget: python packaging/windows_exe.py PYZ EXE

A launcher as pip writes them for every command (distlib, licensed under PSF-2.0, carried by pip):
it starts the `python.exe` of the PATH with itself as the program, which is a zip file at its end.
"""

from __future__ import annotations

import io
import sys
import zipfile
from importlib import resources

LAUNCHER = "t64.exe"
SHEBANG = b"#!python.exe\r\n"


def main(archive: str, target: str) -> None:
    """Write the program."""
    launcher = resources.files("pip._vendor.distlib").joinpath(LAUNCHER).read_bytes()
    # Packed anew: the launcher finds its line by the places that the zip file says, which in the
    # archive count from before the archive's own line.
    packed = io.BytesIO()
    with zipfile.ZipFile(archive) as whole, zipfile.ZipFile(packed, "w") as copy:
        for entry in whole.infolist():
            copy.writestr(entry, whole.read(entry), compresslevel=9)
    with open(target, "wb") as file:
        file.write(launcher + SHEBANG + packed.getvalue())


if __name__ == "__main__":
    main(*sys.argv[1:3])
