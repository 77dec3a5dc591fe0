"""Machines by the thousand, each made from its number: GPUs, driver, system, torch, what is beside.

    python tests/property/many_machines.py [COUNT]

judges and prescribes for COUNT machines (100,000) in two processes and prints what broke an
invariant, with the number that makes the machine again.
"""

from __future__ import annotations

import os
import random
import re
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache, lru_cache
from itertools import combinations

if __name__ == "__main__":
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from gpudoctor.examine.settings.policy import Policy
from gpudoctor.kb.software import packages as kb_packages
from gpudoctor.kb.software import torch_releases
from gpudoctor.model.facts import Gpu, Package
from gpudoctor.model.finding import Finding, Severity
from gpudoctor.model.prescription import Prescription, Step
from gpudoctor.model.report import Knowledge, Report
from gpudoctor.model.sheet import FactSheet
from gpudoctor.model.terms.sentence import Condition, conditions_of
from gpudoctor.model.terms.version import numbers
from gpudoctor.model.value import replace
from gpudoctor.prescribe import Options, prescribe
from gpudoctor.prescribe.build.candidates import objections, offers
from gpudoctor.prescribe.build.companion_changes import along
from gpudoctor.prescribe.build.prediction import (
    with_build,
    with_driver,
    with_mask,
    without_packages,
)
from gpudoctor.prescribe.driver.branches import DriverPlan, driver_for, flavour_of
from gpudoctor.prescribe.plan import plan
from gpudoctor.prescribe.request.gpu_names import gpu_of
from gpudoctor.prescribe.request.target import capability, is_served, served, target_of
from gpudoctor.report.layer_rows import layers
from gpudoctor.rules import findings_of
from property.conditions import Scene, broken_conditions
from property.rare_machines import Case, rare_case
from unit.prescribe.sheets import sheet

KNOWLEDGE = Knowledge(version="", date="")
CARDS = ["Tesla K80", "GTX 980", "GTX 1050", "GTX 1080", "V100", "Tesla T4", "RTX 3090", "A100",
         "RTX 4090", "L40S", "H100", "B200", "RTX 5090", "RTX 5060 Ti"]  # fmt: skip
DRIVERS = ["450.80.02", "470.256.02", "525.60.13", "535.183.01", "550.54.15", "570.172.08",
           "575.64.03", "580.65.05", "580.95.05", "595.58.03"]  # fmt: skip
WINDOWS_DRIVERS = ["452.39", "472.12", "528.33", "537.58", "552.22", "572.61", "576.80", "581.57"]
PYTHONS = ["3.9.2", "3.10.4", "3.11.9", "3.12.4", "3.13.1", "3.14.0", "3.15.0"]
PLATFORMS = {
    ("linux", "x86_64"): "linux_x86_64",
    ("linux", "aarch64"): "linux_aarch64",
    ("windows", "x86_64"): "win_amd64",
}
EXTENSIONS = [
    Package(name="flash-attn", version="2.7.4", requires=("torch",), build="cu12torch2.6"),
    Package(name="flash-attn", version="2.8.3", requires=("torch",), build="cu12torch2.9"),
    Package(name="xformers", version="0.0.29.post3", requires=("torch==2.6.0",)),
    Package(name="vllm", version="0.8.0", requires=("torch==2.6.0",)),
    Package(name="bitsandbytes", version="0.45.5", requires=("torch>=2.0",)),
    Package(name="transformer-engine", version="2.4.0+3cd6870", requires=(), build="torch2.6"),
    Package(name="tensorflow", version="2.18", requires=("nvidia-cudnn-cu12>=9",)),
    Package(name="nvidia-cudnn-cu12", version="9.1.0.70"),
]
IRRELEVANT = [
    Package(name="requests", version="2.32.0"),
    Package(name="numpy", version="2.2.0"),
    Package(name="rich", version="14.0", requires=("markdown-it-py>=2",)),
]


def case_of(number: int) -> Case:
    """The machine of a number and what is asked about it; from 10,001 on each tenth is rare."""
    if number > 10_000 and number % 10 == 1:
        return rare_case(number)
    return Case(sheet=machine(number), is_rare=False)


def machine(number: int) -> FactSheet:
    """The common machine of a number; from 10,000 on some are uncommon."""
    made = _common(number)
    return made if number < 10_000 else _uncommon(made, random.Random(-number))


ENVIRONMENTS = [
    {"CUDA_LAUNCH_BLOCKING": "1"},
    {"PIP_CONSTRAINT": "/etc/pip/constraint.txt"},
    {"CUDA_FORCE_PTX_JIT": "1"},
    {"CUDA_VISIBLE_DEVICES": "0"},
    {"CUDA_VISIBLE_DEVICES": "7"},
    {"CUDA_VISIBLE_DEVICES": "0,0"},
    {"CUDA_VISIBLE_DEVICES": ""},
    {"PYTORCH_CUDA_ALLOC_CONF": "expandable_segments:True"},
    {"HSA_OVERRIDE_GFX_VERSION": "10.3.0"},
]
ELSEWHERE = [{"CI": "true"}, {"SLURM_JOB_ID": "7"}, {"SLURM_CLUSTER_NAME": "c"}, {}]
UNCOMMON = ["GT 710", "sm_130", "GTX 1650", "RTX A2000", "sm_103", "H200", "L4", "GTX 780"]


UNKNOWN = Gpu(index=0, name="NVIDIA Next", compute_capability="13.0", sm="sm_130", cuda_index=0)


def _uncommon(made: FactSheet, draw: random.Random) -> FactSheet:
    """One machine in two as it is; else in WSL, without GPU or driver, oddly set up."""
    facts = made.facts
    kind = draw.choice([None] * 6 + ["wsl", "none", "driver", "card", "set", "set"])
    if kind == "wsl" and facts.host.os == "linux" and facts.host.arch == "x86_64":
        version = draw.choice(WINDOWS_DRIVERS)
        wsl = sheet("A100", wsl=True, driver=version).facts
        return FactSheet(
            replace(facts, host=wsl.host, driver=wsl.driver, kernel_module=wsl.kernel_module)
        )
    if kind == "none":
        environment = draw.choice(ELSEWHERE)
        bare = replace(facts, gpus=(), driver=None, kernel_module=None)
        return FactSheet(replace(bare, environment=environment))
    if kind == "driver":
        return FactSheet(replace(facts, driver=None, kernel_module=None))
    if kind == "card":
        card = draw.choice(UNCOMMON)
        gpu = UNKNOWN if card == "sm_130" else gpu_of(card, 0)
        gpu = replace(gpu, uuid=facts.gpus[0].uuid, memory_bytes=2 * 2**30)
        return FactSheet(replace(facts, gpus=(gpu, *facts.gpus[1:])))
    if kind == "set":
        shown = tuple(replace(gpu, visible=True) for gpu in facts.gpus)
        return FactSheet(replace(facts, gpus=shown, environment=draw.choice(ENVIRONMENTS)))
    return made


def _common(number: int) -> FactSheet:
    draw = random.Random(number)
    place = draw.choice([*PLATFORMS, ("linux", "x86_64"), ("linux", "x86_64")])
    cards = [draw.choice(CARDS) for _ in range(draw.choice([1, 1, 1, 2, 2, 3]))]
    builds = _builds(PLATFORMS[place])
    build = draw.choice(builds) if draw.random() < 0.8 else None
    torch = f"{build.torch}+{build.variant}" if build else None
    companions = [p for p in _companions(build) if draw.random() < 0.4] if build else []
    others = draw.sample(EXTENSIONS, draw.choice([0, 0, 0, 1, 2])) if build else []
    made = sheet(
        *cards,
        os=place[0],
        arch=place[1],
        driver=draw.choice(WINDOWS_DRIVERS if place[0] == "windows" else DRIVERS),
        python=draw.choice(PYTHONS),
        torch=torch,
        packages=(*companions, *{p.name: p for p in others}.values()),
    )
    gpus = tuple(
        replace(gpu, memory_bytes=draw.choice([2, 8, 16, 24, 80]) * 2**30)
        for gpu in made.facts.gpus
    )
    made = FactSheet(replace(made.facts, gpus=gpus))
    if len(gpus) > 1 and draw.random() < 0.15:
        made = with_mask(made, (draw.randrange(len(gpus)),))
    return made


@cache
def _builds(platform: str) -> list[torch_releases.Build]:
    return [
        b
        for b in torch_releases.builds()
        if b.platform == platform and b.exists and b.kind in ("cuda", "cpu")
    ]


@cache
def _companions(build: torch_releases.Build) -> list[Package]:
    release = torch_releases.release(build.torch)
    return [
        Package(name=name, version=f"{item.version}+{build.variant}")
        for name, item in (release.companions if release else {}).items()
    ]


def broken_invariants(number: int) -> list[str]:
    """What does not hold of the machine of a number, a sentence each."""
    case = case_of(number)
    made = case.sheet
    findings, answer = _answered(case)
    errors = {f.name for f in findings if f.severity is Severity.ERROR}
    every = [*_shape(answer), *broken_conditions(_said(case, findings, answer))]
    if case.is_rare:
        return every  # what was asked, and what is allowed, decide there too
    return [
        *every,
        *_cured(made, errors, answer),
        *_impossible(made, answer),
        *_newest(made, answer),
        *_rebuilds(answer),
        *_irrelevant(made, findings, answer),
        *_newer_driver(made, number),
    ]


def kinds_printed(number: int) -> set[str]:
    """The kinds of the sentences that are printed about the machine of a number."""
    case = case_of(number)
    return {entry.kind for entry, _ in _said(case, *_answered(case))}


def _answered(case: Case) -> tuple[tuple[Finding, ...], Prescription]:
    if case.request is not None:
        return (), plan(case.request)[1]
    findings, _ = Policy(allow_cpu=case.allow_cpu).weigh((*case.finds, *findings_of(case.sheet)))
    return findings, prescribe(case.sheet, findings, case.options)


def _said(
    case: Case, findings: tuple[Finding, ...], answer: Prescription
) -> Iterator[tuple[Condition, Scene]]:
    """Every condition of what is printed about a machine, with where it is printed."""
    made = case.sheet
    plain = Scene(sheet=made, findings=findings, status=answer.status)
    for finding in findings:
        for text in (finding.title, finding.detail):
            yield from ((entry, plain) for entry in conditions_of(text))
    report = Report(
        version="", knowledge=KNOWLEDGE, verdict="healthy", exit_code=0, sheet=made,
        findings=findings,
    )  # fmt: skip
    for row in layers(report):
        yield from ((entry, plain) for entry in conditions_of(row.text))
    ways = [answer, *answer.alternatives]
    drivers = tuple(step for step in answer.steps if step.kind == "driver")
    for way in ways:
        # Where no driver is there, the ways begin from the one that is installed first.
        before = drivers if made.facts.driver is None and way is not answer else ()
        scene = Scene(
            sheet=_at_hand(made, (*before, *way.steps)),
            findings=findings,
            steps=way.steps,
            packages=way.packages,
            torch=way.torch,
            variant=way.variant,
            status=answer.status,
            asked=case.asked,
        )
        texts = (way.why, *(answer.notes if way is answer else ()), *(s.text for s in way.steps))
        yield from ((entry, scene) for text in texts for entry in conditions_of(text))


def _at_hand(made: FactSheet, steps: tuple[Step, ...]) -> FactSheet:
    """The machine after the drivers, masks and variables among some steps."""
    after = made
    for step in steps:
        if step.kind == "environment":
            after = _with_variables(after, step)
        if step.kind == "driver" and (branch := re.search(r"branch (\d+)", step.text)):
            after = _with_branch(after, int(branch[1]))
        if step.kind == "mask-gpus":
            after = with_mask(after, _shown(step))
    return after


def _shown(step: Step) -> tuple[int, ...]:
    """The GPUs that a mask leaves, named by UUID, or by number where no UUID is known."""
    named = re.findall(r"GPU-0000000(\d)", step.posix or "")
    counted = (step.posix or "").partition("VISIBLE_DEVICES=")[2].split(",")
    return tuple(map(int, named or counted))


def _with_branch(sheet_: FactSheet, branch: int) -> FactSheet:
    plan = driver_for(target_of(sheet_).gpus)
    flavour = plan.flavour if isinstance(plan, DriverPlan) else "either"
    return with_driver(sheet_, DriverPlan(branch=branch, last=False, flavour=flavour, why=""))


def _shape(answer: Prescription) -> Iterator[str]:
    if not answer.why or "None" in answer.why:
        yield f"the reason is no sentence: {answer.why!r}"
    if not conditions_of(answer.why):
        yield f"the reason carries no condition: {answer.why!r}"
    for step in (*answer.steps, *(step for way in answer.alternatives for step in way.steps)):
        if not step.text or "None" in step.text:
            yield f"a step is no sentence: {step.text!r}"
        if step.argv and not (step.posix and step.powershell and step.cmd):
            yield f"a command lacks a shell: {step.argv}"
        if step.kind == "driver" and step.argv:
            yield "a driver would be installed, not printed"


def _cured(made: FactSheet, errors: set[str], answer: Prescription) -> Iterator[str]:
    """A prescription, applied by prediction, leaves nothing broken."""
    if answer.status == "not-needed" and errors:
        yield f"nothing is prescribed against {sorted(errors)}"
    if answer.status != "resolved" or any(s.kind == "source-build" for s in answer.steps):
        return
    if not made.facts.gpus:
        return  # the build for the processor, where there is no GPU to be served
    after = applied(made, answer)
    if after is None:
        return
    hidden = {i for i, gpu in enumerate(after.facts.gpus) if gpu.visible is False}
    left = [
        f.name
        for f in findings_of(after, Severity.ERROR)
        if not (f.gpus and hidden.issuperset(f.gpus))
    ]
    if left:
        yield f"after it there is still {left}"


def applied(made: FactSheet, answer: Prescription) -> FactSheet | None:
    """The machine after the steps, carried out one by one; `None`: they are not all known."""
    after = made
    for step in answer.steps:
        if step.kind == "manual" and ("-m venv" in (step.posix or "") or "JetPack" in step.text):
            return None
        if step.kind == "driver":
            branch = re.search(r"branch (\d+)", step.text)
            if branch is None:
                return None
            after = _with_branch(after, int(branch[1]))
        if step.kind == "mask-gpus":
            after = with_mask(after, _shown(step))
        if step.kind == "environment":
            after = _with_variables(after, step)
        if step.kind == "uninstall":
            names = (step.posix or "").partition("uninstall")[2].replace("--yes", "").split()
            after = without_packages(after, names)
    if answer.torch is not None:
        build = known(answer, target_of(made).platform)
        if build is None:
            return None
        after = with_build(after, build, along(after.facts, build))
    elif any(step.kind in ("install", "manual") for step in answer.steps):
        return None  # what is beside torch changes, each in its own way
    return after


def _with_variables(made: FactSheet, step: Step) -> FactSheet:
    """The machine after a step that sets or takes away variables."""
    environment = dict(made.facts.environment)
    for name in re.findall(r"unset (\w+)", step.posix or ""):
        environment.pop(name, None)
        if name == "CUDA_VISIBLE_DEVICES":
            made = with_mask(made, range(len(made.facts.gpus)))
    environment.update(re.findall(r"export (\w+)=(\S+)", step.posix or ""))
    return FactSheet(replace(made.facts, environment=environment))


def known(answer: Prescription, platform: str | None) -> torch_releases.Build | None:
    """The published build that a prescription names."""
    return _by_name().get((answer.torch, answer.variant, platform))


@cache
def _by_name() -> dict[tuple[str | None, ...], torch_releases.Build]:
    every = (*torch_releases.nightlies(), *torch_releases.builds())
    return {(build.torch, build.variant, build.platform): build for build in every}


def _impossible(made: FactSheet, answer: Prescription) -> Iterator[str]:
    """`impossible` only if no build runs on any of the GPUs, whatever driver and Python."""
    if answer.status != "impossible":
        return
    target = replace(target_of(made).without_driver(), pins=())
    if target.platform is None or not target.gpus:
        return
    for size in range(1, len(target.gpus) + 1):
        for gpus in combinations(target.gpus, size):
            linux = target.os == "linux"
            if linux and flavour_of(gpus) is None:
                continue
            if not isinstance(driver_for(gpus, linux=linux), DriverPlan):
                continue
            some = replace(target, gpus=gpus)
            for offer in offers("cuda", target.platform):
                drivers = driver_for(gpus, cuda_major=offer.cuda[0], linux=linux)
                if isinstance(drivers, DriverPlan) and not objections(offer, some):
                    yield f"called impossible, and {offer.label} runs on {gpus}"
                    return


def _newest(made: FactSheet, answer: Prescription) -> Iterator[str]:
    """The newest release is said of what is the newest, by looking at every build."""
    target = target_of(_at_hand(made, answer.steps))
    if "it is the newest release that does" not in answer.why or target.platform is None:
        return
    if any(step.kind in ("driver", "mask-gpus") for step in answer.steps):
        return
    for offer in offers("cuda", target.platform):
        if offer.order > numbers(answer.torch or "") and not objections(offer, target):
            yield f"{answer.torch} is called the newest, and {offer.label} runs"
            return


def _rebuilds(answer: Prescription) -> Iterator[str]:
    for step in answer.steps:
        if (found := re.search(r"--no-binary (\S+) \S+?==(\S+)", step.posix or "")) is None:
            continue
        if not kb_packages.has_source(found[1], found[2]):
            yield f"{found[1]} {found[2]} is to be rebuilt, and has no published source"
        lowest = kb_packages.serves_nothing_below(found[1], found[2])
        listed = re.findall(r"(\d+\.\d)", (step.posix or "").partition("ARCH_LIST=")[2][:40])
        if lowest and any(numbers(arch) < numbers(lowest) for arch in listed):
            yield f"{found[1]} is to be rebuilt for {listed}, and serves none below {lowest}"


def _irrelevant(
    made: FactSheet, findings: tuple[Finding, ...], answer: Prescription
) -> Iterator[str]:
    """A healthy machine with something irrelevant beside it stays healthy."""
    if answer.status != "not-needed" or any(f.severity is Severity.ERROR for f in findings):
        return
    more = FactSheet(
        replace(
            made.facts,
            packages=(*made.facts.packages, *IRRELEVANT),
            environment={**made.facts.environment, "MAX_JOBS": "4"},
        )
    )
    found = [f.name for f in findings_of(more, Severity.WARNING)]
    before = [f.name for f in findings if f.severity is not Severity.INFO]
    if found != before:
        yield f"something irrelevant makes it {found}"


def _newer_driver(made: FactSheet, number: int) -> Iterator[str]:
    """A newer driver that knows the GPUs never gets an older torch."""
    if number % 4 or made.facts.host is None or made.facts.host.os != "linux":
        return
    gpus = tuple(g for _, card in served(made) if (g := capability(card)) is not None)
    if not gpus or not all(is_served(gpu, target_of(made).platform) for gpu in gpus):
        return
    cards = {(card.name or card.sm or "").removeprefix("NVIDIA ") for card in made.facts.gpus}
    names = tuple(sorted(cards))  # neither their order nor their number decides about a build
    own = made.facts.python.version if made.facts.python and not number % 16 else None
    last: tuple[int, ...] = ()
    for driver in ("535.183.01", "570.172.08", "580.95.05"):
        torch = _torch_for(names, driver, made.facts.host.arch or "x86_64", own or "3.12.4")
        if torch is None:
            continue
        if numbers(torch) < last:
            yield f"driver {driver} gets torch {torch}, an older one than {last}"
        last = max(last, numbers(torch))


@lru_cache(maxsize=32768)
def _torch_for(names: tuple[str, ...], driver: str, arch: str, python: str) -> str | None:
    """The torch for an empty environment; `None` where something else has to change too."""
    empty = sheet(*names, driver=driver, arch=arch, python=python)
    answer = prescribe(empty, (), Options(choose=True))
    others = any(step.kind in ("driver", "mask-gpus") for step in answer.steps)
    return None if others else answer.torch


def check(numbers_: range) -> list[tuple[int, str]]:
    """What is broken among some machines."""
    return [(number, said) for number in numbers_ for said in broken_invariants(number)]


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    parts = [range(start, min(start + 1000, count)) for start in range(0, count, 1000)]
    started = time.perf_counter()
    with ProcessPoolExecutor(2) as pool:
        found = [entry for part in pool.map(check, parts) for entry in part]
    for number, said in found[:50]:
        print(f"{number}: {said}")
    print(f"{count:,} machines, {len(found)} faults, {time.perf_counter() - started:.0f} s")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
