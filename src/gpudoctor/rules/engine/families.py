"""The families of rules, in the order in which a machine is built: from the host upwards."""

from __future__ import annotations

import importlib

from gpudoctor.model.facts import Facts

FAMILIES = (
    "machine.gpu_presence",
    "machine.windows_wsl",
    "machine.windows_runtime",
    "machine.folder_on_windows",
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
    "packages.minimum_gpu",
    "builds.library_code",
    "packages.companions",
    "packages.nvidia_wheels",
    "packages.foreign_libraries",
    "packages.extensions",
    "packages.triton",
    "packages.undeclared_libraries",
    "vendors.amd",
    "vendors.amd_access",
    "vendors.amd_override",
    "vendors.amd_driver",
    "vendors.amd_libraries",
    "vendors.intel",
    "vendors.intel_access",
    "vendors.intel_code",
    "vendors.apple",
    "builds.knowledge",
)


ONLY_WHERE = {
    "machine.windows_wsl": "wsl",
    "machine.windows_runtime": "windows",
    "packages.attention": "packages",
    "packages.extensions": "packages",
    "packages.foreign_libraries": "loader",
    "packages.minimum_gpu": "packages",
    "builds.library_code": "libraries",
    "vendors.amd": "amd",
    "vendors.amd_access": "amd",
    "vendors.amd_override": "amd",
    "vendors.amd_libraries": "amd",
    "vendors.intel": "intel",
    "vendors.intel_access": "intel",
    "vendors.intel_code": "intel",
    "vendors.apple": "macos",
}
"""Families that find nothing but on sheets of that kind (`places`); a rule may say it of itself."""


def places(facts: Facts) -> frozenset[str]:
    """Which kinds of sheet these facts are: the kind of machine, and which lists hold something."""
    host, torch = facts.host, facts.torch
    found: set[str] = set()
    if host is not None:
        if host.os in ("windows", "macos"):
            found.add(host.os)
        if host.wsl or host.wsl_version is not None:
            found.add("wsl")
    vendors = {gpu.vendor for gpu in facts.gpus}
    if "amd" in vendors or facts.amd is not None or (torch is not None and torch.hip):
        found.add("amd")
    if "intel" in vendors or facts.intel is not None or (torch is not None and torch.xpu):
        found.add("intel")
    if facts.libraries:
        found.add("libraries")
    if facts.loader:
        found.add("loader")
    if torch is not None and torch.requires:
        found.add("requires")
    if torch is not None and torch.cuda:
        found.add("cuda")
    if facts.environment:
        found.add("environment")
    if any(package.name != "torch" for package in facts.packages):
        found.add("packages")
    return frozenset(found)


def load() -> None:
    """Import every family, which registers its rules."""
    for name in FAMILIES:
        importlib.import_module(f"gpudoctor.rules.{name}")
