"""Tests that need an NVIDIA GPU and a CUDA build of torch; skipped where there is none."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from gpudoctor.collect import collect
from gpudoctor.model.sheet import FactSheet

_QUESTION = "import torch; assert torch.cuda.is_available(); torch.ones(1, device='cuda')"


@pytest.fixture(scope="session")
def gpu_python() -> str:
    """An interpreter whose torch sees a GPU: `GPUDOCTOR_TEST_GPU_PYTHON`, or this one."""
    python = os.environ.get("GPUDOCTOR_TEST_GPU_PYTHON", sys.executable)
    try:
        asked = subprocess.run([python, "-c", _QUESTION], capture_output=True, timeout=120)
    except (OSError, subprocess.TimeoutExpired) as error:
        pytest.skip(f"{python}: {error}")
    if asked.returncode != 0:
        pytest.skip(f"{python} has no torch that sees a GPU")
    return python


@pytest.fixture(scope="session")
def sheet(gpu_python: str) -> FactSheet:
    """The facts of this machine and of that interpreter."""
    return collect(gpu_python, 30.0, os.getcwd(), os.environ)
