"""A sheet without private details gives the findings of the machine it came from."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gpudoctor import rules
from gpudoctor.model.facts import (
    Compiler,
    Driver,
    Facts,
    Gpu,
    Host,
    KernelModule,
    LoaderLibrary,
    Package,
    Python,
    Torch,
)
from gpudoctor.model.privacy.redaction import redact
from gpudoctor.model.sheet import FactSheet
from unit.model.test_redact import ALICE, UUID

HOME = "/data/people/alice"
SITE = f"{HOME}/env/lib/python3.12/site-packages"
MACHINE = Facts(
    host=Host(os="linux", arch="x86_64", distribution_id="ubuntu", glibc="2.39", kernel="6.8.0"),
    driver=Driver(version="570.172.08", cuda="12.8", cu_init=0, libcuda_kind="driver"),
    kernel_module=KernelModule(loaded=True, version="570.172.08", built_for_kernel=True),
    gpus=(
        Gpu(
            index=0,
            cuda_index=0,
            name="NVIDIA GeForce RTX 5060 Ti",
            compute_capability="12.0",
            sm="sm_120",
            memory_bytes=17103323136,
            pci_id="10de:2d04",
            uuid=f"GPU-{UUID}",
        ),
    ),
    python=Python(executable=f"{HOME}/env/bin/python", version="3.12.3", prefix=f"{HOME}/env"),
    torch=Torch(
        version="2.9.1+cu128",
        cuda="12.8",
        sass=("sm_70", "sm_120"),
        arch_source="binary",
        path=f"{SITE}/torch",
        copies=(f"{SITE}/torch",),
    ),
    packages=(Package(name="torch", version="2.9.1+cu128", location=SITE),),
    compiler=Compiler(path="/usr/bin/gcc", name="gcc", version="13.2.0"),
)
TORCH = MACHINE.torch or Torch()

DISEASES = {
    "none": MACHINE,
    "a mask by UUID": replace(MACHINE, environment={"CUDA_VISIBLE_DEVICES": f"GPU-{UUID}"}),
    "an empty mask": replace(MACHINE, environment={"CUDA_VISIBLE_DEVICES": ""}),
    "no code for the GPU": replace(MACHINE, torch=replace(TORCH, sass=("sm_50", "sm_90"))),
    "two copies": replace(
        MACHINE,
        torch=replace(
            TORCH, copies=("/home/alice/.local/lib/python3.12/site-packages/torch", f"{SITE}/torch")
        ),
    ),
    "an older library in the home": replace(
        MACHINE,
        packages=(
            *MACHINE.packages,
            Package(name="nvidia-nvjitlink-cu12", version="12.8.93", location=SITE),
        ),
        loader=(
            LoaderLibrary(
                name="nvjitlink",
                path=f"{HOME}/cuda/lib/libnvJitLink.so.12",
                version="12.1.105",
                via="LD_LIBRARY_PATH",
            ),
        ),
        environment={"LD_LIBRARY_PATH": f"{HOME}/cuda/lib"},
    ),
    "torch is missing": replace(MACHINE, torch=None, packages=()),
    "an old driver": replace(MACHINE, driver=Driver(version="470.82.01", cuda="11.4", cu_init=0)),
    "an interrupted fix": replace(MACHINE, unfinished_fix=f"{HOME}/.local/state/gpudoctor/1"),
}


@pytest.mark.parametrize("disease", DISEASES)
def test_the_same_is_found_before_and_after(disease: str) -> None:
    sheet = FactSheet(DISEASES[disease])
    before, after = rules.judge(sheet), rules.judge(redact(sheet, ALICE))
    assert [(f.name, f.severity, f.gpus) for f in after.findings] == [
        (f.name, f.severity, f.gpus) for f in before.findings
    ]
    assert "alice" not in str(after.findings)


def test_the_sheets_that_are_compared_do_have_findings() -> None:
    found = {name: rules.judge(FactSheet(facts)).findings for name, facts in DISEASES.items()}
    quiet = {"none", "a mask by UUID"}
    assert {name for name, findings in found.items() if not findings} <= quiet
