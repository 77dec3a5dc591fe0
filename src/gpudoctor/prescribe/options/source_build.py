"""Building torch, or an extension, from source: what to check first, and the recipe."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from gpudoctor.kb.software import cuda as kb_cuda
from gpudoctor.kb.software import torch_releases
from gpudoctor.model.facts import Facts
from gpudoctor.model.prescription import Step
from gpudoctor.model.terms.shell import cmd, posix, powershell
from gpudoctor.model.terms.version import numbers, public_version
from gpudoctor.prescribe.build.candidates import (
    driver_serves,
    driver_serves_in_full,
    satisfies,
)
from gpudoctor.prescribe.commands.compile_commands import arch_list, max_jobs, with_variables
from gpudoctor.prescribe.known_steps import source_build
from gpudoctor.prescribe.request.target import Target


class Recipe(NamedTuple):
    """What to build torch from."""

    release: str
    toolkit: str
    """Of CUDA, `11.8`."""
    python: str | None
    """The Python to build with, where the release does not know the one that is there."""


@lru_cache(maxsize=512)
def recipe_for(target: Target) -> Recipe | None:
    """The release of torch to build, and the CUDA toolkit for it; `None`: there is no such pair.

    The toolkit compiles for all GPUs, this driver runs its programs, and a build of that release
    was published with it, so that the release is known to compile with it. Preferred are a release
    that knows this Python, a toolkit that the driver serves in full, then the newest release, then
    the newest toolkit.
    """
    found = []
    for build in torch_releases.builds():
        kit = kb_cuda.toolkit(build.cuda or "") if build.kind == "cuda" and build.exists else None
        if kit is None or not all(gpu.sm in kit.sm for gpu in target.gpus):
            continue
        number = numbers(kit.version)[:2]
        if not driver_serves(number, target) or not _demanded(build.torch, target):
            continue
        full = driver_serves_in_full(number, target) is not False
        python = _other_python(build.pythons, target.python)
        found.append(
            (python is None, full, numbers(build.torch), number, build.torch, kit.version, python)
        )
    if not found:
        return None
    *_, release, toolkit, wanted = max(found, key=lambda row: row[:4])
    return Recipe(release, toolkit, wanted)


def _other_python(known: Sequence[str], python: str | None) -> str | None:
    """The newest Python that a release knows, where it does not know this one."""
    plain = [name for name in known if not name.endswith("t")]
    if python is None or not plain or python in known:
        return None
    return max(plain, key=numbers)


def _demanded(release: str, target: Target) -> bool:
    return all(satisfies(release, None, public_version(pin.specifier)) for pin in target.pins)


def checks(facts: Facts, target: Target, toolkit: str, *, looked: bool = True) -> tuple[str, ...]:
    """What must be so before a build begins: a line each, with what is known of it.

    `looked`: whether toolkits were looked for on that machine.
    """
    needs = source_build()
    compilers = kb_cuda.host_compilers(toolkit)
    have = [kit.version for kit in facts.toolkits if kit.version]
    fitting = [v for v in have if numbers(v)[:2] == numbers(toolkit)]
    lines = [
        f"CUDA toolkit {toolkit}, which compiles for "
        f"{', '.join(gpu.sm for gpu in target.gpus)} and which this driver runs: "
        + (f"installed ({fitting[0]})" if fitting else _instead(have, looked=looked))
    ]
    if target.os == "windows":
        lines.append(
            "Visual Studio 2022 with the workload “Desktop development with C++”; run everything "
            "in its x64 Native Tools prompt"
        )
    elif compilers is not None:
        compiler = facts.compiler
        known = ""
        if compiler and compiler.version and (compiler.name or "").startswith(("gcc", "g++", "cc")):
            newest = numbers(compiler.version)[:1] <= (compilers.gcc,)
            verdict = "fits" if newest else "is too new: install an older one and set CXX"
            known = f" (here: {compiler.version}, which {verdict})"
        lines.append(f"gcc {compilers.gcc} or older for nvcc {toolkit}{known}")
    lines.append(f"cmake {needs.cmake_min} or newer, ninja, git, and the headers of Python")
    memory = facts.host.memory_bytes if facts.host else None
    here = f" (here: {memory / 2**30:.0f} GiB)" if memory else ""
    lines.append(f"{needs.memory_bytes_per_job / 2**30:.0f} GiB of memory a parallel job{here}")
    lines.append(f"{needs.disk_bytes / 2**30:.0f} GiB of free disk")
    return tuple(lines)


def torch_recipe(
    facts: Facts, target: Target, recipe: Recipe, python: str, *, looked: bool = True
) -> tuple[Step, ...]:
    """How to build torch for the GPUs of `target`: `python` is run in the clone.

    `looked`: whether toolkits were looked for on that machine.
    """
    release, toolkit = recipe.release, recipe.toolkit
    if target.os not in ("linux", "windows"):
        return ()
    jobs = max_jobs(facts.host)
    listed = "\n".join(f"  - {line}" for line in checks(facts, target, toolkit, looked=looked))
    clone = ("git", "clone", "--recursive", "--branch", f"v{release}",
             "https://github.com/pytorch/pytorch")  # fmt: skip
    build = (python, "-m", "pip", "install", "--no-build-isolation", "-v", ".")
    requirements = (python, "-m", "pip", "install", "-r", "requirements.txt")
    variables = {
        "TORCH_CUDA_ARCH_LIST": arch_list(target.gpus),
        "MAX_JOBS": str(jobs),
        "USE_CUDA": "1",
    }
    if target.os == "linux":
        variables["CUDA_HOME"] = f"/usr/local/cuda-{toolkit}"
    lines = with_variables(variables, (requirements, build))
    return (
        Step(
            kind="source-build",
            text=f"Check what a build of torch {release} needs:\n{listed}",
            risk="high",
        ),
        Step(
            kind="source-build",
            text=f"Get the source of torch {release}.",
            posix=f"{posix(clone)} && cd pytorch",
            powershell=f"{powershell(clone)}; Set-Location pytorch",
            cmd=f"{cmd(clone)} && cd pytorch",
            risk="high",
        ),
        Step(
            kind="source-build",
            text="Build and install it. It takes an hour or more; MAX_JOBS is what the memory "
            "allows.",
            posix=lines[0],
            powershell=lines[1],
            cmd=lines[2],
            risk="high",
        ),
    )


def _instead(have: list[str], *, looked: bool) -> str:
    if not looked:
        return "look with `nvcc --version`"
    return f"not installed ({', '.join(have)} is)" if have else "not found here"
