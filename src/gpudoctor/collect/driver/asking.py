"""Asking the driver: the children that talk to NVML and to the CUDA driver library.

They are separate processes since either may hang while the other works, and they are started
before anything else is done: while they wait for the driver, we read files.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from gpudoctor.collect.driver.answers import CudaAnswer, NvmlAnswer, cuda_answer, nvml_answer
from gpudoctor.collect.process import own_program
from gpudoctor.collect.process.runner import Child, start
from gpudoctor.collect.reason import Reason
from gpudoctor.model.value import dataclass

MASK = "CUDA_VISIBLE_DEVICES"
_HERE = os.path.dirname(os.path.abspath(__file__))


@dataclass(frozen=True, slots=True)
class DriverChildren:
    """The running children; where one could not be started, why."""

    nvml: Child | Reason
    cuda: Child | Reason
    unmasked: Child | Reason | None
    """The CUDA child without `CUDA_VISIBLE_DEVICES`; `None` where that is not set."""


def start_children(environ: Mapping[str, str]) -> DriverChildren:
    """Start all children that ask the driver; returns at once and never raises."""
    folder = pynvml_folder()
    nvml: Child | Reason
    if folder is None:
        nvml = Reason(
            "not-asked", "the Python module pynvml (distribution nvidia-ml-py) is not installed"
        )
    else:
        nvml = _start("nvml_child.py", environ, folder)
    unmasked: Child | Reason | None = None
    cuda = _start("cuda_child.py", environ)
    if MASK in environ:
        bare = {name: value for name, value in environ.items() if name != MASK}
        unmasked = _start("cuda_child.py", bare)
    return DriverChildren(nvml, cuda, unmasked)


_early: list[tuple[dict[str, str], DriverChildren]] = []


def start_early(environ: Mapping[str, str]) -> None:
    """Start the children before anything else is imported; the first `take_children` gets them.

    Asking the driver takes as long as importing the rest of gpudoctor, and waits for no
    processor of ours.
    """
    _early.append((dict(environ), start_children(environ)))


def take_children(environ: Mapping[str, str]) -> DriverChildren:
    """The children that were started early in this very environment, once; else new ones."""
    while _early:
        known, children = _early.pop()
        if known == environ:
            return children
    return start_children(environ)


def _start(script: str, environ: Mapping[str, str], *arguments: str) -> Child | Reason:
    if not sys.executable:
        unnamed = "the interpreter that runs gpudoctor does not know its own path"
        return Reason("not-asked", unnamed)
    # -I: nothing of the user's Python settings; -S: no site, which saves 3 ms.
    program = own_program.arguments(os.path.join(_HERE, script))
    argv = [sys.executable, "-I", "-S", *program, *arguments]
    try:
        return start(argv, env=environ)
    except OSError as error:
        kind = Reason.of_error(error).kind
        return Reason(kind, f"no process could be started: {error.strerror}")


def pynvml_folder() -> str | None:
    """The folder of `sys.path` that holds `pynvml.py`, found without importing anything."""
    for folder in sys.path:
        if folder and own_program.holds_module(folder, "pynvml"):
            return folder
    return None


def ask_nvml(child: Child | Reason, seconds: float) -> NvmlAnswer:
    """NVML's answer, `seconds` at most."""
    if isinstance(child, Reason):
        return NvmlAnswer(problem=child)
    return nvml_answer(child.wait(seconds))


def ask_cuda(child: Child | Reason, seconds: float) -> CudaAnswer:
    """The CUDA driver library's answer, `seconds` at most."""
    if isinstance(child, Reason):
        return CudaAnswer(problem=child)
    return cuda_answer(child.wait(seconds))
