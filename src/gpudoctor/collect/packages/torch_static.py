"""The installed torch, from its files: `version.py`, metadata, companions; nothing is imported."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence

from gpudoctor.collect.long_paths import true_path
from gpudoctor.collect.packages.distributions import Distribution
from gpudoctor.collect.reason import Reason
from gpudoctor.collect.system.files import is_file, names, read_bytes, read_text
from gpudoctor.model.facts import Requirement, Torch
from gpudoctor.model.pattern import late_pattern
from gpudoctor.model.requirements.marker import applies
from gpudoctor.model.requirements.requirement_line import read_metadata_line
from gpudoctor.model.terms.version import public_version
from gpudoctor.model.value import dataclass

_ASSIGNMENT = late_pattern(
    r"""^(__version__|cuda|hip|xpu|debug|git_version)   # rocm builds, too, write these
        \s*(?::[^=\n]*)?=\s*
        (?:(['"])(.*?)\2|(None|True|False))""",
    re.ASCII | re.VERBOSE | re.MULTILINE,
)
# Text, not compiled: `re` compiles and keeps it when it is first needed, which is seldom.
_CXX11 = r"_GLIBCXX_USE_CXX11_ABI=([01])"
_CUDNN = r"(?a)libcudnn\.so\.(\d+\.\d+[\d.]*)\Z"
_ACCELERATION = late_pattern(
    r"(nvidia-|cuda-toolkit|cuda-bindings|triton|pytorch-triton|intel-|rocm|"
    r"dpcpp-|onemkl-|oneccl|impi-|umf|tcmlib|tbb|mkl)"
)


@dataclass(frozen=True, slots=True)
class VersionFile:
    """What `torch/version.py` says."""

    version: str | None
    cuda: str | None
    hip: str | None
    xpu: str | None
    git_version: str | None
    debug: bool | None


def parse_version_file(text: str) -> VersionFile:
    """Read the assignments of `version.py` without executing it."""
    values: dict[str, str | None] = {}
    debug: bool | None = None
    for name, quote, quoted, word in _ASSIGNMENT.findall(text):
        if name == "debug" and word in ("True", "False"):
            debug = word == "True"
        elif quote or word == "None":
            values[name] = quoted if quote else None
    return VersionFile(
        version=values.get("__version__"),
        cuda=values.get("cuda") or None,
        hip=values.get("hip") or None,
        xpu=values.get("xpu") or None,
        git_version=values.get("git_version"),
        debug=debug,
    )


def read_torch(
    folders: Sequence[str], distributions: Sequence[Distribution], marker_values: Mapping[str, str]
) -> tuple[Torch | None, dict[str, Reason]]:
    """The torch that would be imported, architectures left out.

    Returns:
        The torch (`None` without any), and what could not be had of it: field → reason.
    """
    installed = [d for d in distributions if d.name == "torch"]
    if not folders and not installed:
        return None, {}
    unknown: dict[str, Reason] = {}
    folder = folders[0] if folders else None
    owner = _owner(folder, installed)
    said = VersionFile(None, None, None, None, None, None)
    if folder is None:
        gone = Reason("damaged", "the distribution is installed without its files")
        unknown |= dict.fromkeys(_FROM_FILE, gone)
    elif (text := read_text(os.path.join(folder, "version.py"), 1 << 16)) is None:
        path = os.path.join(folder, "version.py")
        unreadable = Reason("denied" if is_file(path) else "damaged", f"{path} is unreadable")
        unknown |= dict.fromkeys(_FROM_FILE, unreadable)
    else:
        said = parse_version_file(text)
        if said.version is None:
            silent = Reason("damaged", "version.py of torch names no version")
            unknown |= dict.fromkeys(_FROM_FILE, silent)
    said_by_metadata = owner.version if owner else None
    version = said.version or said_by_metadata
    if version is None:
        unknown["version"] = Reason("damaged", "neither version.py nor metadata name it")
    recorded = owner is not None and _has_metadata(owner)
    if not recorded:
        unknown["requires"] = Reason("damaged", "this torch has no metadata that can be read")
    cudnn, reason = _cudnn(folder, distributions)
    if cudnn is None and said.cuda and reason:
        unknown["cudnn"] = Reason("not-stated", reason)
    return (
        Torch(
            version=version,
            cuda=said.cuda,
            hip=said.hip,
            xpu=said.xpu,
            git_version=said.git_version,
            debug=said.debug,
            path=folder,
            distribution_version=said_by_metadata if said_by_metadata != version else None,
            cudnn=cudnn,
            nccl=_version_of(distributions, "nvidia-nccl-cu"),
            cxx11_abi=_cxx11_abi(folder),
            requires=_requirements(owner, distributions, marker_values),
            metadata=recorded,
            copies=tuple(folders),
        ),
        unknown,
    )


_FROM_FILE = ("cuda", "hip", "xpu", "git_version", "debug")


def _owner(folder: str | None, installed: Sequence[Distribution]) -> Distribution | None:
    """The distribution that a torch folder belongs to: of several, the one of its version."""
    if folder is None:
        return installed[0] if installed else None
    site = os.path.dirname(folder)
    here = [d for d in installed if true_path(d.site) == true_path(site)]
    if len(here) > 1:
        said = parse_version_file(read_text(os.path.join(folder, "version.py"), 1 << 16) or "")
        release = public_version(said.version or "")
        here.sort(key=lambda d: public_version(d.version or "") != release)
    if here:
        return here[0]
    linked = [d for d in installed if d.info.endswith(".egg-link") or d.origin[1]]
    return linked[0] if linked else None


def _has_metadata(owner: Distribution) -> bool:
    places = (os.path.join(owner.info, name) for name in ("METADATA", "PKG-INFO"))
    return any(read_bytes(path, 1) for path in (*places, owner.info))


def _requirements(
    owner: Distribution | None, distributions: Sequence[Distribution], values: Mapping[str, str]
) -> tuple[Requirement, ...]:
    """What of its metadata concerns GPUs, and what is installed of it.

    torch 2.11 and later requires `cuda-toolkit[cublas,…]`, whose extras require the libraries:
    those are followed.
    """
    by_name: dict[str, Distribution] = {}
    for distribution in distributions:
        by_name.setdefault(distribution.name, distribution)
    result: dict[str, Requirement] = {}

    def follow(distribution: Distribution, extras: tuple[str, ...], depth: int) -> None:
        for text in distribution.requires:
            line = read_metadata_line(text)
            if line is None or not _ACCELERATION.match(line.name):
                continue
            if not applies(line.marker, values, extras):
                continue
            there = by_name.get(line.name)
            result.setdefault(
                line.name,
                Requirement(
                    name=line.name,
                    specifier=line.specifier,
                    installed=there.version if there else None,
                ),
            )
            if there and line.extras and depth < 3:
                follow(there, line.extras, depth + 1)

    if owner is not None:
        follow(owner, (), 0)
    return tuple(result.values())


def _version_of(distributions: Sequence[Distribution], prefix: str) -> str | None:
    return next((d.version for d in distributions if d.name.startswith(prefix)), None)


def _cudnn(folder: str | None, distributions: Sequence[Distribution]) -> tuple[str | None, str]:
    """Version of the cuDNN that torch brings, else why it cannot be told."""
    if version := _version_of(distributions, "nvidia-cudnn-cu"):
        return version, ""
    if folder is None:
        return None, "torch's files are not there"
    # A wheel of old, or a conda package: the library's full version stands in its file name.
    site = os.path.dirname(folder)
    environment = os.path.dirname(os.path.dirname(site))
    seen = False
    for place in (os.path.join(folder, "lib"), environment):
        for name in names(place):
            seen = seen or "cudnn" in name
            if match := re.match(_CUDNN, name):
                return match[1], ""
    if seen:
        return None, "the cuDNN beside torch shows no more than its major version"
    return None, "no cuDNN lies where torch's wheels and conda packages put it"


def _cxx11_abi(folder: str | None) -> bool | None:
    """The C++ ABI that torch was compiled with; `None` outside Linux.

    Builds up to 2.7 write it into a CMake file; in all of them the names that libc10 exports
    carry `__cxx11` under the new ABI alone.
    """
    if folder is None:
        return None
    text = read_text(os.path.join(folder, "share", "cmake", "Torch", "TorchConfig.cmake"), 1 << 16)
    if match := re.search(_CXX11, text or ""):
        return match[1] == "1"
    data = read_bytes(os.path.join(folder, "lib", "libc10.so"), 1 << 23)
    if data is None or b"_ZN3c10" not in data:
        return None
    return b"St7__cxx1112basic_string" in data
