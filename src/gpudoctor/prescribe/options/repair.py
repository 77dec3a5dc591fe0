"""Putting right what is beside torch, which itself stays: the smallest change there is."""

from __future__ import annotations

from gpudoctor.compat.builds import cudnn_may_stay
from gpudoctor.kb.software import packages as kb_packages
from gpudoctor.kb.software import torch_releases
from gpudoctor.kb.software.torch_releases import Build
from gpudoctor.model.facts import Facts
from gpudoctor.model.finding import Finding
from gpudoctor.model.sheet import FactSheet
from gpudoctor.model.terms.sentence import said
from gpudoctor.model.terms.version import local_label
from gpudoctor.model.value import replace
from gpudoctor.prescribe.build import prediction as predict
from gpudoctor.prescribe.build import reasons as words
from gpudoctor.prescribe.build.companion_changes import Along, along
from gpudoctor.prescribe.build.extension_steps import extension_steps
from gpudoctor.prescribe.build.install import BuildInstallation, lost, named_packages
from gpudoctor.prescribe.commands.install_commands import (
    ChangedEnvironment,
    EnvironmentChange,
    steps,
)
from gpudoctor.prescribe.commands.mirror import index_for
from gpudoctor.prescribe.request.target import target_of


def repair(
    sheet: FactSheet, findings: tuple[Finding, ...], place: ChangedEnvironment, mirror: str | None
) -> BuildInstallation | None:
    """What cures the findings while torch stays; `None` if nothing beside it is to be changed."""
    facts = sheet.facts
    torch = facts.torch
    build = installed_build(sheet)
    if torch is None:
        return None
    names = {finding.name for finding in findings}
    if "torch-library-damaged" in names and build is not None:
        return _again(sheet, build, place, mirror)
    named = named_packages(findings, facts)
    beside = along(facts, build, named) if build is not None else Along(versions={})
    index = index_for(build.index_url if build else None, mirror)
    exact = tuple(
        f"{entry.name}{entry.specifier}"
        for entry in torch.requires
        if entry.specifier.startswith("==")
        and entry.installed != entry.specifier[2:]
        and not cudnn_may_stay(
            entry.name, entry.installed, entry.specifier[2:], target_of(sheet).gpus
        )
        and entry.name.startswith(("nvidia-", "triton", "cuda-", "pytorch-triton"))
    )
    change = EnvironmentChange(
        index=index,
        packages=beside.packages + exact,
        forced=beside.forced,
        plain=beside.plain,
        removals=beside.removals,
    )
    gpus = target_of(sheet).gpus
    extensions = extension_steps(beside.broken, gpus, facts, place)
    if not (change.packages or change.forced or change.plain or change.removals or extensions):
        return None
    shared = _shared_with_removed(facts, change.removals)
    if shared:
        change = replace(change, forced=(*change.forced, *shared))
    listed = change.packages + change.forced + change.plain
    what = listed or tuple(entry.package.name for entry in beside.broken) or change.removals
    return BuildInstallation(
        why=said(
            "torch-stays",
            f"torch {torch.version} stays; what does not belong to it is put right "
            f"({', '.join(what)}).",
        ),
        steps=steps(change, place) + extensions,
        sheet=predict.with_repair(sheet, beside, exact),
        risk="medium" if extensions else "low",
        index_url=index.shown,
        packages=listed,
        notes=words.notes(None, beside, place, gpus=gpus),
        lost=lost(beside, gpus),
    )


def _again(
    sheet: FactSheet, build: Build, place: ChangedEnvironment, mirror: str | None
) -> BuildInstallation:
    """The same wheel once more, and nothing else."""
    index = index_for(build.index_url or None, mirror)
    change = EnvironmentChange(
        index=index, packages=(), forced=(build.requirement,), size=words.size(build, alone=True)
    )
    return BuildInstallation(
        why=said(
            "damaged",
            f"The files of torch {build.torch}+{build.variant} are damaged; the same wheel is "
            "installed again.",
        ),
        steps=steps(change, place),
        sheet=predict.with_build(sheet, build, Along(versions={})),
        build=build,
        index_url=index.shown,
        packages=change.forced,
        claims=words.claims(build, target_of(sheet)),
    )


def _shared_with_removed(facts: Facts, removals: tuple[str, ...]) -> tuple[str, ...]:
    """Requirements to reinstall because removed distributions owned the same files.

    cuDNN, NCCL and some others unpack into one folder for CUDA 12 and 13 alike.
    """
    gone = {kb_packages.library_of(name) for name in removals} - {None}
    return tuple(
        f"{package.name}=={package.version}"
        for package in facts.packages
        if package.name not in removals
        and package.version
        and kb_packages.library_of(package.name) in gone
    )


def installed_build(sheet: FactSheet) -> Build | None:
    """The known build that is installed."""
    torch = sheet.facts.torch
    platform = target_of(sheet).platform
    if torch is None or not torch.version or platform is None:
        return None
    label = local_label(torch.version)
    if not label and torch.cuda:
        label = "cu" + "".join(torch.cuda.split(".")[:2])
    return torch_releases.build(torch.version, label or "cpu", platform)
