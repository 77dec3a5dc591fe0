"""Installed distributions: torch with a true ELF library, and whatever lies beside it.

The architectures are those of the released wheels for Linux; see configs/torch_releases.yaml.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass, field

_TO_2_7 = "50 60 70 75 80 86 90"
_CU128 = "70 75 80 86 90 100 120"
_CU130 = "75 80 86 90 100 120"


@dataclass(frozen=True, kw_only=True)
class TorchBuild:
    """A torch wheel as it lies in site-packages."""

    version: str
    cuda: str | None = None
    hip: str | None = None
    xpu: str | None = None
    sass: str = ""
    """`70 75 90a`"""
    ptx: str = ""
    local_in_metadata: bool = True
    """Wheels of PyPI carry no `+cu128` in their metadata, only in `version.py`."""
    requires: dict[str, str] = field(default_factory=dict)
    installed: dict[str, str] = field(default_factory=dict)
    """What of `requires` is there in another version; `""`: not at all."""
    library: str = "whole"
    """`whole`, `truncated`, `none`"""
    has_metadata: bool = True
    init: str = '"""A stand-in."""\n'


def _requires(cuda: str, cudnn: str, cublas: str, nccl: str, triton: str) -> dict[str, str]:
    suffix = f"cu{cuda.partition('.')[0]}"
    if suffix == "cu13":
        return {"nvidia-cudnn-cu13": cudnn, "nvidia-nccl-cu13": nccl, "triton": triton}
    return {
        f"nvidia-cublas-{suffix}": cublas,
        f"nvidia-cudnn-{suffix}": cudnn,
        f"nvidia-nccl-{suffix}": nccl,
        "triton": triton,
    }


TORCH_2_6_CU124 = TorchBuild(
    version="2.6.0+cu124",
    cuda="12.4",
    sass=_TO_2_7,
    requires=_requires("12.4", "9.1.0.70", "12.4.5.8", "2.21.5", "3.2.0"),
)
TORCH_2_7_CU126 = TorchBuild(
    version="2.7.1+cu126",
    cuda="12.6",
    sass=_TO_2_7,
    requires=_requires("12.6", "9.5.1.17", "12.6.4.1", "2.26.2", "3.3.1"),
)
TORCH_2_7_CU128 = TorchBuild(
    version="2.7.1+cu128",
    cuda="12.8",
    sass=_CU130,
    ptx="120",
    requires=_requires("12.8", "9.7.1.26", "12.8.3.14", "2.26.2", "3.3.1"),
)
TORCH_2_9_CU126 = TorchBuild(
    version="2.9.1+cu126",
    cuda="12.6",
    sass=_TO_2_7,
    requires=_requires("12.6", "9.10.2.21", "12.6.4.1", "2.27.5", "3.5.1"),
)
TORCH_2_9_CU128 = TorchBuild(
    version="2.9.1+cu128",
    cuda="12.8",
    sass=_CU128,
    requires=_requires("12.8", "9.10.2.21", "12.8.4.1", "2.27.5", "3.5.1"),
)
TORCH_2_9_CU130 = TorchBuild(
    version="2.9.1+cu130",
    cuda="13.0",
    sass=_CU130,
    ptx="120",
    requires=_requires("13.0", "9.13.0.50", "13.0.0.19", "2.27.7", "3.5.1"),
)
TORCH_2_11_CU130 = TorchBuild(
    version="2.11.0+cu130",
    cuda="13.0",
    sass=_CU130,
    requires=_requires("13.0", "9.15.1.9", "13.0.0.19", "2.28.9", "3.6.0"),
)
TORCH_2_9_CPU = TorchBuild(version="2.9.1+cpu")
TORCH_2_9_ROCM = TorchBuild(version="2.9.1+rocm6.4", hip="6.4.43484-123eb5128")
TORCH_2_5_ROCM = TorchBuild(version="2.5.1+rocm6.2", hip="6.2.41133-dd7f95766")
TORCH_2_9_ROCM_6_3 = TorchBuild(version="2.9.1+rocm6.3", hip="6.3.42131-fa1d09cbd")
TORCH_2_11_ROCM_7_2 = TorchBuild(version="2.11.0+rocm7.2", hip="7.2.26015-fc0010cf6a")
TORCH_2_9_XPU = TorchBuild(version="2.9.1+xpu", xpu="20250201")


def install_torch(build: TorchBuild, site: str) -> None:
    """Lay a torch into `site`."""
    folder = os.path.join(site, "torch")
    os.makedirs(os.path.join(folder, "lib"))
    _write(os.path.join(folder, "__init__.py"), build.init)
    _write(os.path.join(folder, "version.py"), _version_py(build))
    if build.sass or build.ptx:
        data = cuda_library(build.sass.split(), build.ptx.split())
        data = data[: len(data) // 2] if build.library == "truncated" else data
        if build.library != "none":
            with open(os.path.join(folder, "lib", "libtorch_cuda.so"), "wb") as file:
                file.write(data)
    if build.has_metadata:
        release = build.version if build.local_in_metadata else build.version.partition("+")[0]
        install_distribution(
            site, "torch", release, [f"{name}=={wanted}" for name, wanted in build.requires.items()]
        )
    for name, wanted in {**build.requires, **build.installed}.items():
        if wanted:
            install_distribution(site, name, wanted)


def install_distribution(
    site: str,
    name: str,
    version: str,
    requires: list[str] | None = None,
    files: tuple[str, ...] = (),
) -> None:
    """The metadata of an installed distribution."""
    folder = os.path.join(site, f"{name.replace('-', '_')}-{version}.dist-info")
    os.makedirs(folder, exist_ok=True)
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    lines += [f"Requires-Dist: {line}" for line in requires or []]
    _write(os.path.join(folder, "METADATA"), "\n".join(lines) + "\n\n")
    _write(os.path.join(folder, "INSTALLER"), "pip\n")
    records = [f"{os.path.basename(folder)}/METADATA,,"]
    records += [f"{file},," for file in files]
    if name == "torch":
        records += ["torch/__init__.py,,", "torch/version.py,,"]
        records += [f"torch/lib/libtorch_{kind}.so,," for kind in ("cuda", "hip", "xpu")]
    _write(os.path.join(folder, "RECORD"), "\n".join(records) + "\n")


def _version_py(build: TorchBuild) -> str:
    return (
        "from typing import Optional\n\n"
        f"__version__ = '{build.version}'\n"
        "debug = False\n"
        f"cuda: Optional[str] = {build.cuda!r}\n"
        "git_version = '5811a8d7da873dd699ff6687092c225caffcf1bb'\n"
        f"hip: Optional[str] = {build.hip!r}\n"
        f"xpu: Optional[str] = {build.xpu!r}\n"
    )


def cuda_library(sass: list[str], ptx: list[str], kernels: int = 40) -> bytes:
    """An ELF library whose `.nv_fatbin` holds `kernels` containers with these images.

    Some kernels are compiled for one architecture alone, as torch's row-wise FP8 kernels are.
    """
    containers = [fatbin(sass, ptx)] * kernels
    if "90" in sass:
        containers.append(fatbin([*sass, "90a"], ptx))
    return elf({".nv_fatbin": b"".join(containers), ".text": b"\xc3" * 64})


def fatbin(sass: list[str], ptx: list[str]) -> bytes:
    """One container: its header and an entry for each image."""
    entries = b"".join(_entry(2, name) for name in sass) + b"".join(_entry(1, n) for n in ptx)
    return struct.pack("<IHHQ", 0xBA55ED50, 1, 16, len(entries)) + entries


def _entry(kind: int, name: str) -> bytes:
    number = int(name.rstrip("af"))
    flags = 0x11 | {"a": 1 << 20, "f": 1 << 21}.get(name[-1], 0)  # 64-bit host, Linux
    payload = b"\x7fELF" + bytes(60)
    major, minor = (8, 7) if kind == 1 else (1, 7)
    return (
        struct.pack("<HHIQQHHIQQ", kind, 0x101, 64, len(payload), 0, minor, major, number, 0, flags)
        + bytes(16)
        + payload
    )


def elf(sections: dict[str, bytes], machine: int = 62) -> bytes:
    """A 64-bit little-endian shared library with these sections and nothing to load."""
    names = b"\0"
    offsets = {}
    for name in (*sections, ".shstrtab"):
        offsets[name] = len(names)
        names += name.encode() + b"\0"
    body = b""
    headers = [bytes(64)]
    start = 64
    for name, data in (*sections.items(), (".shstrtab", names)):
        body += bytes(-(start + len(body)) % 16)
        place = start + len(body)
        kind = 3 if name == ".shstrtab" else 1
        flags = 0 if name == ".shstrtab" else 2
        headers.append(
            struct.pack(
                "<IIQQQQIIQQ", offsets[name], kind, flags, place, place, len(data), 0, 0, 8, 0
            )
        )
        body += data
    body += bytes(-(start + len(body)) % 8)
    table = start + len(body)
    header = struct.pack(
        "<16sHHIQQQIHHHHHH",
        b"\x7fELF\x02\x01\x01" + bytes(9),
        3,
        machine,
        1,
        0,
        0,
        table,
        0,
        64,
        56,
        0,
        64,
        len(headers),
        len(headers) - 1,
    )
    return header + body + b"".join(headers)


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
