"""The families of rules, in the order in which a machine is built: from the host upwards."""

from __future__ import annotations

import importlib

FAMILIES = (
    "host",
    "windows_wsl",
    "kernel_module",
    "driver",
    "driver_version",
    "cuda_init",
    "gpus",
    "environment",
    "python_env",
    "torch_build",
    "architecture",
    "ptx",
    "mixed_gpus",
    "cudnn",
    "coverage",
    "companions",
    "nvidia_wheels",
    "loader",
    "extensions",
    "triton",
    "amd",
    "intel",
    "apple",
    "knowledge",
)


def load() -> None:
    """Import every family, which registers its rules."""
    for name in FAMILIES:
        importlib.import_module(f"gpudoctor.rules.{name}")
