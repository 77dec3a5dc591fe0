"""No way out: which constraint forbids it, and what would have to be given up."""

from __future__ import annotations

from gpudoctor.compat.amd_target import build_serves
from gpudoctor.kb.software import cuda as kb_cuda
from gpudoctor.kb.software import torch_releases
from gpudoctor.model.prescription import Alternative, Prescription, Step
from gpudoctor.model.terms.sentence import said, together
from gpudoctor.model.terms.version import numbers
from gpudoctor.model.value import replace
from gpudoctor.prescribe.build import prediction as predict
from gpudoctor.prescribe.build.candidates import offers
from gpudoctor.prescribe.build.install import install
from gpudoctor.prescribe.build.solver import Relaxation, best, relaxations
from gpudoctor.prescribe.driver.branches import NoDriver, driver_for
from gpudoctor.prescribe.options.question import Question
from gpudoctor.prescribe.request.target import Target, target_of

_PLATFORMS = {
    "linux_x86_64": "Linux on x86_64",
    "linux_aarch64": "Linux on aarch64",
    "win_amd64": "Windows on x86_64",
    "win_arm64": "Windows on ARM",
    "macos_arm64": "macOS on Apple silicon",
    "macos_x86_64": "macOS on Intel",
}


def impossible(question: Question, first: tuple[Step, ...] = ()) -> Prescription:
    """The prescription that says that there is none, with the nearest ways out as alternatives."""
    target = question.target
    if question.slower_than_cpu:
        return _slower_than_cpu(question, first)
    found = relaxations(target, question.kind)
    ways = [_relaxed(entry, target) for entry in found]
    none_there = question.kind != "cuda" or not offers("cuda", target.platform or "")
    if none_there and all(entry.constraint == "gfx" for entry in found):
        if (other := _on_linux(target)) is not None:
            ways.append(other)
        ways += _on_processor(question)
    nearest = _nearest([way.why for way in ways[: len(found) or 1]])
    return Prescription(
        status="impossible",
        why=together(said("no-way", _forbids(question, found)), *((" ",) if ways else ()), nearest),
        steps=first,
        alternatives=tuple(ways),
    )


def _on_linux(target: Target) -> Alternative | None:
    """The same GPUs of AMD under Linux, where PyTorch's own builds serve them there."""
    if not target.gfx or target.platform != "win_amd64":
        return None
    build = best(replace(target, platform="linux_x86_64", os="linux"), kind="rocm")
    if build is None:
        return None
    text = f"under Linux, torch {build.torch}+{build.variant} serves {', '.join(target.gfx)}."
    return Alternative(
        why=said("on-linux", text, torch=build.torch, variant=build.variant),
        torch=build.torch,
        variant=build.variant,
        index_url=build.index_url,
        packages=(build.requirement,),
        risk="high",
    )


def _relaxed(entry: Relaxation, target: Target) -> Alternative:
    return Alternative(
        why=_gives(entry, target),
        torch=entry.build.torch,
        variant=entry.build.variant,
        index_url=entry.build.index_url,
        packages=(entry.build.requirement,),
        risk="high",
    )


def _slower_than_cpu(question: Question, first: tuple[Step, ...]) -> Prescription:
    """For a GT 710: the build for the processor."""
    reason = (
        "the processor is faster than this card"
        if question.far_slower_than_cpu
        else "with its memory it is not worth the hours that a build from source takes"
    )
    why = said(
        "slower-than-cpu",
        f"No published build of torch serves {question.gpu_names}, and {reason}: the nearest way "
        "out is to work on the processor.",
    )
    return Prescription(
        status="impossible", why=why, steps=first, alternatives=_on_processor(question)
    )


def _on_processor(question: Question) -> tuple[Alternative, ...]:
    """The build for the processor; none where the platform and its Python have none."""
    if question.kind == "cpu":
        return ()
    without = predict.without_gpus(question.sheet)
    build = best(replace(target_of(without), pins=question.asked), kind="cpu")
    if build is None:
        return ()
    found = install(without, build, question.place, question.options.index_url, ())
    other = Alternative(
        why=found.why,
        steps=found.steps,
        torch=build.torch,
        variant=build.variant,
        index_url=found.index_url,
        packages=found.packages,
        risk="low",
    )
    return (other,)


def _forbids(question: Question, found: list[Relaxation]) -> str:
    target = question.target
    platform = _PLATFORMS.get(target.platform or "", target.platform or "this platform")
    gpus = ", ".join(gpu.sm for gpu in target.gpus) or ", ".join(target.gfx)
    gpus = gpus or (question.gpu_names if target.intel else "the processor")
    if target.platform is None:
        return "No wheel of torch exists for this system or processor."
    driver = driver_for(target.gpus, linux=target.os == "linux" and not target.wsl)
    if isinstance(driver, NoDriver) and target.gpus:
        return f"No driver serves all of these GPUs: {driver.why}."
    if target.libc == "musl":
        return "The wheels of torch need glibc, and this system has musl."
    extra = [f"torch{pin.specifier} ({pin.why})" for pin in target.pins]
    if target.python:
        extra.append(f"Python {target.python}")
    if target.driver:
        extra.append(f"driver {target.driver}")
    with_ = f" with {' and '.join(extra)}" if extra else ""
    if not found:
        return f"No published build of torch for {platform} runs on {gpus}{with_}."
    reasons = "; ".join(dict.fromkeys(reason.text for reason in found[0].objections))
    return f"No published build of torch for {platform} runs on {gpus}{with_}: {reasons}."


def _nearest(ways: list[str]) -> str:
    if not ways:
        return ""
    first, *others = ways[:3]
    return together("The nearest way out: ", first, *(together(" Or: ", way) for way in others))


def _gives(entry: Relaxation, target: Target) -> str:
    """One relaxation as a sentence."""
    build = entry.build
    label = f"torch {build.torch}+{build.variant}"
    named = {"torch": build.torch, "variant": build.variant}
    if entry.constraint == "python":
        plain = [name for name in build.pythons if not name.endswith("t")] or list(build.pythons)
        newest = max(plain, key=numbers, default="another Python")
        return said("with-python", f"with Python {newest}, {label} runs.", python=newest, **named)
    if entry.constraint == "pin":
        pins = " and ".join(dict.fromkeys(pin.why for pin in target.pins))
        return said("without-pin", f"without what {pins} demands, {label} runs.", **named)
    if entry.constraint == "driver":
        major = numbers(build.cuda or "")[0]
        floor = kb_cuda.floor(major, target.floor_os)
        text = f"with driver {floor} or newer, {label} runs."
        return said("with-driver", text, driver=floor, **named)
    if entry.constraint == "glibc":
        text = f"on a system with glibc {build.min_glibc} or newer, {label} runs."
        return said("with-glibc", text, glibc=build.min_glibc, **named)
    if entry.constraint == "gfx" and target.wsl:
        return said("outside-wsl", "Linux itself, or AMD's build for Windows, without WSL.")
    if entry.constraint == "macos":
        needed = torch_releases.minimum_macos(build.torch, build.platform, target.python)
        text = f"with macOS {needed} or newer, {label} runs."
        return said("with-macos", text, macos=needed, **named)
    # Code in torch is not enough where its rocBLAS has none.
    served = [gfx for gfx in build.gfx if build_serves(build, gfx)]
    text = f"a GPU that {label} has code for ({', '.join(build.sass or served)})."
    return said("another-gpu", text, **named)
