"""Windows Subsystem for Linux: whose driver lies under the one of Windows."""

from __future__ import annotations

from collections.abc import Iterator

from gpudoctor.model.fact import Unknown
from gpudoctor.model.finding import Finding
from gpudoctor.model.terms.shell import command_step, environment_step, posix_step, sentence_step
from gpudoctor.rules.engine.all_rules import rule
from gpudoctor.rules.engine.case import Case
from gpudoctor.rules.engine.wording import finding

# Users report that CUDA starts in WSL 2 with three GPUs and not with more (vllm-project/vllm
# issue on WSL2 with seven GPUs, torch then says "out of memory").
_WSL_GPUS = 3
_CUDA_ERROR_OUT_OF_MEMORY = 2


@rule("wsl1-has-no-gpu", needs=("host.wsl_version",))
def wsl1_has_no_gpu(case: Case) -> Iterator[Finding | Unknown]:
    """WSL 1 translates system calls and has no way to a GPU."""
    if case.host.wsl_version != 1:
        return
    yield finding(
        "wsl1-has-no-gpu",
        "This is WSL 1, which passes no GPU to Linux programs",
        "WSL 1 has no Linux kernel of its own and no path to the GPU. WSL 2 has one; the "
        "conversion keeps your files.",
        evidence=[case.evidence("host.wsl_version")],
        clears_with=("manual",),
        remedies=(
            command_step(
                "manual",
                "List the distributions, here or in a Windows terminal.",
                ("wsl.exe", "--list", "--verbose"),
                executable=False,
            ),
            sentence_step(
                "manual", "Turn this one into WSL 2 by its name: `wsl --set-version NAME 2`."
            ),
        ),
    )


@rule(
    "wsl-linux-driver-installed",
    uses=("driver", "driver.cu_init", "driver.libcuda_kind", "kernel_module"),
    needs=("host.wsl",),
    unless=("wsl1-has-no-gpu",),
)
def wsl_linux_driver_installed(case: Case) -> Iterator[Finding | Unknown]:
    """A Linux driver inside WSL hides the libraries that Windows brings."""
    if not case.host.wsl or case.cuda_works:
        return
    driver = case.driver
    foreign = driver.libcuda_kind == "driver" and case.knows("driver.libcuda_kind")
    packages = case.module.packages_installed is True and case.knows("kernel_module")
    if driver.libcuda_kind == "wsl" and driver.cu_init is None:
        packages = False
    dead = (case.facts.driver is None and case.knows("driver")) or bool(
        driver.cu_init or driver.nvml_error or driver.smi_error
    )
    if not foreign and not (packages and dead):
        return
    yield finding(
        "wsl-linux-driver-installed",
        "A Linux NVIDIA driver was installed inside WSL and hides the one of Windows",
        "In WSL the driver is the one of Windows, mounted under /usr/lib/wsl/lib. Driver "
        "packages installed inside Linux put another libcuda in front of it, which cannot work "
        "there.",
        evidence=[
            case.evidence("driver.libcuda_path"),
            case.evidence("kernel_module.packages_installed"),
            case.evidence("host.wsl"),
        ],
        gpus=case.nvidia,
        clears_with=("driver", "manual"),
        remedies=(
            posix_step(
                "driver",
                "Remove the Linux driver from this distribution.",
                "sudo apt purge 'nvidia-*' 'libnvidia-*' cuda-drivers",
            ),
            command_step(
                "reboot",
                "End WSL, here or in a Windows terminal, and start it again.",
                ("wsl.exe", "--shutdown"),
                executable=False,
            ),
            sentence_step(
                "driver",
                "If a toolkit is wanted inside WSL, install only packages called cuda-toolkit-*.",
            ),
        ),
    )


@rule("wsl-too-many-gpus", needs=("host.wsl", "gpus", "driver.cu_init"))
def wsl_too_many_gpus(case: Case) -> Iterator[Finding | Unknown]:
    """WSL 2 with more GPUs than CUDA starts with there."""
    if not case.host.wsl or case.driver.cu_init != _CUDA_ERROR_OUT_OF_MEMORY:
        return
    if len(case.visible) <= _WSL_GPUS:
        return
    yield finding(
        "wsl-too-many-gpus",
        f"CUDA does not start in WSL with {len(case.visible)} GPUs",
        "WSL 2 starts CUDA with only a few GPUs; with more of them it reports `out of memory` "
        "although memory is free.",
        evidence=[case.evidence("driver.cu_init"), case.evidence("gpus", len(case.visible))],
        gpus=case.visible,
        clears_with=("mask-gpus", "environment"),
        remedies=(
            environment_step(
                "Leave fewer GPUs to programs, or run Linux without Windows.",
                {"CUDA_VISIBLE_DEVICES": "0,1,2"},
                "mask-gpus",
            ),
        ),
    )
