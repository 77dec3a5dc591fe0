"""The stand-in driver libraries: compiled once, laid out as a driver package does it."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
import tempfile

_SOURCES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "standins")


@functools.cache
def compiled() -> str:
    """A folder with `nvml.so` and `cuda.so`; built by `cc`, once for this process."""
    folder = tempfile.mkdtemp(prefix="gpudoctor-standins-")
    for name in ("nvml", "cuda"):
        subprocess.run(
            ["cc", "-shared", "-fPIC", "-O1", "-o", f"{folder}/{name}.so", f"{_SOURCES}/{name}.c"],
            check=True,
            capture_output=True,
            text=True,
        )
    return folder


def have_compiler() -> bool:
    """Whether stand-ins can be built here."""
    return shutil.which("cc") is not None


@functools.cache
def host_has_driver() -> bool:
    """Whether this very machine has a driver library, which no stand-in can hide."""
    code = "import ctypes; ctypes.CDLL('libcuda.so.1')"
    own = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    return own.returncode == 0


def install(folder: str, version: str, *, nvml: bool, cuda: bool) -> None:
    """Lay the libraries into `folder`, with the links that a driver package makes."""
    os.makedirs(folder, exist_ok=True)
    wanted = [("libnvidia-ml.so", "nvml")] * nvml + [("libcuda.so", "cuda")] * cuda
    for library, source in wanted:
        shutil.copy(f"{compiled()}/{source}.so", f"{folder}/{library}.{version}")
        os.symlink(f"{library}.{version}", f"{folder}/{library}.1")


def write_answers(folder: str, answers: dict[str, object]) -> None:
    """What the libraries in `folder` answer."""
    lines = [f"{key}={value}" for key, value in answers.items() if value is not None]
    with open(os.path.join(folder, "answers.txt"), "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
