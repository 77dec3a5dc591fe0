"""Fixtures that several rooms share."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TORCH = "torch==2.13.0"


@pytest.fixture(scope="session")
def torch_python() -> str:
    """An interpreter that imports a CPU build of torch.

    `GPUDOCTOR_TEST_TORCH_PYTHON` names one; else an environment is made once in `.cache/`.
    """
    named = os.environ.get("GPUDOCTOR_TEST_TORCH_PYTHON")
    if named:
        if not os.path.exists(named):
            pytest.skip(f"GPUDOCTOR_TEST_TORCH_PYTHON names {named}, which is not there")
        return named
    place = ROOT / ".cache" / "torch-cpu"
    python = place / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    ready = place / "ready"
    if not ready.exists():
        made = _make(place, python)
        if made is not None:
            pytest.skip(f"no environment with torch could be made: {made}")
        ready.write_text(TORCH, encoding="utf-8")
    return str(python)


def _make(place: Path, python: Path) -> str | None:
    """Make the environment; the reason where that fails."""
    steps = [
        [sys.executable, "-m", "venv", str(place)],
        [str(python), "-m", "pip", "install", "-q", "--no-input", *_index(), TORCH],
    ]
    for step in steps:
        try:
            done = subprocess.run(step, capture_output=True, text=True, timeout=900, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            return str(error)
        if done.returncode != 0:
            return (done.stderr.strip().splitlines() or ["it failed"])[-1]
    return None


def _index() -> list[str]:
    """Without a configured index or folder of wheels, torch's own index of CPU builds."""
    configured = any(name in os.environ for name in ("PIP_FIND_LINKS", "PIP_INDEX_URL"))
    return [] if configured else ["--extra-index-url", "https://download.pytorch.org/whl/cpu"]
