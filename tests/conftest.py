"""Fixtures that several rooms share."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import settings

# In a check that decides whether a change lands, the same examples are tried every time; whoever
# works on the project tries new ones with every run. How long one takes is never a fault: machines
# are slow and busy.
settings.register_profile("new-every-time", deadline=None)
settings.register_profile("same-every-time", derandomize=True, deadline=None)
settings.load_profile("same-every-time" if os.environ.get("CI") else "new-every-time")

ROOT = Path(__file__).resolve().parent.parent
TORCH = "torch==2.13.0"


# A shell starts what it puts into the background with Ctrl-C ignored, nohup and many services with
# SIGHUP, and every child inherits that: the tests of interruptions would then try nothing.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
for _name in ("SIGHUP", "SIGQUIT", "SIGTERM"):
    _number = getattr(signal, _name, None)
    if _number is not None and signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, signal.SIG_DFL)


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
    place.parent.mkdir(exist_ok=True)
    with open(place.parent / "torch-cpu.lock", "w", encoding="utf-8") as lock:
        _lock(lock.fileno())  # several workers of one test run may want it at once
        if not ready.exists():
            made = _make(place, python)
            if made is not None:
                pytest.skip(f"no environment with torch could be made: {made}")
            ready.write_text(TORCH, encoding="utf-8")
    return str(python)


def _lock(descriptor: int) -> None:
    """Wait until no other process holds the file; given back when it is closed."""
    if sys.platform != "win32":
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX)


def _make(place: Path, python: Path) -> str | None:
    """Make the environment; the reason where that fails."""
    make = [sys.executable, "-m", "venv", str(place)]
    fill = [str(python), "-m", "pip", "install", "-q", "--no-input", TORCH]
    for step in (make, fill):
        try:
            whole = step if step is make else step + _index(python)
            done = subprocess.run(whole, capture_output=True, text=True, timeout=900, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            return str(error)
        if done.returncode != 0:
            return (done.stderr.strip().splitlines() or ["it failed"])[-1]
    return None


def _index(python: Path) -> list[str]:
    """Where torch is taken from: pip's configured index or folder, else torch's own CPU index.

    The build on PyPI brings gigabytes of CUDA along, which no test here needs.
    """
    listed = subprocess.run(
        [str(python), "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    ).stdout
    configured = "find-links" in listed or "index-url" in listed
    return [] if configured else ["--index-url", "https://download.pytorch.org/whl/cpu"]
