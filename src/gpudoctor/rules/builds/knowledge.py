"""Where this program fails or its knowledge ends, and where a line of wheels does."""

from __future__ import annotations

from collections.abc import Iterator

from gpudoctor.kb import info
from gpudoctor.kb.software import torch_releases
from gpudoctor.model.fact import Unknown
from gpudoctor.model.finding import Evidence, Finding, Severity
from gpudoctor.model.step import Step
from gpudoctor.model.terms.sentence import said, together
from gpudoctor.model.terms.shell import command_step, sentence_step
from gpudoctor.rules.builds.torch_code import beyond_knowledge, code_evidence, gpu_evidence, lacking
from gpudoctor.rules.driver.driver_state import number
from gpudoctor.rules.engine import knowledge_queries as knowledge
from gpudoctor.rules.engine.all_rules import rule
from gpudoctor.rules.engine.case import Case
from gpudoctor.rules.engine.wording import finding, names, several, verb


@rule("collector-crashed")
def collector_crashed(case: Case) -> Iterator[Finding | Unknown]:
    """A part of gpudoctor that reads the machine failed."""
    # One failure makes several facts unknown: each is told once.
    failed = {
        (entry.source, entry.reason): entry
        for entry in case.unknown.values()
        if entry.kind == "failed"
    }
    if not failed:
        return
    yield finding(
        "collector-crashed",
        f"Reading {several([entry.fact for entry in failed.values()])} failed inside gpudoctor",
        "This is a fault of gpudoctor, not of your machine. What it would have found is reported "
        "as unknown.",
        severity=Severity.WARNING,
        evidence=[
            Evidence(fact=entry.fact, value=entry.reason, source=entry.source)
            for entry in failed.values()
        ],
        remedies=(
            sentence_step("manual", "Please report it with the output of `gpudoctor facts`."),
        ),
    )


@rule("knowledge-too-old", needs=("torch",))
def knowledge_too_old(case: Case) -> Iterator[Finding | Unknown]:
    """Something installed is newer than the knowledge base."""
    torch = case.facts.torch
    newer: list[tuple[str, Evidence]] = []
    version = torch.version if torch is not None else None
    if version and "dev" not in version and torch_releases.is_newer_than_known(version):
        newer.append((f"torch {version}", case.evidence("torch.version")))
    stated = number(case)
    branch = knowledge.major(stated[0]) if stated else None
    # Windows counts on within a branch by up to four (575 went up to 577 there).
    if stated and branch and not case.jetson and branch > knowledge.newest_branch() + 4:
        newer.append((f"the NVIDIA driver {stated[0]}", case.evidence(stated[1])))
    if not newer:
        return
    yield finding(
        "knowledge-too-old",
        f"{several([what for what, _ in newer])} is newer than gpudoctor's knowledge of "
        f"{info.date()}",
        "It was judged all the same, from its machine code and from what the driver reports. A "
        "newer gpudoctor may say more.",
        severity=Severity.INFO,
        evidence=[proof for _, proof in newer],
    )


@rule(
    "gpu-newer-than-knowledge",
    needs=("gpus", "torch.version", "torch.cuda"),
    uses=("torch.sass", "gpus[*].compute_capability"),
)
def gpu_newer_than_knowledge(case: Case) -> Iterator[Finding | Unknown]:
    """A GPU of a generation that is not in the tables, and for which torch has no machine code."""
    if case.code is None or case.jetson:
        return
    devices = beyond_knowledge(case)
    if not devices:
        return
    wanted = sorted({device.capability for device in devices if device.capability})
    sms = several([gpu.sm for gpu in wanted])
    translated = all(knowledge.jittable(case.code.ptx, gpu) for gpu in wanted)
    yield finding(
        "gpu-newer-than-knowledge",
        f"{names(devices)} ({sms}) {verb(devices, 'is', 'are')} newer than gpudoctor's knowledge "
        f"of {info.date()}",
        (
            "The driver can translate torch's own kernels for it. Whether the libraries of NVIDIA "
            "in this build, cuBLAS and cuDNN, have code for it, nobody here knows."
            if translated
            else "No build of torch that gpudoctor knows was made for it, so that what it "
            "prescribes may not run there either."
        ),
        evidence=[*code_evidence(case.code), *gpu_evidence(case, devices)],
        gpus=devices,
        next_look="`gpudoctor smoke` shows whether kernels run and their numbers are right.",
        remedies=_for_the_newest(case),
    )


def _for_the_newest(case: Case) -> tuple[Step, ...]:
    """What serves a new GPU first: a newer gpudoctor, and torch's nightlies."""
    builds = [
        build
        for build in torch_releases.nightlies()
        if build.kind == "cuda" and build.exists and build.platform == case.platform
    ]
    newer = sentence_step("manual", "See whether a newer gpudoctor knows the GPU.")
    if not builds:
        return (newer,)
    build = max(builds, key=lambda build: knowledge.numbers(build.cuda or ""))
    return (
        newer,
        command_step(
            "install",
            f"If kernels fail: a nightly of torch for CUDA {build.cuda}, the newest that there is.",
            (*case.pip, "install", "--pre", "torch", "--index-url", build.index_url),
            risk="medium",
            executable=False,
        ),
    )


@rule("wheel-line-ending", needs=("torch.version", "torch.cuda", "gpus"), gravest=Severity.INFO)
def wheel_line_ending(case: Case) -> Iterator[Finding | Unknown]:
    """torch runs on the GPU, but its newest release has no build for it any more."""
    torch, platform = case.facts.torch, case.platform
    if torch is None or torch.cuda is None or platform is None or case.jetson:
        return
    newest = knowledge.newest_release(platform)
    without = {device for device, _ in lacking(case)}
    for device in case.visible:
        if device.capability is None or device in without or newest is None:
            continue
        last = knowledge.last_release_for(device.capability, platform)
        if last is None or knowledge.numbers(last) >= knowledge.numbers(newest):
            continue
        if knowledge.numbers(torch.version or "") > knowledge.numbers(last):
            continue  # it has left that line already
        named = {"gpu": str(device.capability), "torch": newest}
        yield finding(
            "wheel-line-ending",
            f"torch {last} is the last release with a build for {names([device])}; the newest is "
            f"{newest}",
            together(
                "Nothing is broken. ",
                said(
                    "left-behind",
                    "Newer releases have no build that serves GPUs of this generation",
                    **named,
                ),
                f", so stay at {last} or older on this machine.",
            ),
            severity=Severity.INFO,
            evidence=[case.evidence("torch.version"), *gpu_evidence(case, [device])],
            gpus=(device,),
        )
        return
