"""Ways out beyond the wheels of the PyTorch index: a vendor's index, another Python, the source."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from gpudoctor.compat.amd_target import wsl_serves
from gpudoctor.kb.hardware import amd_gpus as kb_amd
from gpudoctor.kb.software.torch_releases import Build
from gpudoctor.model.facts import Torch
from gpudoctor.model.prescription import Claim, Step
from gpudoctor.model.terms.sentence import said
from gpudoctor.model.terms.version import numbers
from gpudoctor.model.value import replace
from gpudoctor.prescribe.build import prediction as predict
from gpudoctor.prescribe.build.install import install
from gpudoctor.prescribe.build.solver import best, ranked
from gpudoctor.prescribe.build.vendor_notes import vendor_notes
from gpudoctor.prescribe.commands.install_commands import (
    ChangedEnvironment,
    EnvironmentChange,
    steps,
)
from gpudoctor.prescribe.commands.mirror import MirroredIndex
from gpudoctor.prescribe.commands.new_environment import interpreter_in, new_environment
from gpudoctor.prescribe.driver.branches import DriverPlan, driver_for
from gpudoctor.prescribe.driver.driver_steps import driver_steps
from gpudoctor.prescribe.known_steps import amd_index
from gpudoctor.prescribe.options import source_build
from gpudoctor.prescribe.options.question import Option, Question, Way, way_of
from gpudoctor.prescribe.request.target import Target, is_served_gfx, served


def _same(way: Way) -> Way:
    return way


def amd_ways(question: Question) -> Iterator[Option]:
    """AMD's own index, which has builds for Windows and for more GPUs than PyTorch's."""
    system = question.target.os or ""
    index = amd_index(question.target.platform)
    if question.kind != "rocm" or question.asked or index is None:
        return
    gfx = _amd_cards(question)
    if any(kb_amd.own_builds(name, system) is None for name in gfx):
        return
    if question.target.wsl and not all(map(wsl_serves, gfx)):
        return
    extras = ",".join(f"device-{name}" for name in gfx)
    packages = (f"torch[{extras}]",)
    untested = [name for name in gfx if kb_amd.own_builds(name, system) == "untested"]
    text = f"AMD has built it for {', '.join(untested)} and not tested it."
    caution = said("untested-by-amd", text, gfx=untested)
    way = Way(
        kind="vendor",
        why=_why_amd(question, gfx),
        steps=from_vendor(question, index, packages),
        sheet=predict.with_vendor_torch(
            question.sheet, Torch(version="2.0+rocm", hip="7", arch_source="knowledge")
        ),
        risk="medium",
        index_url=index,
        packages=packages,
        notes=(
            *((caution,) if untested else ()),
            *vendor_notes(question.sheet, question.target),
        ),
        claims=(Claim(claim=f"AMD's index has torch for {extras}", source=index),),
    )
    yield Option("vendor", partial(_same, way))


def _amd_cards(question: Question) -> tuple[str, ...]:
    """The instruction sets of all AMD cards: this index serves more than PyTorch's does."""
    cards = [gpu for _, gpu in served(question.sheet) if gpu.vendor == "amd" and not gpu.integrated]
    return tuple(sorted({gpu.gfx for gpu in cards if gpu.gfx})) or question.target.gfx


def _why_amd(question: Question, gfx: tuple[str, ...]) -> str:
    """Why AMD's own index: the only one that serves these GPUs here, or one more."""
    platform = question.target.platform
    missing = [name for name in gfx if not is_served_gfx(name, platform)]
    if missing:
        text = (
            f"PyTorch's own index has no build for {', '.join(missing)} on this system; AMD's "
            "index has one."
        )
        return said("in-amd-index-alone", text, gfx=missing)
    text = (
        f"AMD's own index has torch for {', '.join(gfx)} too, with the kernels of each GPU apart."
    )
    return said("in-amd-index-too", text, gfx=gfx)


def from_vendor(question: Question, url: str | None, packages: tuple[str, ...]) -> tuple[Step, ...]:
    """The steps that install torch from an index whose versions are not known here."""
    names = ("torch", "torchvision", "torchaudio")
    have = tuple(p.name for p in question.sheet.facts.packages if p.name in names)
    return steps(
        EnvironmentChange(index=MirroredIndex(url), packages=packages, removals=have),
        question.place,
    )


def python_ways(question: Question) -> Iterator[Option]:
    """A new environment with a Python that has wheels."""
    python = question.target.python
    if python is None:
        return
    free = replace(question.target, python=None, implementation=None, bits=None)
    builds = ranked(free, kind=question.kind)
    driver = None if builds else _driver_too(question)
    if driver is not None:
        free = replace(free, driver=driver.version, driver_cuda=None)
        builds = ranked(free, kind=question.kind)
    if not builds:
        return
    build = builds[0]
    plain = [name for name in build.pythons if not name.endswith("t")] or list(build.pythons)
    # The Python nearest to the one that is there, the older one of two.
    wanted = min(plain, key=lambda name: (abs(numbers(name)[1] - numbers(python)[1]), name))
    if wanted == python:
        return
    sheet = predict.with_python(question.sheet, wanted)
    if driver is not None:
        sheet = predict.with_driver(sheet, driver)
    folder = f"torch-{wanted}"
    windows = question.target.os == "windows"
    place = ChangedEnvironment(tool="pip", python=interpreter_in(folder, windows=windows))
    found = install(sheet, build, place, question.options.index_url, question.target.gpus)
    make = new_environment(wanted, folder, windows=windows)
    before = driver_steps(driver, question.host) if driver is not None else ()
    way = replace(
        way_of("python", found),
        why=said(
            "with-python",
            f"No wheel{_that_serves(question)} exists for Python {python}; torch "
            f"{build.torch}+{build.variant} has one for Python {wanted}, in an environment of its "
            f"own{f', and needs a newer driver ({driver.why})' if driver else ''}.",
            torch=build.torch,
            variant=build.variant,
            python=wanted,
        ),
        # The interpreter does not exist yet: these are for the person who makes it.
        steps=(*before, make, *(replace(step, argv=()) for step in found.steps)),
        risk="high" if before else "medium",
    )
    yield Option("python", partial(_same, way), build)


def _that_serves(question: Question) -> str:
    return f" that serves {question.gpu_names}" if question.gpu_names else ""


def _driver_too(question: Question) -> DriverPlan | None:
    """The driver that another Python needs besides; `None`: none is known to do."""
    target = question.target
    if not target.gpus or target.driver is None or any(gpu.is_tegra for gpu in target.gpus):
        return None
    free = replace(target.without_driver(), python=None, implementation=None, bits=None)
    build = best(free)
    if build is None:
        return None
    names = tuple(gpu.name or "" for _, gpu in served(question.sheet))
    linux = target.os == "linux" and not target.wsl
    major = numbers(build.cuda or "")[0]
    plan = driver_for(target.gpus, cuda_major=major, names=names, linux=linux)
    return plan if isinstance(plan, DriverPlan) else None


def source_ways(question: Question) -> Iterator[Option]:
    """A build from source for these GPUs."""
    target = question.target
    wanted = question.options.from_source
    if not wanted and (target.libc == "musl" or _has_wheel(target) or question.slower_than_cpu):
        return
    if target.platform == "win_arm64":
        return  # there is no CUDA toolkit for it
    recipe = source_build.recipe_for(target)
    if recipe is None or not target.gpus or any(g.is_tegra and g.major < 11 for g in target.gpus):
        return
    looked = question.sheet.why_unknown("toolkits") is None
    first, python = _python_for_source(recipe, question)
    steps = source_build.torch_recipe(question.sheet.facts, target, recipe, python, looked=looked)
    if not steps:
        return
    steps = (*first, *steps)
    release, toolkit = recipe.release, recipe.toolkit
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
    way = Way(
        kind="source",
        why=said(
            "from-source",
            f"A build of torch {release} from source with CUDA {toolkit} serves "
            f"{question.gpu_names}.",
            toolkit=toolkit,
        ),
        steps=steps,
        sheet=found.sheet,
        risk="high",
    )
    yield Option("source", partial(_same, way))


def _python_for_source(
    recipe: source_build.Recipe, question: Question
) -> tuple[tuple[Step, ...], str]:
    """The interpreter to build with; first an environment for it, where the release needs one."""
    if recipe.python is None:
        return (), question.place.python
    windows = question.target.os == "windows"
    folder = f"torch-{recipe.python}"
    # The source is cloned beside this folder, and the build starts inside the clone.
    above = "..\\" if windows else "../"
    made = new_environment(recipe.python, folder, windows=windows)
    return (made,), above + interpreter_in(folder, windows=windows)


def _has_wheel(target: Target) -> bool:
    """Whether wheels for these GPUs exist, so that driver, Python or a pin is what forbids them."""
    free = replace(target.without_driver(), python=None, implementation=None, bits=None, pins=())
    return best(free) is not None
