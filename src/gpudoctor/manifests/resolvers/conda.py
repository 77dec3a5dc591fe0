"""What conda (mamba, pixi) chooses, as far as a file decides it.

conda-forge's builds ask the machine for a driver (`__cuda`) while they are solved: on a builder
without one it is the CPU build. The channel pytorch's `pytorch-cuda=X` fixes the variant whatever
the builder has.
Source: micromamba-docker issue 620, pytorch-cpu-feedstock issue 364, pixi's page on PyTorch.
"""

from __future__ import annotations

from gpudoctor.kb.software import indexes as kb_indexes
from gpudoctor.kb.software import torch_releases
from gpudoctor.manifests.choice import InstallOutcome
from gpudoctor.manifests.conda_builds import choice, cuda_of
from gpudoctor.manifests.install_file import CondaSpec, InstallFile
from gpudoctor.manifests.resolvers import pip, uv
from gpudoctor.manifests.scene import Scene
from gpudoctor.model.requirements.specifier import allows, version
from gpudoctor.model.value import replace

_LAST_PYTHON = 12
"""The last Python 3 that the channel pytorch has builds for (its listing, 2024-10)."""
_OF_ONE_SYSTEM = {
    "linux": ("_libgcc_mutex", "ld_impl_linux-64", "ld_impl_linux-aarch64", "libgcc-ng"),
    "win": ("vc", "vc14_runtime", "vs2015_runtime", "ucrt"),
}
"""Packages that are on conda's channels for one system alone (conda-forge: ctng-compilers, vc)."""
_TORCH = ("pytorch", "pytorch-gpu", "pytorch-cpu")


def resolve(document: InstallFile, scene: Scene) -> InstallOutcome:
    """The torch of a conda environment, and of the list for pip in it."""
    tool = document.tool
    said = f"with {tool}, nothing configured on the machine"
    if exported := _of_another_system(document, scene, said):
        return exported
    named = [spec for spec in document.conda if spec.name in _TORCH]
    pip_too = any(wish.name == "torch" and not wish.constraint for wish in document.wishes)
    if named and pip_too:
        why = f"{document.path} takes torch from conda and from pip"
        return _open(tool, said, why, named[0])
    if not named:
        return _by_pip(document, scene, said)
    torch = next((spec for spec in named if spec.version), named[0])
    if torch.channel == "pytorch" or (
        not torch.channel and document.channels[:1] == ("pytorch",)
    ):  # fmt: skip
        return _pytorch_channel(document, torch, scene, said)
    if any(spec.name == "pytorch-cuda" for spec in document.conda):
        if "pytorch" in document.channels and "conda-forge" not in document.channels:
            return _pytorch_channel(document, torch, scene, said)
        why = "pytorch-cuda is of the channel pytorch, and another channel stands before it"
        return _open(tool, said, why, torch)
    return _conda_forge(document, named, torch, scene, said)


def _of_another_system(document: InstallFile, scene: Scene, said: str) -> InstallOutcome | None:
    """The failure that comes of builds which `conda env export` has named on another system."""
    for system, names in _OF_ONE_SYSTEM.items():
        spec = next((spec for spec in document.conda if spec.name in names and spec.build), None)
        if spec is not None and not scene.platform.startswith(system):
            why = f"{document.path} names builds of another system ({spec.name} {spec.build}), "
            why += f"which conda does not find for {scene.platform}"
            return InstallOutcome(
                status="fails", tool=document.tool, assumption=said, why=why, reason="platform",
                files=(spec.at,),
            )  # fmt: skip
    return None


def _by_pip(document: InstallFile, scene: Scene, said: str) -> InstallOutcome:
    resolver = uv.resolve if document.tool == "pixi" else pip.resolve
    found = resolver(document, scene)
    return replace(found, assumption=said)


def _pytorch_channel(
    document: InstallFile, torch: CondaSpec, scene: Scene, said: str
) -> InstallOutcome:
    tool = document.tool
    cuda = next((spec for spec in document.conda if spec.name == "pytorch-cuda"), None)
    wanted = cuda_of(torch.build)
    if any(spec.name == "cpuonly" for spec in document.conda) or torch.name == "pytorch-cpu":
        wanted = ""
    elif cuda is not None:
        wanted = cuda.version.removeprefix("==").removesuffix(".*") or wanted
    if wanted is None:
        why = f"{document.path} names neither pytorch-cuda nor cpuonly: the CUDA is left open"
        return _open(tool, said, why, torch)
    variant = "cu" + wanted.replace(".", "") if wanted else "cpu"
    last = kb_indexes.last_on_conda_channel("pytorch") or ""
    found = [
        build
        for build in torch_releases.builds()
        if build.variant == variant
        and build.platform == scene.platform
        and build.exists
        and version(build.torch) <= version(last)
        and allows(torch.version, build.torch)
    ]
    minor = int(scene.python.rstrip("t").partition(".")[2] or 0)
    if found and minor > _LAST_PYTHON:
        why = f"the channel pytorch has no build for Python {scene.python}; it ended with 3.12"
        return InstallOutcome(
            status="fails", tool=tool, assumption=said, why=why, reason="python",
            files=(torch.at,),
        )  # fmt: skip
    if not found:
        asked = f"pytorch{torch.version}" + (f" with pytorch-cuda={wanted}" if wanted else "")
        why = f"{asked} is not on the channel pytorch, which ended with {last} and CUDA 12.4"
        return InstallOutcome(
            status="fails", tool=tool, assumption=said, why=why, reason="missing",
            files=(torch.at,),
        )  # fmt: skip
    best = max(found, key=lambda build: version(build.torch))
    made = choice("pytorch", best.torch, wanted, torch.at, scene)
    return InstallOutcome(status="installs", tool=tool, assumption=said, choices=(made,))


def _conda_forge(
    document: InstallFile, named: list[CondaSpec], torch: CondaSpec, scene: Scene, said: str
) -> InstallOutcome:
    tool = document.tool
    builds = [spec.build for spec in named if spec.build]
    cuda = next((found for build in builds if (found := cuda_of(build)) is not None), None)
    gpu = any(spec.name == "pytorch-gpu" for spec in named) or any("cuda" in b for b in builds)
    cpu = any(spec.name == "pytorch-cpu" for spec in named) or cuda == ""
    if scene.platform.startswith("macos"):
        cpu = True
        if gpu:
            why = f"conda-forge has no CUDA build of pytorch for {scene.platform}"
            return InstallOutcome(
                status="fails", tool=tool, assumption=said, why=why, reason="platform",
                files=(torch.at,),
            )  # fmt: skip
    declared = document.options.get("cuda")
    # pixi solves for what the manifest declares, and an image is built without a driver.
    alone = tool == "pixi" or "builder" in document.options
    if alone and not declared and gpu:
        why = (
            f"the CUDA build that {document.path} asks for needs a driver where it is solved, and "
        )
        why += "the manifest declares none" if tool == "pixi" else "an image is built without one"
        return InstallOutcome(
            status="fails", tool=tool, assumption=said, why=why, reason="conflict",
            files=(torch.at,),
        )  # fmt: skip
    if alone and not declared:
        cpu = True
    pinned = next((spec for spec in document.conda if spec.name == "cuda-version"), None)
    exact = pinned is not None and pinned.version.startswith("==")
    asked = pinned.version.removeprefix("==").removesuffix(".*") if pinned and exact else ""
    wanted = cuda or asked
    mac = scene.platform.startswith("macos")  # what is declared of CUDA is not for it
    if wanted and declared and not mac and int(declared.split(".")[0]) < int(wanted.split(".")[0]):
        why = f"{document.path} asks for CUDA {wanted}, and declares CUDA {declared}"
        return InstallOutcome(
            status="fails", tool=tool, assumption=said, why=why, reason="conflict",
            files=(torch.at,),
        )  # fmt: skip
    if cpu and not gpu:
        return InstallOutcome(
            status="installs",
            tool=tool,
            assumption=said,
            choices=(choice("conda-forge", _newest(torch), "", torch.at, scene),),
        )
    if not gpu and not declared:
        why = (
            f"{document.path} takes pytorch from conda-forge: the CUDA build where a driver is on "
            "the machine that solves it, else the CPU build"
        )
        return _open(tool, said, why, torch)
    if cuda and asked and cuda.split(".")[0] != asked.split(".")[0]:
        why = f"{document.path} asks for a build for CUDA {cuda} beside cuda-version {asked}"
        return InstallOutcome(
            status="fails", tool=tool, assumption=said, why=why, reason="conflict",
            files=(torch.at,),
        )  # fmt: skip
    # cuda-version is a ceiling within its major: a build for an older CUDA satisfies it too.
    if cuda is None and gpu and _exact(torch) and asked == _cuda_of(_newest(torch), asked):
        cuda = asked
    if not cuda or not _exact(torch) or not _of_its_time(_newest(torch), cuda):
        why = f"which CUDA the pytorch of {document.path} is built for is left open"
        return _open(tool, said, why, torch)
    made = choice("conda-forge", _newest(torch), wanted, torch.at, scene)
    return InstallOutcome(status="installs", tool=tool, assumption=said, choices=(made,))


def _of_its_time(release: str, cuda: str) -> bool:
    """Whether a release can have been built for a CUDA: for no newer major than its wheels."""
    majors = [
        int(build.cuda.split(".")[0])
        for build in torch_releases.builds()
        if build.torch == release and build.cuda
    ]
    newest = _cuda_of(release, cuda)
    followed = newest is not None and version(newest) > version(cuda)
    return bool(majors) and int(cuda.split(".")[0]) <= max(majors) and not followed


def _cuda_of(release: str, asked: str) -> str | None:
    """The CUDA of the major that is asked for for which a release is sure to be built.

    conda-forge follows PyTorch's own wheels, and builds for the newest CUDA of a major alone.
    """
    first: dict[str, str] = {}
    for build in sorted(torch_releases.builds(), key=lambda build: version(build.torch)):
        if build.cuda and kb_indexes.conda_forge(build.cuda):
            first.setdefault(build.cuda, build.torch)
    same = [
        cuda
        for cuda, since in first.items()
        if cuda.split(".")[0] == asked.split(".")[0] and version(since) <= version(release)
    ]
    return max(same, key=version, default=None)


def _exact(spec: CondaSpec) -> bool:
    return spec.version.startswith("==")


def _newest(spec: CondaSpec) -> str:
    """The newest release that a spec allows."""
    rows = [row.version for row in torch_releases.releases() if allows(spec.version, row.version)]
    return max(rows, key=version, default=spec.version.removeprefix("==").removesuffix(".*"))


def _open(tool: str, said: str, why: str, spec: CondaSpec) -> InstallOutcome:
    return InstallOutcome(status="open", tool=tool, assumption=said, why=why, files=(spec.at,))
