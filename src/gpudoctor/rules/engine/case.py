"""The case: a fact sheet as the rules look at it, with what several of them derive from it."""

from __future__ import annotations

from collections.abc import Container, Mapping
from functools import lru_cache

from gpudoctor.compat.amd_target import best_service
from gpudoctor.compat.architecture import ComputeCapability
from gpudoctor.model.fact import Unknown
from gpudoctor.model.facts import Driver, Facts, Gpu, Host, KernelModule, Library, Package
from gpudoctor.model.finding import Evidence
from gpudoctor.model.identity import Identical
from gpudoctor.model.sheet import FactSheet, by_path, parents
from gpudoctor.model.terms.platform import Platform, platform_of
from gpudoctor.model.value import cached_property
from gpudoctor.rules.engine import knowledge_queries as knowledge
from gpudoctor.rules.engine.devices import Code as Code
from gpudoctor.rules.engine.devices import Device as Device
from gpudoctor.rules.engine.devices import HipCode as HipCode
from gpudoctor.rules.engine.devices import as_text

TORCH = ("torch", "libtorch", "pytorch")
"""The distributions that hold torch's own libraries; conda calls them otherwise than pip."""

_NO_HOST = Host()
_NO_DRIVER = Driver()
_NO_MODULE = KernelModule()


class Case:
    """One fact sheet, read-only; everything derived is worked out once, when first asked for."""

    def __init__(self, sheet: FactSheet) -> None:
        self.sheet = sheet
        self.facts: Facts = sheet.facts
        self.unknown: Mapping[str, Unknown] = sheet.unknown_by_path

    # What is known

    def why_unknown(self, path: str) -> Unknown | None:
        """The entry that makes `path` unknown; `None` if it is known or known to be absent."""
        if not self.unknown:
            return None
        for step in parents(path):
            if step in self.unknown:
                return self.unknown[step]
        return None

    def unknown_of_a_gpu(self, field: str) -> tuple[str, Unknown] | None:
        """The first GPU whose `field` is unknown: its path, and why."""
        for position in range(len(self.facts.gpus)):
            path = f"gpus[{position}].{field}"
            if unknown := self.why_unknown(path):
                return path, unknown
        return None

    def knows(self, path: str) -> bool:
        """Whether `path` was looked for with an answer, be it that nothing is there."""
        return self.why_unknown(path) is None

    def evidence(self, path: str, value: object = None) -> Evidence:
        """The fact at `path` as evidence; `value` where another wording says more."""
        shown = self._value(path) if value is None else value
        if shown is None and not self.knows(path):
            shown = "unknown"
        return Evidence(fact=path, value=as_text(shown), source=self.sheet.source(path))

    def _value(self, path: str) -> object:
        fact = self.sheet.fact(path)
        return getattr(fact, "value", None)

    # The host

    @property
    def host(self) -> Host:
        """The host; an empty one where nothing is said of it."""
        return self.facts.host or _NO_HOST

    @property
    def driver(self) -> Driver:
        """The driver; an empty one where there is none."""
        return self.facts.driver or _NO_DRIVER

    @property
    def module(self) -> KernelModule:
        """The kernel's side of the driver; an empty one where nothing is said of it."""
        return self.facts.kernel_module or _NO_MODULE

    @cached_property
    def native_linux(self) -> bool:
        """Linux with a kernel module of its own: neither WSL nor a Jetson's vendor kernel."""
        host = self.host
        return host.os in ("linux", None) and not host.wsl and not self.jetson

    @cached_property
    def jetson(self) -> bool:
        """A Jetson, whose driver comes with JetPack and has its own numbers."""
        host = self.host
        if host.jetson is not None or host.l4t is not None:
            return True
        return any(
            device.capability is not None and device.capability.is_tegra for device in self.nvidia
        )

    @cached_property
    def platform(self) -> Platform | None:
        """The wheels' platform as the knowledge base writes it: `linux_x86_64`."""
        return platform_of(self.host.os, self.host.arch)

    # The GPUs

    @cached_property
    def devices(self) -> tuple[Device, ...]:
        """Every GPU of the machine."""
        return _devices(Identical(self.facts.gpus), Identical(self.sheet.unknown))

    @cached_property
    def nvidia(self) -> tuple[Device, ...]:
        """Every NVIDIA GPU, masked ones too."""
        return tuple(device for device in self.devices if device.gpu.vendor == "nvidia")

    @cached_property
    def visible(self) -> tuple[Device, ...]:
        """The NVIDIA GPUs that no mask is known to hide."""
        return tuple(device for device in self.nvidia if device.gpu.visible is not False)

    @cached_property
    def cuda_works(self) -> bool:
        """Whether the driver's own `cuInit` succeeded, which disproves most driver troubles."""
        return self.driver.cu_init == 0 and self.knows("driver.cu_init")

    def listed_by_driver(self, device: Device) -> bool:
        """Whether the driver itself reported this GPU (PCI alone gives neither of these)."""
        gpu = device.gpu
        return gpu.cuda_index is not None or gpu.memory_bytes is not None or gpu.uuid is not None

    def is_spare(self, device: Device) -> bool:
        """Whether an NVIDIA GPU is too old for every build of torch, beside one that is served.

        Such a card drives a screen; nobody expects to train on it.
        """
        others = len(self.visible) > 1 or self.rocm_serves
        if not others or device.capability is None:
            return False
        if knowledge.is_served(device.capability, self.platform):
            return False
        return self.rocm_serves or any(
            other.capability is not None
            and other.capability > device.capability
            and knowledge.is_served(other.capability, self.platform)
            for other in self.visible
            if other is not device
        )

    @cached_property
    def rocm_serves(self) -> bool:
        """Whether torch is a ROCm build and an AMD GPU is there for it."""
        torch = self.facts.torch
        return bool(torch and torch.hip) and any(s.gpu.vendor == "amd" for s in self.devices)

    @cached_property
    def wants_driver(self) -> bool:
        """Whether NVIDIA's driver would be of use: some NVIDIA GPU is one that a build of torch
        serves, or may serve, and torch is not one for an AMD GPU that is there."""
        return not self.rocm_serves and any(
            device.capability is None or not knowledge.is_older_than_all(device.capability)
            for device in self.nvidia
        )

    def could_train(self, device: Device) -> bool:
        """Whether people would train on this GPU, as far as is known.

        The graphics inside a processor count where a build serves them; on the others nobody
        trains, and a machine with one of them alone is a machine without a GPU.
        """
        gpu = device.gpu
        if gpu.vendor == "amd":
            # A ROCm build on a machine with nothing but these is no accident.
            meant = self.facts.torch is not None and bool(self.facts.torch.hip)
            return meant or not gpu.integrated or bool(gpu.gfx and knowledge.gfx_on_index(gpu.gfx))
        if gpu.vendor == "intel":
            return gpu.integrated is False or bool(knowledge.intel_is_served(gpu.name))
        return gpu.vendor in ("nvidia", "apple")

    def is_used(self, device: Device) -> bool:
        """Whether the installed torch runs on this GPU, as far as its build and driver say.

        Not where it has no code for it, nor where the driver gives it no number while it numbers
        others. What is not known of a GPU is not held against it.
        """
        torch = self.facts.torch
        if torch is None or device.gpu.visible is False:
            return False
        match device.gpu.vendor:
            case "nvidia":
                return torch.cuda is not None and self._cuda_runs_on(device)
            case "amd":
                return torch.hip is not None and self._hip_runs_on(device)
            case "intel":
                return torch.xpu is not None and self.could_train(device)
        return False

    def _cuda_runs_on(self, device: Device) -> bool:
        numbered = any(other.gpu.cuda_index is not None for other in self.nvidia)
        if numbered and device.gpu.cuda_index is None and self.knows(f"{device.path}.cuda_index"):
            return False
        if self.code is None or device.capability is None:
            return True
        return knowledge.native(self.code.sass, device.capability) or knowledge.jittable(
            self.code.ptx, device.capability
        )

    def _hip_runs_on(self, device: Device) -> bool:
        beside = [other.gpu for other in self.devices if other.gpu.vendor == "amd"]
        card = any(not gpu.integrated and gpu.visible is not False for gpu in beside)
        if card and device.gpu.integrated:
            return False  # nobody trains on the graphics inside the processor
        if device.gpu.gfx is None or self.hip_code is None:
            return self.could_train(device)
        if self.environment.get("HSA_OVERRIDE_GFX_VERSION"):
            return True
        return best_service(self.hip_code.targets, device.gpu.gfx) != "none"

    @cached_property
    def hip_code(self) -> HipCode | None:
        """The targets of the installed ROCm build: read from it, else those of the published
        build of that name; `None` where neither is known, or where torch is no ROCm build."""
        torch = self.facts.torch
        if torch is None or not torch.hip or not torch.version:
            return None
        archives = any(library.kernel_archive for library in self.torch_libraries)
        if (torch.gfx or archives) and self.knows("torch.gfx"):
            return HipCode(torch.gfx, self.sheet.source("torch.gfx"))
        build = knowledge.rocm_build_of(torch.version, torch.hip)
        return HipCode(build.gfx, "knowledge base") if build is not None and build.gfx else None

    # The environment

    @property
    def torch_name(self) -> str:
        """How a sentence names the installed torch."""
        torch = self.facts.torch
        known = torch is not None and torch.version and self.knows("torch.version")
        return f"torch {torch.version}" if torch is not None and known else "the installed torch"

    @property
    def pip(self) -> tuple[str, ...]:
        """How pip of the examined environment is called."""
        python = self.facts.python
        executable = python.executable if python and self.knows("python.executable") else None
        return (executable, "-m", "pip") if executable else ("pip",)

    @cached_property
    def code(self) -> Code | None:
        """The architectures of the installed CUDA build: read, or else of the published build
        of that name; `None` where neither is known, or where torch is no CUDA build."""
        torch = self.facts.torch
        if torch is None:
            return None
        if (torch.sass or torch.ptx) and self.knows("torch.sass"):
            ptx = torch.ptx if self.knows("torch.ptx") else ()
            return Code(torch.sass, ptx, self.sheet.source("torch.sass"))
        if torch.cuda is None or not torch.version or not self.knows("torch.version"):
            return None
        if torch.path is not None and self.knows("torch.path"):
            # It was looked at, and its code could not be had: it may be damaged, or a build of
            # somebody's own, and is not what was published.
            return None
        found = knowledge.code_of(torch.version, torch.cuda, self.platform)
        return None if found is None else Code(*found, "knowledge base")

    @cached_property
    def torch_libraries(self) -> tuple[Library, ...]:
        """The libraries with device code that belong to torch itself."""
        return tuple(item for item in self.facts.libraries if item.distribution in TORCH)

    @cached_property
    def code_owners(self) -> frozenset[str | None]:
        """Names of the distributions that brought libraries with device code."""
        return frozenset(item.distribution for item in self.facts.libraries)

    @cached_property
    def nvidia_packages(self) -> Mapping[str, Package]:
        """Those of the installed distributions that are called nvidia-…"""
        return {n: p for n, p in self.packages.items() if n.startswith("nvidia-")}

    @cached_property
    def packages(self) -> Mapping[str, Package]:
        """Installed distributions by normalised name."""
        return {package.name: package for package in reversed(self.facts.packages)}

    @property
    def environment(self) -> Mapping[str, str]:
        """Environment variables that change the outcome."""
        return self.facts.environment


@lru_cache(maxsize=64)
def _devices(
    gpus: Identical[tuple[Gpu, ...]], unknown: Identical[tuple[Unknown, ...]]
) -> tuple[Device, ...]:
    """The GPUs with what is known of their capability; most predictions leave both as they are."""
    not_known = by_path(unknown)
    return tuple(
        Device(position, gpu, _capability(gpu, f"gpus[{position}]", not_known))
        for position, gpu in enumerate(gpus.value)
    )


def _capability(gpu: Gpu, path: str, not_known: Container[str]) -> ComputeCapability | None:
    for field, text in (("compute_capability", gpu.compute_capability), ("sm", gpu.sm)):
        if text and not any(step in not_known for step in parents(f"{path}.{field}")):
            try:
                return ComputeCapability.parse(text)
            except ValueError:
                continue
    return None
