"""GPUs, environments and pieces of machines that several cases share."""

from __future__ import annotations

from gpudoctor.model.facts import Python
from gpudoctor.model.sheet import FactSheet
from unit.rules.make import (
    CU126,
    driver,
    gpu,
    machine,
    module,
    on_pci,
    torch,
)

PYTHON = machine().facts.python or Python()
ORIN = gpu("Orin", "8.7")
A100 = gpu("NVIDIA A100-SXM4-80GB", "8.0")
T4 = gpu("Tesla T4", "7.5")
V100 = gpu("Tesla V100-SXM2-16GB", "7.0")
GTX_1080 = gpu("NVIDIA GeForce GTX 1080", "6.1")
RTX_5090 = gpu("NVIDIA GeForce RTX 5090", "12.0")
GT_710 = gpu("NVIDIA GeForce GT 710", "3.5", index=1)
MASKED = (gpu(visible=False),)
PATH = "/usr/local/cuda-12.2/lib64"
XID = "NVRM: Xid (PCI:0000:01:00): {}, pid=1, some text"
PASCAL = {
    "gpus": (GTX_1080,),
    "driver": driver("560.35.03", "12.6"),
    "kernel_module": module("560.35.03", flavour="proprietary"),
    "torch": torch("2.9.1+cu126", "12.6", sass=CU126),
}
CPU = torch("2.9.1+cpu", None)
NO_DRIVER = {"driver": None, "gpus": (on_pci(),)}
MIG = gpu("NVIDIA A100-SXM4-80GB", "8.0", mig_mode=True, mig_devices=("MIG-aa", "MIG-bb"))


def env(variables: dict[str, str], **changes: object) -> FactSheet:
    return machine(environment=variables, **changes)
