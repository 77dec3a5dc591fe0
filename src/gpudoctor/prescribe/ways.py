"""The ways out, each with its steps and the facts that it leads to, in order of preference.

Smallest change and smallest risk first: repair what is beside torch, another wheel, another
wheel that takes extensions along, another driver, fewer GPUs, a nightly, another Python, a build
from source. Where the driver does not know a GPU, the driver comes first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from typing import Literal

from gpudoctor.kb import cuda as kb_cuda
from gpudoctor.kb import torch_releases
from gpudoctor.kb.torch_releases import Build
from gpudoctor.model.facts import Host
from gpudoctor.model.finding import Finding
from gpudoctor.model.prescription import Claim, Risk, Step
from gpudoctor.model.sheet import FactSheet
from gpudoctor.prescribe import jetson, mask, predict, source_build
from gpudoctor.prescribe.candidates import version_key
from gpudoctor.prescribe.commands import Place, place_of
from gpudoctor.prescribe.companions import pins_of
from gpudoctor.prescribe.driver_steps import claim as driver_claim
from gpudoctor.prescribe.driver_steps import driver_steps
from gpudoctor.prescribe.drivers import DriverPlan, driver_for, knows
from gpudoctor.prescribe.install import Installation, install, repair
from gpudoctor.prescribe.request import Options, specifier_of
from gpudoctor.prescribe.solver import best, ranked
from gpudoctor.prescribe.target import Pin, Target, capability, served, target_of

WayKind = Literal["repair", "wheel", "driver", "mask", "nightly", "jetson", "python", "source"]
_TRIES = 4


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
    def place(self) -> Place:
        """The environment and the tool that changes it."""
        conda = tuple(
            package.name if package.name != "torch" else "pytorch"
            for package in self.sheet.facts.packages
            if package.installer == "conda"
            and package.name in ("torch", "pytorch", "torchvision", "torchaudio")
        )
        return place_of(self.sheet.facts.python, self.options.tool, conda)

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
    def gpu_names(self) -> str:
        """The visible GPUs for a sentence."""
        return mask.names([gpu for _, gpu in served(self.sheet)])

    @cached_property
    def unknown_to_driver(self) -> bool:
        """Whether the driver's branch does not serve one of the GPUs."""
        driver = self.target.driver
        if "gpu-needs-other-driver-branch" in self.names:
            return True
        if driver is None or jetson.is_jetson(self.sheet):
            return False
        return any(not g.is_tegra and knows(driver, g) is False for g in self.target.gpus)


def ways(question: Question) -> Iterator[Way]:
    """Every way out that can be thought of, the preferred ones first; none is proved yet."""
    if question.options.from_source:
        yield from source_ways(question)
        return
    driver_first = question.unknown_to_driver or "open-kernel-module-required" in question.names
    yield from repair_ways(question)
    if driver_first:
        yield from driver_ways(question)
    channel = question.options.channel
    yield from wheel_ways(question, channel)
    if not driver_first:
        yield from driver_ways(question)
    yield from mask_ways(question)
    if channel == "stable":
        yield from wheel_ways(question, "nightly")
    yield from jetson_ways(question)
    if not question.options.fixed_python:
        yield from python_ways(question)
    yield from source_ways(question)


def repair_ways(question: Question) -> Iterator[Way]:
    """Torch stays: companions, extensions and libraries beside it change."""
    if (
        question.asked
        or question.options.channel == "nightly"
        or question.sheet.facts.torch is None
    ):
        return
    found = repair(question.sheet, question.findings, question.place, question.options.index_url)
    if found is not None:
        yield _installed("repair", found)


def wheel_ways(question: Question, channel: str) -> Iterator[Way]:
    """Another wheel for the present driver, first with every extension in its place."""
    target = question.target
    keep = question.installed if channel == "stable" else None
    hard = replace(target, pins=target.pins + pins_of(question.sheet.facts.packages))
    seen = set()
    kind: WayKind = (
        "wheel" if channel == "stable" or question.options.channel == channel else "nightly"
    )
    for wanted in (hard, target):
        builds = ranked(wanted, kind=question.kind, channel=channel, installed=keep)
        for build in islice(builds, _TRIES):
            if build in seen:
                continue
            seen.add(build)
            found = install(
                question.sheet, build, question.place, question.options.index_url, target.gpus
            )
            yield _installed(kind, found)


def driver_ways(question: Question) -> Iterator[Way]:
    """Another driver: with the torch that is there, and with the one that is then best."""
    target = question.target
    if not target.gpus or target.os == "macos" or target.driver is None:
        return
    if any(gpu.is_tegra for gpu in target.gpus):
        return
    free = target.without_driver()
    later = best(free, kind="cuda", installed=question.installed)
    torch = question.sheet.facts.torch
    majors = []
    if torch is not None and torch.cuda:
        majors.append((version_key(torch.cuda)[0], True))
    if later is not None:
        majors.append((version_key(later.cuda or "")[0], False))
    for major, keep in dict.fromkeys(majors):
        plan = driver_for(
            target.gpus,
            cuda_major=major,
            names=tuple(gpu.name or "" for _, gpu in served(question.sheet)),
            linux=target.os == "linux" and not target.wsl,
        )
        if isinstance(plan, DriverPlan) and not _has(question, plan):
            yield from _with_driver(question, plan, keep=keep)
    if later is not None and majors:
        # The newest build may ask for more than the last driver that serves the GPUs.
        plan = driver_for(target.gpus, linux=target.os == "linux" and not target.wsl)
        if isinstance(plan, DriverPlan) and not _has(question, plan):
            yield from _with_driver(question, plan, keep=False)


def _has(question: Question, plan: DriverPlan) -> bool:
    """Whether the present driver is of that branch or newer, and all that the plan would give."""
    driver = question.target.driver
    if driver is None or question.unknown_to_driver:
        return False
    if "open-kernel-module-required" in question.names:
        return False
    return version_key(driver)[0] >= plan.branch and "driver-too-old" not in question.names


def _with_driver(question: Question, plan: DriverPlan, *, keep: bool) -> Iterator[Way]:
    steps = driver_steps(plan, question.host)
    sheet = predict.with_driver(question.sheet, plan)
    claims = (driver_claim(question.host),)
    if keep and not question.asked:
        torch = question.sheet.facts.torch
        version = torch.version if torch else None
        yield Way(
            kind="driver",
            why=f"Driver branch {plan.branch} serves {question.gpu_names} and the installed torch "
            f"{version}; {plan.why}.",
            steps=steps,
            sheet=sheet,
            risk="high",
            claims=claims,
        )
        return
    build = best(target_of(sheet, question.asked), installed=question.installed)
    if build is None:
        return
    found = install(sheet, build, question.place, question.options.index_url, question.target.gpus)
    way = _installed("driver", found)
    yield replace(
        way,
        why=f"With driver branch {plan.branch} ({plan.why}), {way.why[:1].lower()}{way.why[1:]}",
        steps=steps + way.steps,
        risk="high",
        claims=claims + way.claims,
    )


def mask_ways(question: Question) -> Iterator[Way]:
    """Fewer GPUs: with the torch that is there, else with the best one for those that stay."""
    for visible in islice(mask.groups(question.sheet), 3):
        sheet = predict.with_mask(question.sheet, visible)
        step = mask.mask_step(question.sheet, visible)
        kept = mask.names([question.sheet.facts.gpus[position] for position in visible])
        left = mask.names([gpu for p, gpu in served(question.sheet) if p not in visible])
        if question.sheet.facts.torch is not None and not question.asked:
            yield Way(
                kind="mask",
                why=f"Without {left}, the installed torch serves {kept}.",
                steps=(step,),
                sheet=sheet,
                risk="medium",
            )
        build = best(target_of(sheet, question.asked), installed=question.installed)
        if build is None:
            continue
        gpus = target_of(sheet).gpus
        found = install(sheet, build, question.place, question.options.index_url, gpus)
        way = _installed("mask", found)
        yield replace(
            way,
            why=f"Without {left}, {way.why[:1].lower()}{way.why[1:]}",
            steps=(*way.steps, step),
            risk="medium",
        )


def jetson_ways(question: Question) -> Iterator[Way]:
    """NVIDIA's own index for a Jetson."""
    for gpu in question.target.gpus[:1]:
        row = jetson.index_of(question.sheet, gpu)
        if row is None or question.target.platform != "linux_aarch64":
            continue
        found = repair_index(question, row.index_url)
        python = question.target.python
        fits = python is None or python in row.python
        note = (
            ""
            if fits
            else (
                f" Its wheels are for Python {', '.join(row.python)}, the one of JetPack "
                f"{row.jetpack}, and this is {python}: make an environment with that one first."
            )
        )
        yield Way(
            kind="jetson",
            why=f"No ordinary wheel has code for {gpu.sm}; NVIDIA's index for JetPack "
            f"{row.jetpack} has (CUDA {row.cuda}).{note}",
            steps=found,
            sheet=jetson.with_jetson_torch(question.sheet, row, gpu),
            risk="medium",
            index_url=row.index_url,
            packages=("torch", "torchvision"),
            claims=(Claim(claim=f"torch for JetPack {row.jetpack}", source=row.source),),
        )


def repair_index(question: Question, url: str) -> tuple[Step, ...]:
    """The steps that install torch from an index whose versions are not known here."""
    from gpudoctor.prescribe.commands import Change, steps
    from gpudoctor.prescribe.mirror import Index

    have = [p.name for p in question.sheet.facts.packages if p.name in ("torch", "torchvision")]
    change = Change(index=Index(url), packages=("torch", "torchvision"), removals=tuple(have))
    return steps(change, question.place)


def python_ways(question: Question) -> Iterator[Way]:
    """A new environment with a Python that has wheels."""
    python = question.target.python
    if python is None:
        return
    free = replace(question.target, python=None, implementation=None, bits=None)
    builds = ranked(free, kind=question.kind)
    if not builds:
        return
    build = builds[0]
    plain = [name for name in build.pythons if not name.endswith("t")] or list(build.pythons)
    # The Python nearest to the one that is there, the older one of two.
    wanted = min(plain, key=lambda name: (abs(version_key(name)[1] - version_key(python)[1]), name))
    if wanted == python:
        return
    sheet = predict.with_python(question.sheet, wanted)
    windows = question.target.os == "windows"
    folder = f"torch-{wanted}"
    inside = rf"{folder}\Scripts\python.exe" if windows else f"{folder}/bin/python"
    place = Place(tool="pip", python=inside)
    found = install(sheet, build, place, question.options.index_url, question.target.gpus)
    make = new_environment(wanted, folder, windows=windows)
    yield replace(
        _installed("python", found),
        why=f"No wheel that serves {question.gpu_names} exists for Python {python}; torch "
        f"{build.torch}+{build.variant} has one for Python {wanted}, in an environment of its own.",
        steps=(make, *found.steps),
        risk="medium",
    )


def new_environment(python: str, folder: str, *, windows: bool) -> Step:
    """The step that makes an environment with another Python."""
    from gpudoctor.prescribe.quoting import command_step

    argv = ("py", f"-{python}", "-m", "venv", folder) if windows else (
        f"python{python}", "-m", "venv", folder)  # fmt: skip
    return command_step(
        "manual",
        f"Make an environment with Python {python} (`uv venv --seed --python {python} {folder}` "
        "does it too, and fetches that Python).",
        argv,
        executable=False,
    )


def source_ways(question: Question) -> Iterator[Way]:
    """A build from source for these GPUs."""
    target = question.target
    if not question.options.from_source and _has_wheel(target):
        return
    release = _source_release(target)
    steps = source_build.torch_recipe(question.sheet.facts, target, release, question.place.python)
    if not steps or not target.gpus or any(g.is_tegra and g.major < 11 for g in target.gpus):
        return
    toolkit = source_build.toolkit_for(target) or ""
    build = Build(
        torch=release,
        variant="cu" + "".join(toolkit.split(".")[:2]),
        kind="cuda",
        platform=target.platform or "linux_x86_64",
        cuda=toolkit,
        sass=tuple(gpu.sm for gpu in target.gpus),
        ptx=(f"compute_{target.gpus[-1].sm[3:]}",),
    )
    found = install(question.sheet, build, question.place, None, target.gpus)
    yield Way(
        kind="source",
        why=f"A build of torch {release} from source with CUDA {toolkit} serves "
        f"{question.gpu_names}.",
        steps=steps,
        sheet=found.sheet,
        risk="high",
        notes=found.notes,
    )


def _has_wheel(target: Target) -> bool:
    """Whether wheels for these GPUs exist, so that driver, Python or a pin is what forbids them."""
    free = replace(target.without_driver(), python=None, implementation=None, bits=None, pins=())
    return best(free) is not None


def _source_release(target: Target) -> str:
    """The newest release that is built with a toolkit which still compiles for the GPUs."""
    wanted = next((pin.specifier for pin in target.pins if pin.specifier.startswith("==")), None)
    if wanted and "*" not in wanted:
        return wanted[2:].split("+")[0]
    last = [
        version_key(span[1])[:2]
        for gpu in target.gpus
        if (span := kb_cuda.toolkits_for(str(gpu))) is not None and span[1] is not None
    ]
    if not last:
        return torch_releases.newest()
    fitting = [
        build.torch
        for build in torch_releases.builds()
        if build.kind == "cuda" and build.exists and version_key(build.cuda or "")[:2] <= min(last)
    ]
    return fitting[-1] if fitting else torch_releases.newest()


def _installed(kind: WayKind, found: Installation) -> Way:
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
    )


def visible_nvidia(sheet: FactSheet) -> list[int]:
    """Positions of the visible NVIDIA GPUs with a known capability."""
    return [p for p, gpu in served(sheet) if gpu.vendor == "nvidia" and capability(gpu)]
