"""Way out for a Jetson: NVIDIA's own wheels for its JetPack, in an index or as one file."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from gpudoctor.compat.architecture import ComputeCapability
from gpudoctor.model.facts import Torch
from gpudoctor.model.prescription import Claim, Step
from gpudoctor.model.terms.sentence import said
from gpudoctor.model.value import replace
from gpudoctor.prescribe.build import prediction as predict
from gpudoctor.prescribe.commands.install_commands import (
    ChangedEnvironment,
    EnvironmentChange,
    steps,
)
from gpudoctor.prescribe.commands.mirror import MirroredIndex
from gpudoctor.prescribe.commands.new_environment import interpreter_in, new_environment
from gpudoctor.prescribe.known_steps import JetsonIndex
from gpudoctor.prescribe.options import jetson_wheels as jetson
from gpudoctor.prescribe.options.other_ways import from_vendor
from gpudoctor.prescribe.options.question import Option, Question, Way


def jetson_ways(question: Question) -> Iterator[Option]:
    """NVIDIA's own wheels, where no ordinary one serves the board."""
    if question.asked or question.target.platform != "linux_aarch64":
        return
    for gpu in question.target.gpus[:1]:
        row = jetson.index_of(question.sheet, gpu)
        if row is not None:
            yield Option("vendor", partial(_way, question, gpu, row))


def _way(question: Question, gpu: ComputeCapability, row: JetsonIndex) -> Way:
    where = f"a wheel for JetPack {row.jetpack}"
    packages: tuple[str, ...] = (row.wheel or "torch",)
    notes: tuple[str, ...] = ()
    if row.wheel is None:
        where = f"an index for JetPack {row.jetpack}"
        packages = ("torch", "torchvision")
    elif row.beside:
        notes = (said("jetpack-wheel", row.beside, wheel=row.wheel),)
    return Way(
        kind="vendor",
        why=said(
            "in-jetpack-index",
            f"No ordinary wheel has code for {gpu.sm}; NVIDIA has {where} (CUDA {row.cuda}).",
            gpu=str(gpu),
        ),
        steps=_steps(question, row, packages),
        sheet=predict.with_vendor_torch(
            question.sheet, Torch(cuda=row.cuda, sass=(gpu.sm,), arch_source="knowledge")
        ),
        risk="medium",
        index_url=row.index_url,
        packages=packages,
        notes=notes,
        claims=(Claim(claim=f"torch for JetPack {row.jetpack}", source=row.source),),
    )


def _steps(question: Question, row: JetsonIndex, packages: tuple[str, ...]) -> tuple[Step, ...]:
    """The installation, in an environment with JetPack's Python where this one is another."""
    python = question.target.python
    if python is None or python in row.python:
        return from_vendor(question, row.index_url, packages)
    folder = f"torch-{row.python[0]}"
    place = ChangedEnvironment(tool="pip", python=interpreter_in(folder, windows=False))
    change = EnvironmentChange(index=MirroredIndex(row.index_url), packages=packages)
    make = new_environment(row.python[0], folder, windows=False)
    # The interpreter does not exist yet: these are for the person who makes it.
    return (make, *(replace(step, argv=()) for step in steps(change, place)))
