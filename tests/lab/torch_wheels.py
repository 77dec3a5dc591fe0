"""Wheels of torch with true fatbins in them, for an index on loopback."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lab.wheels import make_wheel
from machines.wheels import cuda_library

ALL = ("75", "80", "86", "90", "100", "120")
OLD = ("50", "60", "70", "75", "80", "86", "90")


def torch_wheel(folder: Path, version: str, sass: Sequence[str], size: int = 0) -> Path:
    """A wheel `torch==2.9.1+cu128` whose library carries machine code for `sass`."""
    label = version.partition("+")[2]
    cuda = f"{label[2:4]}.{label[4:]}" if label.startswith("cu") else None
    files: dict[str, bytes | str] = {
        "torch/__init__.py": f"__version__ = {version!r}\n",
        "torch/version.py": f"__version__ = {version!r}\ncuda = {cuda!r}\nhip = None\n",
    }
    if sass:
        files["torch/lib/libtorch_cuda.so"] = cuda_library(list(sass), [])
    if size:
        files["torch/lib/libtorch_cpu.so"] = bytes(size)
    return make_wheel(folder, "torch", version, files)


def companion_wheel(folder: Path, name: str, version: str, torch: str) -> Path:
    """A wheel of torchvision or torchaudio that belongs to a torch."""
    return make_wheel(folder, name, version, requires=[f"torch=={torch}"])
