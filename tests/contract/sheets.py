"""Fact sheets as others write them: the promised keys and no others."""

from __future__ import annotations

import copy
from typing import Any

CU118 = "37 50 60 70 75 80 86 90"
CU126 = "50 60 70 75 80 86 90"
CU128 = "70 75 80 86 90 100 120"
CU130 = "75 80 86 90 100 120"

_CARDS = {
    "Tesla K80": ("3.7", "10de:102d"),
    "NVIDIA GeForce GTX 1080": ("6.1", "10de:1b80"),
    "Tesla V100-SXM2-16GB": ("7.0", "10de:1db1"),
    "Tesla T4": ("7.5", "10de:1eb8"),
    "NVIDIA A100-SXM4-40GB": ("8.0", "10de:20b0"),
    "NVIDIA GeForce RTX 3090": ("8.6", "10de:2204"),
    "NVIDIA GeForce RTX 4090": ("8.9", "10de:2684"),
    "NVIDIA H100 80GB HBM3": ("9.0", "10de:2330"),
    "NVIDIA B200": ("10.0", "10de:2901"),
    "NVIDIA B300 SXM6 AC": ("10.3", "10de:3182"),
    "NVIDIA GeForce RTX 5060 Ti": ("12.0", "10de:2d04"),
    "NVIDIA GeForce RTX 5090": ("12.0", "10de:2b85"),
    "NVIDIA GB10": ("12.1", "10de:2e12"),
    "Orin": ("8.7", None),
    "NVIDIA Thor": ("11.0", None),
}
K80, GTX_1080, V100, T4, A100, RTX_3090, RTX_4090, H100, B200, B300 = list(_CARDS)[:10]
RTX_5060_TI, RTX_5090, GB10, ORIN, THOR = list(_CARDS)[10:]


def nvidia(*names: str) -> list[dict[str, Any]]:
    """NVIDIA GPUs by their names."""
    return [
        {
            "index": index,
            "cuda_index": index,
            "name": name,
            "vendor": "nvidia",
            "compute_capability": _CARDS[name][0],
            "sm": f"sm_{_CARDS[name][0].replace('.', '')}",
            "memory_bytes": 16 << 30,
            "pci_id": _CARDS[name][1],
            "uuid": None,
            "visible": True,
        }
        for index, name in enumerate(names)
    ]


def other(vendor: str, name: str, pci_id: str | None) -> list[dict[str, Any]]:
    """A GPU of another vendor, for which CUDA's facts are null."""
    return [
        {
            "index": 0,
            "cuda_index": None,
            "name": name,
            "vendor": vendor,
            "compute_capability": None,
            "sm": None,
            "memory_bytes": 16 << 30,
            "pci_id": pci_id,
            "uuid": None,
            "visible": True,
        }
    ]


def torch(
    version: str = "2.9.1+cu128",
    cuda: str | None = "12.8",
    sass: str = CU128,
    ptx: str = "",
    hip: str | None = None,
) -> dict[str, Any]:
    """An installed torch."""
    return {
        "version": version,
        "cuda": cuda,
        "hip": hip,
        "sass": [f"sm_{number}" for number in sass.split()],
        "ptx": [f"compute_{number}" for number in ptx.split()],
        "arch_source": "binary" if sass else None,
    }


_DEFAULT: Any = object()


def sheet(
    gpus: list[dict[str, Any]],
    driver: tuple[str, str] | None = ("570.172.08", "12.8"),
    installed: dict[str, Any] | None = _DEFAULT,
    *,
    python: str = "3.12.7",
    packages: dict[str, str] | None = None,
    **host: Any,
) -> dict[str, Any]:
    """A machine; `host` overrides its Linux on x86_64."""
    return {
        "schema_version": "1.0",
        "facts": {
            "host": {
                "os": "linux",
                "arch": "x86_64",
                "distribution": "Ubuntu 24.04.1 LTS",
                "kernel": "6.8.0-49-generic",
                "wsl": False,
                "container": None,
                **host,
            },
            "driver": None
            if driver is None
            else {"version": driver[0], "cuda": driver[1], "source": "nvml"},
            "gpus": gpus,
            "python": {
                "executable": "/home/user/venv/bin/python",
                "version": python,
                "environment": "venv",
                "chosen_because": "VIRTUAL_ENV",
            },
            "torch": torch() if installed is _DEFAULT else installed,
            "packages": [{"name": n, "version": v} for n, v in (packages or {}).items()],
        },
        "unknown": [],
    }


WINDOWS = {"os": "windows", "distribution": "Windows 11", "kernel": "10.0.26100"}
WSL = {"wsl": True, "kernel": "5.15.167.4-microsoft-standard-WSL2"}
MAC = {"os": "macos", "arch": "arm64", "distribution": "macOS 15.5", "kernel": "24.5.0"}
ARM = {"arch": "aarch64"}
JETSON = {"arch": "aarch64", "kernel": "5.15.148-tegra"}


def without(given: dict[str, Any], path: str) -> dict[str, Any]:
    """The sheet without the key at `path`: `driver.version`, `gpus.0.name`."""
    result = copy.deepcopy(given)
    node: Any = result["facts"]
    *steps, last = path.split(".")
    for step in steps:
        node = node[int(step)] if step.isdigit() else node[step]
    del node[last]
    return result
