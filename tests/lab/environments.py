"""Virtual environments for tests, and what is in them as a value."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path


def make(folder: Path, *wheels: Path, pip: bool = True) -> Path:
    """A fresh virtual environment with the wheels in it; the result is its interpreter."""
    seed = ["--seed"] if pip else []
    uv = [sys.executable, "-m", "uv"]
    subprocess.run(
        [*uv, "venv", "-q", *seed, "--offline", "--python", sys.executable, str(folder)]
        if not pip
        else [*uv, "venv", "-q", "--seed", "--python", sys.executable, str(folder)],
        check=True,
    )
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if wheels:
        install = [*uv, "pip", "install", "-q", "--no-deps", "--python", str(python)]
        subprocess.run([*install, *map(str, wheels)], check=True)
    return python


def state(folder: Path) -> dict[str, str]:
    """Every file, folder and link below `folder` with its content and mode, bytecode aside."""
    found: dict[str, str] = {}
    for root, folders, files in os.walk(folder):
        for name in sorted(folders + files):
            path = Path(root) / name
            relative = path.relative_to(folder).as_posix()
            if "__pycache__" in relative:
                continue
            if path.is_symlink():
                found[relative] = f"-> {os.readlink(path)}"
            elif path.is_dir():
                found[relative] = "folder"
            else:
                digest = hashlib.sha256(path.read_bytes()).hexdigest()
                found[relative] = f"{oct(path.stat().st_mode)} {digest}"
    return found
