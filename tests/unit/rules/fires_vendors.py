"""For each rule about other vendors, and what is known: a machine on which it fires."""

from __future__ import annotations

from gpudoctor.model.facts import Host, KernelModule
from gpudoctor.model.sheet import FactSheet
from unit.rules.make import (
    amd,
    intel,
    machine,
    no_module,
    torch,
)
from unit.rules.parts import (
    CPU,
    PASCAL,
    env,
)

FIRES: dict[str, FactSheet] = {
    "amd-gpu-unsupported": machine(
        gpus=(amd("AMD Radeon RX 580", "gfx803"),), driver=None, torch=CPU
    ),
    "amd-gpu-needs-rocm-torch": machine(
        gpus=(amd("AMD Radeon RX 7900 XTX", "gfx1100"),), driver=None, kernel_module=no_module()
    ),
    "amd-device-permissions": machine(
        gpus=(amd("AMD Radeon RX 7900 XTX", "gfx1100"),),
        driver=None,
        torch=torch("2.9.1+rocm6.4", None, hip="6.4.43484"),
        kernel_module=KernelModule(loaded=False, unreadable_amd_nodes=("/dev/kfd",)),
    ),
    "rocm-torch-lacks-gfx": machine(
        gpus=(amd("AMD Radeon RX 9070 XT", "gfx1201"),),
        driver=None,
        torch=torch("2.5.1+rocm6.2", None, hip="6.2.41133"),
    ),
    "hsa-override-wrong": env(
        {"HSA_OVERRIDE_GFX_VERSION": "10.3.0"},
        driver=None,
        gpus=(amd("AMD Radeon RX 7900 XTX", "gfx1100"),),
        torch=torch("2.9.1+rocm6.4", None, hip="6.4.2"),
    ),
    "intel-gpu-unsupported": machine(
        gpus=(intel("Intel Iris Xe MAX Graphics", integrated=False),), driver=None, torch=CPU
    ),
    "intel-gpu-needs-xpu-torch": machine(
        gpus=(intel("Intel Arc A770 Graphics", integrated=False),), driver=None, torch=CPU
    ),
    "no-cuda-on-mac": machine(
        host=Host(os="macos", arch="arm64"), driver=None, kernel_module=None, gpus=(), torch=CPU
    ),
    "platform-dropped-intel-mac": machine(
        host=Host(os="macos", arch="x86_64"),
        driver=None,
        kernel_module=None,
        gpus=(),
        torch=torch("2.2.2", None),
    ),
    "collector-crashed": machine(
        unknown={"loader": "the collector failed (ValueError: a mistake)"}
    ),
    "knowledge-too-old": machine(torch=torch("9.0.0+cu128", "12.8")),
    "wheel-line-ending": machine(**PASCAL),
}
