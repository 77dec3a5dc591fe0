"""Where this program fails or its knowledge ends, and where a line of wheels does."""

from __future__ import annotations

from collections.abc import Iterator

from gpudoctor.kb import info, torch_releases
from gpudoctor.model.fact import Unknown
from gpudoctor.model.finding import Evidence, Finding, Severity
from gpudoctor.model.shell import sentence_step
from gpudoctor.rules.builds.architecture import gpu_evidence, lacking
from gpudoctor.rules.driver.driver import number
from gpudoctor.rules.engine import knowledge_queries as book
from gpudoctor.rules.engine.case import Case
from gpudoctor.rules.engine.registry import rule
from gpudoctor.rules.engine.wording import finding, names, several


@rule("collector-crashed")
def collector_crashed(case: Case) -> Iterator[Finding | Unknown]:
    """A part of gpudoctor that reads the machine failed."""
    failed = {
        entry.reason: entry
        for entry in case.unknown.values()
        if entry.reason.startswith("the collector failed (")
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
    branch = book.major(stated[0]) if stated else None
    # Windows counts on within a branch by up to four (575 went up to 577 there).
    if stated and branch and not case.jetson and branch > book.newest_branch() + 4:
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


@rule("wheel-line-ending", needs=("torch.version", "torch.cuda", "gpus"))
def wheel_line_ending(case: Case) -> Iterator[Finding | Unknown]:
    """torch runs on the GPU, but its newest release has no build for it any more."""
    torch, platform = case.facts.torch, case.platform
    if torch is None or torch.cuda is None or platform is None or case.jetson:
        return
    newest = book.newest_release(platform)
    without = {seat for seat, _ in lacking(case)}
    for seat in case.visible:
        if seat.capability is None or seat in without or newest is None:
            continue
        last = book.last_release_for(seat.capability, platform)
        if last is None or book.numbers(last) >= book.numbers(newest):
            continue
        yield finding(
            "wheel-line-ending",
            f"torch {last} is the last release with a build for {names([seat])}; the newest is "
            f"{newest}",
            "Nothing is broken. Newer releases are no longer compiled for GPUs of this generation, "
            f"so stay at {last} or older on this machine.",
            severity=Severity.INFO,
            evidence=[case.evidence("torch.version"), *gpu_evidence(case, [seat])],
            gpus=(seat,),
        )
        return
