"""Machines that work and machines that do not, in the promised form."""

from __future__ import annotations

from typing import Any

from contract import sheets as s
from contract.sheets import nvidia, other, sheet, torch

_535, _580 = ("535.183.01", "12.2"), ("580.95.05", "13.0")
_CU126 = torch("2.9.1+cu126", "12.6", s.CU126)
CU130_TORCH = torch("2.9.1+cu130", "13.0", s.CU130)
_CU130_ARM = torch("2.9.1+cu130", "13.0", "80 90 100 110 120", "120")
CU124_TORCH = torch("2.6.0+cu124", "12.4", s.CU126)
_CPU = torch("2.9.1+cpu", None, "")
_ROCM = torch("2.9.1+rocm6.4", None, "", hip="6.4.43482")

HEALTHY: dict[str, dict[str, Any]] = {
    "gtx 1080 on cu126": sheet(nvidia(s.GTX_1080), installed=_CU126),
    "gtx 1080 on cu126 with the last driver": sheet(nvidia(s.GTX_1080), _580, _CU126),
    "rtx 4090 on sm_86": sheet(nvidia(s.RTX_4090), installed=torch(sass="86")),
    "rtx 4090 on cu128": sheet(nvidia(s.RTX_4090)),
    "gb10 on sm_120": sheet(nvidia(s.GB10), _580, _CU130_ARM, **s.ARM),
    "b300 on sm_100": sheet(nvidia(s.B300), _580, CU130_TORCH),
    "a100 with driver 535 on cu128": sheet(nvidia(s.A100), _535),
    "v100 beside h100 on cu128": sheet(nvidia(s.V100, s.H100)),
    "h100 on 90a and 90": sheet(nvidia(s.H100), installed=torch(sass="80 90 90a")),
    "b300 on sm_100f": sheet(nvidia(s.B300), _580, torch(sass="90 100f")),
    "wsl by the windows driver": sheet(nvidia(s.RTX_4090), ("537.13", "12.2"), **s.WSL),
    "windows": sheet(nvidia(s.RTX_5090), ("576.88", "12.9"), **s.WINDOWS),
    "sixteen": sheet(nvidia(*[s.H100] * 16)),
    "intel graphics beside nvidia": sheet(
        nvidia(s.RTX_4090) + other("intel", "Intel UHD Graphics 770", "8086:4680")
    ),
    "orin with a wheel of its own": sheet(
        nvidia(s.ORIN), ("540.4.0", "12.6"), torch("2.8.0", "12.6", "87"), **s.JETSON
    ),
    "thor on cu130": sheet(nvidia(s.THOR), ("580.00", "13.0"), _CU130_ARM, **s.JETSON),
    "rx 7900 xtx on rocm": sheet(other("amd", "AMD Radeon RX 7900 XTX", "1002:744c"), None, _ROCM),
    "arc a770 on xpu": sheet(
        other("intel", "Intel Arc A770 Graphics", "8086:56a0"), None, torch("2.9.1+xpu", None, "")
    ),
    "apple": sheet(other("apple", "Apple M3 Max", None), None, torch("2.9.1", None, ""), **s.MAC),
    "torch newer than the knowledge": sheet(
        nvidia(s.RTX_5090), ("700.10", "14.0"), torch("3.1.0+cu140", "14.0", "90 100 120")
    ),
}

BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "rtx 5060 ti on cu124": (
        sheet(
            nvidia(s.RTX_5060_TI), installed=CU124_TORCH, packages={"torchvision": "0.21.0+cu124"}
        ),
        "torch-lacks-arch-new-gpu",
    ),
    "gtx 1080 on cu128": (sheet(nvidia(s.GTX_1080), _580), "torch-dropped-arch-old-gpu"),
    "a100 with driver 535 on cu130": (sheet(nvidia(s.A100), _535, CU130_TORCH), "driver-too-old"),
    "b300 on sm_100a": (
        sheet(nvidia(s.B300), _580, torch(sass="90 100a")),
        "torch-lacks-arch-new-gpu",
    ),
    "orin on a wheel of the index": (
        sheet(nvidia(s.ORIN), ("540.4.0", "12.6"), torch(sass="80 90"), **s.JETSON),
        "jetson-needs-own-wheel",
    ),
    "k80 with driver 535": (sheet(nvidia(s.K80), _535), "gpu-needs-other-driver-branch"),
    "gtx 1080 with driver 590": (
        sheet(nvidia(s.GTX_1080), ("590.44.01", "13.1"), _CU126),
        "gpu-needs-other-driver-branch",
    ),
    "cpu build": (sheet(nvidia(s.RTX_4090), installed=_CPU), "cpu-only-torch"),
    "cpu build without a label": (
        sheet(nvidia(s.RTX_4090), installed=torch("2.9.1", None, ""), **s.WINDOWS),
        "cpu-only-torch",
    ),
    "no torch": (sheet(nvidia(s.RTX_4090), installed=None), "torch-missing"),
    "no gpu": (sheet([], None), "no-gpu-found"),
    "no driver": (sheet(nvidia(s.RTX_4090), None), "driver-not-loaded"),
    "two of which one is not served": (
        sheet(nvidia(s.RTX_4090, s.RTX_5090), installed=_CU126),
        "torch-lacks-arch-new-gpu",
    ),
    "gtx 1080 beside rtx 5090": (
        sheet(nvidia(s.GTX_1080, s.RTX_5090), python="3.14.0"),
        "mixed-gpus-no-common-wheel",
    ),
    "rx 6800 xt on cuda": (
        sheet(other("amd", "AMD Radeon RX 6800 XT", "1002:73bf"), None),
        "amd-gpu-needs-rocm-torch",
    ),
    "arc a770 on cuda": (
        sheet(other("intel", "Intel Arc A770 Graphics", "8086:56a0"), None),
        "intel-gpu-needs-xpu-torch",
    ),
    "torchvision of another torch": (
        sheet(nvidia(s.RTX_4090), packages={"torchvision": "0.21.0+cu124"}),
        "torchvision-torchaudio-version-mismatch",
    ),
    "every gpu masked": (
        sheet([{**gpu, "visible": False, "cuda_index": None} for gpu in nvidia(s.RTX_4090)]),
        "cuda-visible-devices-hides-gpus",
    ),
    "wsl with an old windows driver": (
        sheet(nvidia(s.RTX_3090), ("511.65", "11.6"), **s.WSL),
        "driver-too-old",
    ),
    "ptx newer than the driver": (
        sheet(nvidia(s.H100), ("535.183.01", "12.2"), torch("2.8.0", "12.9", "80", "80")),
        "ptx-unsupported-toolchain",
    ),
}
INCURABLE = {"no gpu"}
