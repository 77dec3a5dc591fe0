"""Machines on which all is well, each of which an eager doctor would alarm."""

from __future__ import annotations

from gpudoctor.model.sheet import FactSheet
from unit.rules.fires_vendors import FIRES as VENDORS
from unit.rules.make import (
    CU124,
    CU130,
    amd,
    docker,
    driver,
    gpu,
    intel,
    jetson,
    machine,
    module,
    no_module,
    on_pci,
    torch,
    windows,
    wsl,
)
from unit.rules.parts import (
    A100,
    GT_710,
    ORIN,
    PASCAL,
    T4,
)
from unit.rules.tempts_python import TEMPTS


def case(why: str) -> FactSheet:
    return next(sheet for _, text, sheet in TEMPTS if text == why)


HEALTHY: dict[str, FactSheet] = {
    "a GTX 1080 on cu126 and driver 580": machine(
        **{
            **PASCAL,
            "driver": driver("580.95.05", "13.0"),
            "kernel_module": module("580.95.05", flavour="proprietary"),
        }
    ),
    "an RTX 4090 on sm_86 code": machine(torch=torch("2.4.0+cu121", "12.1", sass=CU124)),
    "a GB10 on sm_120 code": case("a GB10 runs sm_120 code"),
    "a B300 on sm_100 code": case("a B300 runs sm_100 code"),
    "an A100 with driver 535 on cu128": machine(
        gpus=(A100,), driver=driver("535.183.01", "12.2"), kernel_module=module("535.183.01")
    ),
    "a T4 on sm_70 and sm_75": machine(gpus=(T4,), torch=torch(sass=("sm_70", "sm_75"))),
    "Intel graphics beside an NVIDIA card": machine(
        gpus=(gpu(), intel("Intel UHD Graphics 770", integrated=True))
    ),
    "AMD graphics beside an NVIDIA card": machine(
        gpus=(gpu(), amd("AMD Radeon Graphics", "gfx1036", integrated=True))
    ),
    "a GT 710 that the driver does not list beside an A100": machine(
        gpus=(A100, on_pci("NVIDIA GeForce GT 710", "3.5", index=1, driver="nouveau")),
        kernel_module=module(nouveau_loaded=True),
    ),
    "a GT 710 beside an A100 under driver 470": machine(
        gpus=(A100, GT_710),
        driver=driver("470.256.02", "11.4"),
        kernel_module=module("470.256.02", flavour="proprietary"),
        torch=torch("2.4.0+cu118", "11.8", sass=CU124),
    ),
    "an RTX 4070 under WSL": machine(
        host=wsl(),
        kernel_module=None,
        driver=driver(
            "560.94", "12.6", libcuda_kind="wsl", libcuda_path="/usr/lib/wsl/lib/libcuda.so.1"
        ),
    ),
    "an RTX 5080 on Windows": windows(gpus=(gpu("NVIDIA GeForce RTX 5080", "12.0"),)),
    "a container with its GPU": machine(host=docker(), kernel_module=module(built_for_kernel=None)),
    "a Jetson Orin with NVIDIA's wheel": machine(
        host=jetson(),
        gpus=(ORIN,),
        kernel_module=None,
        driver=driver("540.4.0", "12.6"),
        torch=torch("2.5.0a0+872d972e41.nv24.08", "12.6", sass=("sm_87",)),
    ),
    "a Radeon with its ROCm build": machine(
        gpus=(amd("AMD Radeon RX 7900 XTX", "gfx1100"),),
        driver=None,
        kernel_module=no_module(),
        torch=torch("2.9.1+rocm6.4", None, hip="6.4.2"),
    ),
    "an Arc with its XPU build": machine(
        gpus=(intel("Intel Arc B580 Graphics", integrated=False),),
        driver=None,
        torch=torch("2.9.1+xpu", None, xpu="20250101"),
    ),
    "a Mac with Apple silicon": VENDORS["no-cuda-on-mac"],
    "8 H100 with torch of the newest CUDA": machine(
        gpus=tuple(gpu("NVIDIA H100 80GB HBM3", "9.0", index=i) for i in range(8)),
        driver=driver("580.95.05", "13.0"),
        kernel_module=module("580.95.05"),
        torch=torch("2.14.1+cu132", "13.2", sass=CU130),
    ),
}
