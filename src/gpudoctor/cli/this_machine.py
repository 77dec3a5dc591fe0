"""What `plan` takes from the machine at hand where it is not given: system, processor, Python."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from gpudoctor.collect.machine import container, host
from gpudoctor.collect.system.sysroot import Sysroot
from gpudoctor.compat.builds import arm_only
from gpudoctor.errors import UsageError
from gpudoctor.model.value import dataclass
from gpudoctor.prescribe.request.gpu_names import gpu_of

SOURCE = "this machine"
"""The source that a fact sheet names for what was taken from here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumed:
    """A request with its gaps filled from this machine."""

    os: str | None
    arch: str | None
    python: str | None
    paths: tuple[str, ...]
    """Paths of the facts that were filled."""


def fill(gpus: Sequence[str], os: str | None, arch: str | None, python: str | None) -> Assumed:
    """The system, processor and Python that were given, or else those of this machine.

    What the GPUs are sold with goes before this machine: an Apple GPU is in a Mac, and GB10 and
    the Jetsons sit beside an ARM processor.
    """
    system, processor = _here()
    apple, arm = _sold_with(gpus)
    paths: list[str] = []
    if os is None and not apple and system is not None:
        os = system
        paths.append("host.os")
    if arch is None and not apple and not arm and processor is not None:
        arch = processor
        paths.append("host.arch")
    if python is None and (found := _python()):
        python = found
        paths.append("python.version")
    return Assumed(os=os, arch=arch, python=python, paths=tuple(paths))


def _here() -> tuple[str | None, str | None]:
    """System and processor, as the options of `plan` call them."""
    if sys.platform == "win32":
        return "windows", _processor(os.environ.get("PROCESSOR_ARCHITECTURE", "AMD64"))
    if sys.platform == "darwin":
        return "macos", _processor(os.uname().machine)

    root = Sysroot.from_environ(os.environ)
    wsl = container.wsl_version(root, host.read_kernel(root)) is not None
    return "wsl" if wsl else "linux", _processor(host.machine(root) or "")


def _processor(name: str) -> str | None:
    known = {"amd64": "x86_64", "x86_64": "x86_64", "arm64": "aarch64", "aarch64": "aarch64"}
    return known.get(name.lower())


def _sold_with(gpus: Sequence[str]) -> tuple[bool, bool]:
    """Whether the GPUs are Apple's, and whether they sit beside ARM processors alone."""
    try:
        found = [gpu_of(text, number) for number, text in enumerate(gpus)]
    except UsageError:
        return False, False  # the plan itself says so
    apple = any(gpu.vendor == "apple" for gpu in found)
    return apple, any(arm_only(gpu.compute_capability or "") for gpu in found)


def _python() -> str | None:
    """`3.12` or `3.13t`: of the environment that `check` would examine, else gpudoctor's own."""
    from gpudoctor.collect.python.chosen import find

    chosen = find(None, os.getcwd(), os.environ)
    layout = (chosen.base or chosen.layout) if chosen is not None else None
    if layout is None or layout.version is None:
        return f"{sys.version_info[0]}.{sys.version_info[1]}"
    return f"{layout.version[0]}.{layout.version[1]}" + ("t" if layout.free_threaded else "")
