"""The question that a prescription answers, and the shape of a way out."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Literal

from gpudoctor.compat.architecture import ComputeCapability
from gpudoctor.kb.hardware import nvidia_gpus as kb_gpus
from gpudoctor.kb.software.torch_releases import Build
from gpudoctor.model.facts import Gpu, Host
from gpudoctor.model.finding import Finding
from gpudoctor.model.prescription import Claim, Risk, Step
from gpudoctor.model.sheet import FactSheet
from gpudoctor.model.value import cached_property, dataclass, field, replace
from gpudoctor.prescribe.build.feasible import feasible
from gpudoctor.prescribe.build.install import BuildInstallation
from gpudoctor.prescribe.commands.install_commands import ChangedEnvironment, place_of
from gpudoctor.prescribe.driver.branches import NoDriver, driver_for, knows
from gpudoctor.prescribe.options import jetson_wheels as jetson
from gpudoctor.prescribe.options import mask
from gpudoctor.prescribe.options.nightly import failed_nightly
from gpudoctor.prescribe.request.request import Options, specifier_of
from gpudoctor.prescribe.request.target import Pin, Target, capability, served, target_of

WayKind = Literal[
    "repair", "demanded", "wheel", "driver", "mask", "nightly", "vendor", "python", "source"
]
"""`demanded`: the torch that an installed package asks for."""


_SLOW_GIB = 4.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way out, complete in itself."""

    kind: WayKind
    why: str
    steps: tuple[Step, ...]
    sheet: FactSheet
    """The facts that it leads to, as far as they can be predicted."""
    risk: Risk = "low"
    build: Build | None = None
    index_url: str | None = None
    packages: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    claims: tuple[Claim, ...] = ()
    lost: tuple[str, ...] = ()
    """Extensions that work no more afterwards."""


@dataclass(frozen=True, slots=True)
class Option:
    """A way out before it is worked out: enough to say whether that is worth it."""

    kind: WayKind
    make: Callable[[], Way]
    build: Build | None = None


@dataclass(frozen=True)
class Question:
    """The machine and what was asked, with what follows from them worked out once."""

    sheet: FactSheet
    findings: tuple[Finding, ...]
    options: Options
    names: frozenset[str] = field(default_factory=frozenset)
    """Names of the errors that were found."""

    @cached_property
    def host(self) -> Host:
        """The host, empty where nothing is known of it."""
        return self.sheet.facts.host or Host()

    @cached_property
    def place(self) -> ChangedEnvironment:
        """The environment and the tool that changes it."""
        conda = tuple(
            package.name if package.name != "torch" else "pytorch"
            for package in self.sheet.facts.packages
            if package.installer == "conda"
            and package.name in ("torch", "pytorch", "torchvision", "torchaudio")
        )
        facts = self.sheet.facts
        constraint = facts.environment.get("PIP_CONSTRAINT") or None
        return place_of(facts.python, self.options.tool, conda, constraint)

    @cached_property
    def asked(self) -> tuple[Pin, ...]:
        """What `--torch` demands."""
        if self.options.torch_spec is None:
            return ()
        return (Pin(specifier=specifier_of(self.options.torch_spec), why="--torch"),)

    @cached_property
    def target(self) -> Target:
        """All visible GPUs, with what was asked."""
        return target_of(self.sheet, self.asked)

    @cached_property
    def kind(self) -> str:
        """The kind of build that serves these GPUs."""
        if self.target.gpus:
            return "cuda"
        if self.target.gfx:
            return "rocm"
        return "xpu" if self.target.intel else "cpu"

    @cached_property
    def installed(self) -> str | None:
        """The installed torch version; a release of it is preferred."""
        return self.sheet.facts.torch.version if self.sheet.facts.torch else None

    @cached_property
    def beyond_tables(self) -> bool:
        """Whether one of the GPUs is of a generation newer than every one that is known."""
        return any(gpu > _newest_known() for gpu in self.target.gpus)

    @cached_property
    def slower_than_cpu(self) -> bool:
        """Whether the GPUs are small old ones that any processor outruns: a GT 710.

        GeForce cards before Maxwell with 4 GB and less; nobody builds torch for an hour for those.
        """
        cards = [gpu for _, gpu in served(self.sheet) if gpu.vendor == "nvidia"]
        return bool(cards) and all(map(_is_slow, cards))

    @cached_property
    def far_slower_than_cpu(self) -> bool:
        """Whether each of them is one of the smallest, a GT and no GTX."""
        cards = [gpu for _, gpu in served(self.sheet) if gpu.vendor == "nvidia"]
        return all("GTX" not in (gpu.name or "") for gpu in cards)

    @cached_property
    def no_common_build(self) -> bool:
        """Whether no published build serves all of these GPUs, whatever the driver."""
        return not feasible(self.target.without_driver(), self.kind)

    @cached_property
    def no_common_build_at_all(self) -> bool:
        """Whether that is so under any Python too."""
        free = replace(self.target.without_driver(), python=None, pins=())
        return not feasible(free, self.kind)

    @cached_property
    def lacks_display_cards_alone(self) -> bool:
        """Whether all that the installed torch leaves out are cards that drive screens."""
        cards = served(self.sheet)
        out = [gpu for at, gpu in cards if mask.torch_serves(self.sheet, (at,)) is False]
        others = [gpu for _, gpu in cards if gpu not in out]
        return bool(out and others) and all(mask.is_display_card(gpu, others) for gpu in out)

    @cached_property
    def bad_nightly(self) -> bool:
        """Whether a nightly is installed and its kernels failed."""
        return failed_nightly(self.sheet, self.findings, self.names)

    @cached_property
    def gpu_names(self) -> str:
        """The visible GPUs for a sentence, without one that only drives a screen."""
        gpus = [gpu for _, gpu in served(self.sheet)]
        meant = [gpu for gpu in gpus if capability(gpu) in self.target.gpus]
        return mask.names(meant or gpus)

    @cached_property
    def no_module(self) -> bool:
        """Whether no driver or kernel-module flavour serves all GPUs, and none lists them."""
        target = self.target
        if len(target.gpus) < 2:
            return False
        linux = target.os == "linux" and not target.wsl
        if not isinstance(driver_for(target.gpus, linux=linux), NoDriver):
            return False
        nvidia = [gpu for _, gpu in served(self.sheet) if gpu.vendor == "nvidia"]
        return any(gpu.memory_bytes is None and gpu.uuid is None for gpu in nvidia)

    @cached_property
    def unknown_to_driver(self) -> bool:
        """Whether the driver's branch does not serve one of the GPUs."""
        driver = self.target.driver
        if "gpu-needs-other-driver-branch" in self.names:
            return True
        if driver is None or jetson.is_jetson(self.sheet):
            return False
        return any(not g.is_tegra and knows(driver, g) is False for g in self.target.gpus)


@cache
def _newest_known() -> ComputeCapability:
    return max(map(ComputeCapability.parse, kb_gpus.all_capabilities()))


def _is_slow(gpu: Gpu) -> bool:
    found = capability(gpu)
    model = kb_gpus.by_name((gpu.name or "").removeprefix("NVIDIA "))
    if found is None or found >= (5, 0) or (model is not None and model.segment == "datacenter"):
        return False
    sizes = model.memory_gb if model is not None else ()
    size = gpu.memory_bytes / 2**30 if gpu.memory_bytes else max(sizes, default=None)
    return size is not None and size <= _SLOW_GIB


def way_of(kind: WayKind, found: BuildInstallation) -> Way:
    """An installation as a way out."""
    return Way(
        kind=kind,
        why=found.why,
        steps=found.steps,
        sheet=found.sheet,
        risk=found.risk,
        build=found.build,
        index_url=found.index_url,
        packages=found.packages,
        notes=found.notes,
        claims=found.claims,
        lost=found.lost,
    )
