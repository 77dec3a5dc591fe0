"""The families of rules, in the order in which a machine is built: from the host upwards."""

from __future__ import annotations

import importlib

FAMILIES = (
    "machine.gpu_presence",
    "machine.windows_wsl",
    "machine.windows_runtime",
    "driver.no_module",
    "driver.driver_state",
    "driver.driver_version",
    "driver.cuda_init",
    "machine.gpu_state",
    "machine.environment",
    "machine.masks_of_others",
    "packages.python_env",
    "builds.torch_build",
    "builds.torch_code",
    "builds.ptx",
    "builds.mixed_gpus",
    "packages.cudnn",
    "packages.attention",
    "builds.library_code",
    "packages.companions",
    "packages.nvidia_wheels",
    "packages.foreign_libraries",
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
