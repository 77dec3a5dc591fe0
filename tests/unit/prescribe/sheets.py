"""Fact sheets of machines: everything known, and nothing wrong but what is said."""

from __future__ import annotations

from gpudoctor.kb.software import cuda as kb_cuda
from gpudoctor.kb.software import torch_releases
from gpudoctor.model.facts import Driver, Facts, Gpu, Host, KernelModule, Package, Python, Torch
from gpudoctor.model.finding import Severity
from gpudoctor.model.prescription import Prescription
from gpudoctor.model.sheet import FactSheet
from gpudoctor.model.value import replace
from gpudoctor.prescribe import Options, prescribe
from gpudoctor.prescribe.request.gpu_names import gpu_of
from gpudoctor.rules import judge


def sheet(
    *gpus: str,
    driver: str | None = "580.95.05",
    cuda: str | None = None,
    os: str = "linux",
    arch: str = "x86_64",
    wsl: bool = False,
    python: str = "3.12.4",
    torch: str | None = None,
    packages: tuple[Package, ...] = (),
    host: Host | None = None,
    **about_python: object,
) -> FactSheet:
    """A machine; `torch` is the version as `torch.__version__` prints it."""
    where = host or Host(
        os=os,  # type: ignore[arg-type]
        arch=arch,
        wsl=wsl,
        glibc="2.39" if os == "linux" else None,
        libc="glibc" if os == "linux" else None,
        distribution="Ubuntu 24.04.1 LTS" if os == "linux" else None,
        distribution_id="ubuntu" if os == "linux" else None,
        memory_bytes=64 * 2**30,
        cpu_count=16,
    )
    cards = tuple(_card(text, number) for number, text in enumerate(gpus))
    linux = where.os == "linux" and not where.wsl and driver is not None
    facts = Facts(
        host=where,
        gpus=cards,
        driver=Driver(
            version=driver,
            cuda=cuda or kb_cuda.cuda_of_branch(kb_cuda.branch_of(int(driver[:3])) or 0),
            libcuda_path="/usr/lib/x86_64-linux-gnu/libcuda.so.1",
            libcuda_version=driver,
            libcuda_kind="wsl" if wsl else "driver",
            cu_init=0,
        )
        if driver
        else None,
        kernel_module=KernelModule(loaded=True, version=driver) if linux else None,
        python=Python(
            **{
                "executable": "/env/bin/python",
                "version": python.rstrip("t"),
                "tag": "cp" + "".join(python.split(".")[:2]) + ("t" if python[-1] == "t" else ""),
                "implementation": "cpython",
                "environment": "venv",
                "bits": 64,
                "has_pip": True,
                "headers": True,
                "writable": True,
                **about_python,
            }
        ),
        torch=installed(torch, where) if torch else None,
        packages=(*((Package(name="torch", version=torch),) if torch else ()), *packages),
    )
    return FactSheet(facts)


def installed(version: str, host: Host) -> Torch:
    """The installed torch of a version, with the code that the knowledge base has for it."""
    arm = host.arch in ("aarch64", "arm64")
    platform = {
        "linux": "linux_aarch64" if arm else "linux_x86_64",
        "windows": "win_amd64",
        "macos": "macos_arm64",
    }[host.os or "linux"]
    build = torch_releases.build(version, version.partition("+")[2] or "cpu", platform)
    assert build is not None, version
    return Torch(
        version=version,
        cuda=build.cuda,
        sass=build.sass,
        ptx=build.ptx,
        arch_source="knowledge",
        cudnn=build.cudnn,
        distribution_version=version,
    )


def cure(found: FactSheet, **options: object) -> Prescription:
    """What is prescribed for what the rules find."""
    return prescribe(found, judge(found).findings, Options(**options))  # type: ignore[arg-type]


def errors(found: FactSheet) -> set[str]:
    """Names of the errors that the rules find."""
    return {f.name for f in judge(found).findings if f.severity is Severity.ERROR}


def line(prescription: Prescription) -> str:
    """The commands of a prescription for a POSIX shell, one line each."""
    return "\n".join(step.posix for step in prescription.steps if step.posix)


def _card(text: str, number: int) -> Gpu:
    gpu = gpu_of(text, number)
    nvidia = gpu.vendor == "nvidia"
    return replace(
        gpu,
        uuid=f"GPU-0000000{number}-1111-2222-3333-444444444444" if nvidia else None,
        memory_bytes=16 * 2**30,
        pci_address=f"0000:{number + 1:02x}:00.0",
    )
