"""Rare machines: other vendors' GPUs, a torch that hides another, something that was asked for.

Each kind of sentence that no ordinary machine brings about has one here that does.
"""

from __future__ import annotations

import random

from gpudoctor.kb.hardware import amd_gpus as kb_amd
from gpudoctor.kb.software import torch_releases
from gpudoctor.model.fact import Unknown
from gpudoctor.model.facts import (
    DeviceFile,
    Facts,
    Gpu,
    Host,
    KernelModule,
    Package,
    Python,
    Torch,
    VendorDriver,
)
from gpudoctor.model.finding import Finding
from gpudoctor.model.sheet import FactSheet
from gpudoctor.model.value import dataclass, replace
from gpudoctor.prescribe import Options
from gpudoctor.prescribe.plan import sheet_of
from gpudoctor.prescribe.request.request import PlanRequest, specifier_of
from gpudoctor.prescribe.request.target import Pin
from gpudoctor.rules.engine.wording import finding
from unit.prescribe.sheets import sheet

_SITE = "/env/lib/python3.12/site-packages"
_ELSEWHERE = "/opt/shared/lib"


@dataclass(frozen=True, kw_only=True)
class Case:
    """A machine with what was asked about it."""

    sheet: FactSheet
    options: Options = Options()
    request: PlanRequest | None = None
    """What `plan` was asked for; the sheet is what it states."""
    allow_cpu: bool = False
    finds: tuple[Finding, ...] = ()
    """What was found by running kernels."""
    is_rare: bool = True

    @property
    def asked(self) -> tuple[Pin, ...]:
        """What of torch was asked for."""
        spec = self.request.torch if self.request else self.options.torch_spec
        return (Pin(specifier=specifier_of(spec), why="--torch"),) if spec else ()


def rare_case(number: int) -> Case:
    """The rare machine of a number."""
    draw = random.Random(f"rare {number}")
    return draw.choice(_KINDS)(draw)


def _amd(draw: random.Random) -> Case:
    cards = [card for card in kb_amd.gpus() if card.kind != "igpu"]
    gpus = tuple(
        Gpu(
            index=position,
            name=f"AMD {card.name}",
            vendor="amd",
            gfx=card.gfx,
            driver="amdgpu",
            integrated=False,
            pci_address=f"0000:{3 + position:02x}:00.0",
        )
        for position, card in enumerate(draw.sample(cards, draw.choice([1, 1, 2])))
    )
    if draw.random() < 0.2:
        inside = next(card for card in kb_amd.gpus() if card.kind == "igpu")
        gpus += (
            Gpu(
                index=len(gpus),
                name=f"AMD {inside.name}",
                vendor="amd",
                gfx=inside.gfx,
                driver="amdgpu",
                integrated=True,
            ),
        )
    nodes = tuple(DeviceFile(path=p, openable=True) for p in ("/dev/kfd", "/dev/dri/renderD128"))
    driver = VendorDriver(modules=("amdgpu",), in_tree=True, device_files=nodes)
    builds = [b for b in torch_releases.builds() if b.kind == "rocm" and b.exists]
    build = draw.choice([None, *builds])
    torch = Torch(version="2.9.1+cpu", path=f"{_SITE}/torch")
    if build is not None:
        torch = Torch(
            version=f"{build.torch}+{build.variant}",
            hip=build.variant.removeprefix("rocm"),
            path=f"{_SITE}/torch",
        )
    return Case(sheet=_linux(draw, gpus=gpus, amd=driver, torch=torch))


def _intel(draw: random.Random) -> Case:
    name, device = draw.choice([("Arc A770", "56a0"), ("Arc B580", "e20b"), ("Arc A380", "56a5")])
    gpu = Gpu(
        index=0, name=f"Intel {name}", vendor="intel", pci_id=f"8086:{device}",
        driver="xe", integrated=False, pci_address="0000:03:00.0",
    )  # fmt: skip
    driver = VendorDriver(
        modules=("xe",),
        device_files=(DeviceFile(path="/dev/dri/renderD128", openable=True),),
        libraries=("/usr/lib/x86_64-linux-gnu/libze_intel_gpu.so.1",),
    )
    torch = draw.choice(
        [Torch(version="2.9.1+xpu", xpu="20250302"), Torch(version="2.9.1+cu128", cuda="12.8")]
    )
    torch = replace(torch, path=f"{_SITE}/torch")
    return Case(sheet=_linux(draw, gpus=(gpu,), intel=driver, torch=torch))


def _old_graphics(draw: random.Random) -> Case:
    """Nothing but Intel graphics that are older than what the XPU builds serve."""
    gpu = Gpu(
        index=0, name="Intel HD Graphics 630", vendor="intel", pci_id="8086:5912", driver="i915",
        integrated=True, pci_address="0000:00:02.0",
    )  # fmt: skip
    driver = VendorDriver(modules=("i915",))
    return Case(
        sheet=_linux(draw, gpus=(gpu,), intel=driver, torch=None), options=Options(choose=True)
    )


def _linux(draw: random.Random, **facts: object) -> FactSheet:
    python = Python(
        executable="/env/bin/python",
        version=draw.choice(["3.10.12", "3.12.4", "3.13.1"]),
        implementation="cpython",
        environment="venv",
        bits=64,
        prefix="/env",
        has_pip=True,
        headers=True,
        writable=True,
    )
    host = Host(
        os="linux", arch="x86_64", libc="glibc", glibc=draw.choice(["2.39", "2.39", "2.26"]),
        distribution_id="ubuntu",
    )  # fmt: skip
    return FactSheet(Facts(host=host, python=python, **facts))  # type: ignore[arg-type]  # by name


def _apple(draw: random.Random) -> Case:
    intel = draw.random() < 0.2
    system = draw.choice(["12.7", "13.6", "14.5", "15.6", "26.0"])
    host = Host(os="macos", arch="x86_64" if intel else "arm64", distribution_version=system)
    gpu = Gpu(index=0, name="Apple M3", vendor="apple")
    made = sheet(os="macos", driver=None, python=draw.choice(["3.9.2", "3.12.4", "3.14.0"]))
    facts = replace(made.facts, host=host, gpus=() if intel else (gpu,))
    return Case(sheet=FactSheet(facts), options=Options(choose=draw.random() < 0.8))


def _shadowed(draw: random.Random) -> Case:
    """A torch on PYTHONPATH or in the user site comes before the environment's own."""
    first = draw.choice(["2.9.1+cpu", "2.6.0+cu124", "2.9.1+cu128"])
    own = draw.choice(["2.9.1+cu128", "2.8.0+cpu", "2.9.1+cu126"])
    user = draw.random() < 0.5
    made = sheet(
        draw.choice(["RTX 4090", "RTX 5090", "T4"]),
        torch=first,
        user_site=_ELSEWHERE if user else None,
    ).facts
    copies = (f"{_ELSEWHERE}/torch", f"{_SITE}/torch")
    return Case(
        sheet=FactSheet(
            replace(
                made,
                torch=replace(made.torch, path=copies[0], copies=copies),
                packages=(Package(name="torch", version=own, location=_SITE),),
                environment={} if user else {"PYTHONPATH": f"/x:{_ELSEWHERE}"},
            )
        )
    )


def _pinned(draw: random.Random) -> Case:
    """A torch that was asked for, on whatever GPU and driver."""
    made = sheet(
        draw.choice(["RTX 5090", "GTX 1080", "A100", "B200", "K80"]),
        driver=draw.choice(["470.256.02", "535.183.01", "580.95.05"]),
        python=draw.choice(["3.10.4", "3.12.4", "3.14.0"]),
    )
    wanted = draw.choice(["2.1.0", "2.6.0", "==2.7.1", ">=2.8,<2.11", "2.15", "1.13.1"])
    return Case(sheet=made, options=Options(torch_spec=wanted, choose=True, fixed_python=True))


def _thor(draw: random.Random) -> Case:
    """A module of NVIDIA, whose driver comes with its system and is not changed by itself."""
    driver = draw.choice(["570.172.08", "580.95.05"])
    made = sheet("Jetson Thor", arch="aarch64", driver=driver, cuda="12.8")
    return Case(sheet=made, options=Options(choose=True, fixed_python=draw.random() < 0.5))


def _planned(draw: random.Random) -> Case:
    """Something that `plan` is asked: much or little is stated."""
    cards = ["RTX 5090", "GTX 1080", "A100", "K80", "RX 7900 XTX", "RX 6600 XT", "B580", "M3"]
    request = PlanRequest(
        gpus=tuple(draw.sample(cards[:4], 2) if draw.random() < 0.3 else [draw.choice(cards)]),
        driver=draw.choice([None, None, "470.256.02", "550.54.15", "580.95.05"]),
        os=draw.choice([None, "linux", "windows", "wsl"]),
        python=draw.choice([None, "3.9", "3.12", "3.13t"]),
        torch=draw.choice([None, None, None, "2.6.0", "1.13.1"]),
        tool=draw.choice(["auto", "uv"]),
    )
    return Case(sheet=sheet_of(request), request=request)


def _old_system(draw: random.Random) -> Case:
    """An old C library, or a macOS that is too old for the wheels of a new Python."""
    if draw.random() < 0.3:
        host = Host(os="macos", arch="arm64", distribution_version="10.15")
        made = sheet(os="macos", driver=None, python="3.14.0").facts
        gpu = Gpu(index=0, name="Apple M1", vendor="apple")
        found = FactSheet(replace(made, host=host, gpus=(gpu,)))
    elif draw.random() < 0.5:
        amd = _amd(draw).sheet.facts
        found = FactSheet(replace(amd, host=replace(amd.host, glibc="2.17")))
    else:
        made = sheet("RTX 4090", python="3.12.4").facts
        other = draw.choice([{"glibc": "2.12"}, {"glibc": None, "libc": "musl"}])
        found = FactSheet(replace(made, host=replace(made.host, **other)))
    return Case(sheet=found, options=Options(choose=True, fixed_python=True))


def _amd_in_wsl(draw: random.Random) -> Case:
    card = draw.choice(["RX 7900 XTX", "RX 6800 XT", "RX 9070 XT", "MI210"])
    request = PlanRequest(gpus=(card,), os=draw.choice(["wsl", "wsl", "windows"]), python="3.12")
    return Case(sheet=sheet_of(request), request=request)


def _jetson(draw: random.Random) -> Case:
    l4t = draw.choice(["35.4.1", "36.4.0"])
    python = draw.choice(["3.8.10", "3.10.12"])
    made = sheet("Jetson Orin", arch="aarch64", driver="540.4.0", cuda="12.6", python=python)
    host = replace(made.facts.host, jetson="NVIDIA Jetson AGX Orin", l4t=l4t, glibc="2.35")
    return Case(sheet=FactSheet(replace(made.facts, host=host)))


def _ready_image(draw: random.Random) -> Case:
    made = sheet(draw.choice(["RTX 5090", "T4"]), torch="2.6.0+cu124", environment="system").facts
    environment = {"PIP_CONSTRAINT": "/etc/pip/constraint.txt"}
    host = replace(made.host, container="docker")
    return Case(sheet=FactSheet(replace(made, host=host, environment=environment)))


def _of_the_system(draw: random.Random) -> Case:
    """A Python that the system keeps for its own packages."""
    gpu = draw.choice(["RTX 5090", "A100"])
    return Case(sheet=sheet(gpu, environment="system", externally_managed=True))


def _damaged(draw: random.Random) -> Case:
    made = sheet("RTX 4090", torch="2.9.1+cu128")
    library = Unknown("libraries[torch/lib/libtorch_cuda.so]", "cut off", "elf", "damaged")
    return Case(sheet=FactSheet(made.facts, (library,)))


def _nightly(draw: random.Random) -> Case:
    """A nightly that fails, as its import shows."""
    made = sheet("RTX 5090", torch="2.9.1+cu128")
    version = "2.15.0.dev20260810+cu130"
    torch = replace(made.facts.torch, version=version, cuda="13.0", distribution_version=version)
    packages = (Package(name="torch", version=version),)
    return Case(
        sheet=FactSheet(replace(made.facts, torch=torch, packages=packages)),
        options=Options(channel=draw.choice(["stable", "nightly"])),
        finds=(finding("smoke-failed", "A kernel failed"),),
    )


def _owned(draw: random.Random) -> Case:
    """An environment of uv, or one that a lock file owns, with a cuDNN newer than the pin."""
    owner = draw.choice([{"environment": "uv"}, {"lock_owner": "uv", "lock_file": "/env/uv.lock"}])
    later = Package(name="nvidia-cudnn-cu12", version="9.15.1.9")
    needs = Package(name="tensorflow", version="2.18", requires=("nvidia-cudnn-cu12>=9",))
    made = sheet("RTX 5090", torch="2.9.1+cpu", packages=(later, needs), **owner)
    return Case(sheet=made, options=Options(torch_spec=draw.choice([None, "2.15"])))


def _little_known(draw: random.Random) -> Case:
    """A text that leaves out the processor, the Python or the GPU's generation."""
    made = sheet("RTX 5090", torch="2.6.0+cu124")
    facts = replace(made.facts, host=replace(made.facts.host, arch=None), python=Python())
    lost = [Unknown("host.arch", "", "text", "not-stated")]
    lost.append(Unknown("python.version", "", "text", "not-stated"))
    if draw.random() < 0.5:
        gpu = replace(facts.gpus[0], compute_capability=None, sm=None)
        facts = replace(facts, gpus=(gpu,), torch=None, packages=())
        lost.append(Unknown("gpus[0].compute_capability", "", "text", "not-stated"))
    return Case(sheet=FactSheet(facts, tuple(lost)))


def _no_cure(draw: random.Random) -> Case:
    """Wrong numbers, against which no step is known; a card that no build serves."""
    if draw.random() < 0.5:
        found = finding("wrong-numbers", "A matrix product is wrong on GPU 0")
        return Case(sheet=sheet("RTX 4090", torch="2.9.1+cu128"), finds=(found,))
    gpu = Gpu(
        index=0, name="AMD Radeon RX 580", vendor="amd", gfx="gfx803", driver="amdgpu",
        integrated=False,
    )  # fmt: skip
    made = _amd(draw).sheet.facts
    return Case(sheet=FactSheet(replace(made, gpus=(gpu,), torch=Torch(version="2.9.1+cpu"))))


def _no_gpu_allowed(draw: random.Random) -> Case:
    made = sheet(driver=None, torch=draw.choice(["2.9.1+cpu", "2.9.1+cu128"])).facts
    return Case(
        sheet=FactSheet(replace(made, kernel_module=KernelModule(loaded=False))), allow_cpu=True
    )


_KINDS = (
    _amd, _amd, _intel, _apple, _shadowed, _pinned, _thor, _no_gpu_allowed, _planned, _planned,
    _old_system, _amd_in_wsl, _jetson, _ready_image, _damaged, _nightly, _owned, _little_known,
    _no_cure, _old_graphics, _of_the_system,
)  # fmt: skip
