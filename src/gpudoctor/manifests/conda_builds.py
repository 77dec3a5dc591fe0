"""Which build of torch a conda package is: by its channel and its build string."""

from __future__ import annotations

import re

from gpudoctor.kb.software import indexes as kb_indexes
from gpudoctor.kb.software import torch_releases
from gpudoctor.kb.software.torch_releases import Build
from gpudoctor.manifests.choice import Choice
from gpudoctor.manifests.scene import Scene
from gpudoctor.model.finding import FileAt
from gpudoctor.model.value import dataclass

NAMES = ("pytorch", "pytorch-gpu", "pytorch-cpu", "libtorch")
SUBDIRS = {
    "linux_x86_64": "linux-64",
    "linux_aarch64": "linux-aarch64",
    "win_amd64": "win-64",
    "win_arm64": "win-arm64",
    "macos_arm64": "osx-arm64",
    "macos_x86_64": "osx-64",
}
_CUDA = re.compile(r"cuda_?(\d{2})\.?(\d)", re.ASCII)
_OF_PYTORCH = re.compile(r"py\d\.\d+_(cuda|cpu)", re.ASCII)
_ENDINGS = (".conda", ".tar.bz2")


@dataclass(frozen=True, slots=True)
class CondaFile:
    """A conda package as its URL names it."""

    channel: str
    subdir: str
    name: str
    version: str
    build: str


def parse_url(url: str) -> CondaFile | None:
    """`https://conda.anaconda.org/conda-forge/linux-64/pytorch-2.5.1-cuda126_0.conda`."""
    bare = url.split("#", 1)[0]
    steps = bare.rsplit("/", 3)
    ending = next((e for e in _ENDINGS if bare.endswith(e)), None)
    if ending is None or len(steps) < 3:
        return None
    parts = steps[-1].removesuffix(ending).rsplit("-", 2)
    if len(parts) != 3:
        return None
    return CondaFile(steps[-3], steps[-2], *parts)


def cuda_of(build: str) -> str | None:
    """`12.6` for `cuda126_py312h…` and `py3.12_cuda12.6_cudnn9…`; empty for a CPU build.

    `None`: the string does not tell.
    """
    found = _CUDA.search(build)
    if found:
        return f"{found[1]}.{found[2]}"
    if "cpu" in build or "mps" in build:
        return ""
    return None


def channel_of_build(build: str) -> str:
    """The channel whose recipes name a build so: `py3.12_cuda12.4_cudnn9.1.0_0` is pytorch's."""
    return "pytorch" if _OF_PYTORCH.match(build) else "conda-forge"


def choice(channel: str, version: str, cuda: str, at: FileAt, scene: Scene) -> Choice:
    """The build of torch that a conda package is; `cuda` is empty for the processor."""
    variant = "cu" + cuda.replace(".", "") if cuda else "cpu"
    build = torch_releases.build(version, variant, scene.platform)
    if cuda and channel != "pytorch":
        known = kb_indexes.conda_forge(cuda)
        build = (
            Build(
                torch=version,
                variant=variant,
                kind="cuda",
                platform=scene.platform,
                cuda=cuda,
                sass=known.sass,
                ptx=known.ptx,
                pythons=(scene.python,),
            )
            if known
            else None
        )
    elif not cuda and build is None:
        build = Build(torch=version, variant="cpu", kind="cpu", platform=scene.platform)
    return Choice(name="torch", version=version, at=at, index=channel, variant=variant, build=build)
