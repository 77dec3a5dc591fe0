"""Fact sheets of systems that cannot stand on a Linux machine: Windows and macOS."""

from __future__ import annotations

from typing import Any

RTX_4090 = ("NVIDIA GeForce RTX 4090", "8.9", "10de:2684", 24564)
RTX_5090 = ("NVIDIA GeForce RTX 5090", "12.0", "10de:2b85", 32607)
GTX_1080 = ("NVIDIA GeForce GTX 1080", "6.1", "10de:1b80", 8192)

TORCH_2_6_CU124 = ("2.6.0+cu124", "12.4", "50 60 61 70 75 80 86 90")
TORCH_2_9_CU128 = ("2.9.1+cu128", "12.8", "70 75 80 86 90 100 120")
TORCH_2_9_CPU = ("2.9.1+cpu", None, "")

Card = tuple[str, str, str, int]
Torch = tuple[str, str | None, str]


def windows(
    *cards: Card, torch: Torch = TORCH_2_9_CU128, driver: str = "576.88", cuda: str = "12.9"
) -> dict[str, Any]:
    """A desktop with Windows 11."""
    python = r"C:\Users\user\venv\Scripts\python.exe"
    return _sheet(
        host={
            "os": "windows",
            "arch": "x86_64",
            "distribution": "Windows 11",
            "kernel": "10.0.26100",
            "wsl": False,
            "container": None,
        },
        driver={
            "version": driver,
            "cuda": cuda,
            "source": "nvml",
            "cu_init": 0,
            "nvml_error": None,
            "smi_error": None,
        },
        gpus=[_gpu(index, card) for index, card in enumerate(cards or (RTX_4090,))],
        python={
            "executable": python,
            "version": "3.12.7",
            "environment": "venv",
            "chosen_because": "VIRTUAL_ENV",
            "has_pip": True,
        },
        torch=_torch(torch),
    )


def mac(arch: str = "arm64") -> dict[str, Any]:
    """A Mac; `arch` tells Apple silicon from Intel."""
    apple = {
        "index": 0,
        "name": "Apple M3 Max",
        "vendor": "apple",
        "memory_bytes": 64 << 30,
        "integrated": True,
        "visible": True,
    }
    version = "2.9.1" if arch == "arm64" else "2.2.2"
    return _sheet(
        host={
            "os": "macos",
            "arch": arch,
            "distribution": "macOS 15.5",
            "kernel": "24.5.0",
            "wsl": False,
            "container": None,
        },
        driver=None,
        gpus=[apple] if arch == "arm64" else [],
        python={
            "executable": "/Users/user/venv/bin/python",
            "version": "3.12.7",
            "environment": "venv",
            "chosen_because": "VIRTUAL_ENV",
            "has_pip": True,
        },
        torch=_torch((version, None, "")),
    )


def mac_with(system: str, torch: str, minimum: str, *, rosetta: bool = False) -> dict[str, Any]:
    """A Mac with Apple silicon under a macOS, and a torch built for `minimum` and newer.

    As torch 2.9 and newer are: their kernels for the GPU are for macOS 14.0.
    """
    sheet = mac()
    facts = sheet["facts"]
    facts["host"] |= {
        "distribution": f"macOS {system}",
        "distribution_version": system,
        "rosetta": rosetta,
    }
    if rosetta:
        facts["host"]["arch"] = "x86_64"
        facts["gpus"] = []
    facts["torch"] |= {"version": torch, "macos": minimum, "arch_source": "binary"}
    facts["libraries"] = [
        {
            "path": "torch/lib/libtorch_cpu.dylib",
            "distribution": "torch",
            "format": "macho",
            "machine": "x86_64" if rosetta else "arm64",
            "macos": minimum,
            "metal": [] if rosetta else ["14.0"],
        }
    ]
    return sheet


def as_in_the_contract() -> dict[str, Any]:
    """The keys that programs may rely on, and no others."""
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
            },
            "driver": {"version": "570.172.08", "cuda": "12.8", "source": "nvml"},
            "gpus": [
                {
                    "index": 0,
                    "cuda_index": 0,
                    "name": "NVIDIA GeForce RTX 5060 Ti",
                    "vendor": "nvidia",
                    "compute_capability": "12.0",
                    "sm": "sm_120",
                    "memory_bytes": 17103323136,
                    "pci_id": "10de:2d04",
                    "uuid": None,
                    "visible": True,
                }
            ],
            "python": {
                "executable": "/home/user/venv/bin/python",
                "version": "3.11.7",
                "environment": "venv",
                "chosen_because": "VIRTUAL_ENV",
            },
            "torch": {
                "version": "2.6.0+cu124",
                "cuda": "12.4",
                "hip": None,
                "sass": ["sm_50", "sm_60", "sm_70", "sm_75", "sm_80", "sm_86", "sm_90"],
                "ptx": [],
                "arch_source": "binary",
            },
            "packages": [{"name": "torchvision", "version": "0.21.0+cu124"}],
        },
        "unknown": [
            {"fact": "gpus[0].uuid", "reason": "removed as private", "source": "redaction"}
        ],
    }


def _sheet(**facts: Any) -> dict[str, Any]:
    return {"schema_version": "1.0", "facts": {**facts, "packages": []}, "unknown": []}


def _gpu(index: int, card: Card) -> dict[str, Any]:
    name, capability, pci_id, memory = card
    return {
        "index": index,
        "cuda_index": index,
        "name": name,
        "vendor": "nvidia",
        "compute_capability": capability,
        "sm": f"sm_{capability.replace('.', '')}",
        "memory_bytes": memory << 20,
        "pci_id": pci_id,
        "visible": True,
    }


def _torch(torch: Torch) -> dict[str, Any]:
    version, cuda, sass = torch
    return {
        "version": version,
        "cuda": cuda,
        "hip": None,
        "sass": [f"sm_{number}" for number in sass.split()],
        "ptx": [],
        "arch_source": "binary" if cuda else None,
    }
