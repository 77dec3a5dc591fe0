#!/usr/bin/env python3
"""Makes gpudoctor.exe of gpudoctor.pyz, for winget: python packaging/windows_exe.py PYZ EXE

A launcher as pip writes them for every command (distlib, licensed under PSF-2.0, carried by pip):
it starts the `python.exe` of the PATH with itself as the program, which is a zip file at its end.
"""

from __future__ import annotations

import sys
from importlib import resources

LAUNCHER = "t64.exe"
SHEBANG = b"#!python.exe\r\n"


def main(archive: str, target: str) -> None:
    """Write the program."""
    launcher = resources.files("pip._vendor.distlib").joinpath(LAUNCHER).read_bytes()
    with open(archive, "rb") as file:
        content = file.read()
    with open(target, "wb") as file:
        file.write(launcher + SHEBANG + content[content.index(b"PK\x03\x04") :])


if __name__ == "__main__":
    main(*sys.argv[1:3])
