"""The families of rules, in the order in which a machine is built: from the host upwards."""

from __future__ import annotations

import importlib

FAMILIES = (
    "machine.host",
    "machine.windows_wsl",
    "machine.windows",
    "driver.kernel_module",
    "driver.driver",
    "driver.driver_version",
    "driver.cuda_init",
    "machine.gpus",
    "machine.environment",
    "packages.python_env",
    "builds.torch_build",
    "builds.architecture",
    "builds.ptx",
    "builds.mixed_gpus",
    "packages.cudnn",
    "packages.attention",
    "builds.coverage",
    "packages.companions",
    "packages.nvidia_wheels",
    "packages.loader",
    "packages.extensions",
    "packages.triton",
    "vendors.amd",
    "vendors.amd_access",
    "vendors.amd_override",
    "vendors.amd_libraries",
    "vendors.intel",
    "vendors.intel_access",
    "vendors.intel_code",
    "vendors.apple",
    "builds.knowledge",
)


def load() -> None:
    """Import every family, which registers its rules."""
    for name in FAMILIES:
        importlib.import_module(f"gpudoctor.rules.{name}")
