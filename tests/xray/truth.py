"""NVIDIA's own disassembler as the outside truth: what does it list, and what do we?

The distribution `nvidia-cuda-cuobjdump` brings the program. It reads ELF alone (on Linux), so
the device code of a Windows library is put into an ELF file for it. For a cubin of a family
(`sm_100f`) it prints the name without the `f`, so names are compared without. Version 13 gives
up on cubins of CUDA 12.2 and before ("Invalid ELF", "Support for 'sm_35' has been removed"):
there, what it listed before must be among ours, and the images' own headers are the witness
(`payload.py`).
"""

from __future__ import annotations

import os
import re
import stat
import struct
import subprocess
import sys
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gpudoctor.binaries.containers.wheel import read_wheel
from gpudoctor.binaries.library import read_library
from gpudoctor.model.facts import Library
from xray.made import Section, elf
from xray.payload import witnessed

_ELF_LINE = re.compile(r"^ELF file +\d+: .*\.(sm_\d+[af]?)\.cubin$", re.MULTILINE)
_PTX_LINE = re.compile(r"^PTX file +\d+: .*\.sm_(\d+[af]?)\.ptx$", re.MULTILINE)
_BINARY = re.compile(r"\.(?:so|so\.[^/]*|pyd|dll)$")
CUOBJDUMP = "nvidia-cuda-cuobjdump==13.5.37"


@dataclass(frozen=True)
class Wheel:
    """A wheel to fetch from the package index."""

    requirement: str
    platform: str
    python: str = "3.11"

    @property
    def name(self) -> str:
        """For people, and for the name of a test."""
        return f"{self.requirement} {self.platform}"


SMALL = (
    Wheel("torchvision==0.24.1", "manylinux_2_28_x86_64"),
    Wheel("torchvision==0.15.2", "manylinux1_x86_64"),
    Wheel("torchaudio==2.9.1", "manylinux_2_28_x86_64"),
    Wheel("torchcodec==0.17.0", "manylinux_2_28_x86_64"),
    Wheel("jax-cuda12-plugin==0.8.0", "manylinux_2_27_x86_64"),
    Wheel("jax-cuda12-plugin==0.8.0", "manylinux_2_27_aarch64"),
    Wheel("ctranslate2==4.6.2", "manylinux2014_x86_64"),
    Wheel("ctranslate2==4.6.2", "win_amd64"),
    Wheel("bitsandbytes==0.48.2", "manylinux_2_24_aarch64"),
    Wheel("bitsandbytes==0.48.2", "win_amd64"),
)
"""Less than 80 MB each."""

LARGE = (
    Wheel("bitsandbytes==0.50.2", "manylinux_2_24_x86_64"),
    Wheel("bitsandbytes==0.43.3", "manylinux_2_24_x86_64"),
    Wheel("xformers==0.0.35", "manylinux_2_28_x86_64"),
    Wheel("xformers==0.0.35", "win_amd64"),
    Wheel("cupy-cuda12x==14.2.0", "manylinux2014_x86_64"),
    Wheel("cupy-cuda12x==14.2.0", "win_amd64"),
    Wheel("onnxruntime-gpu==1.31.1", "manylinux_2_28_x86_64"),
    Wheel("onnxruntime-gpu==1.31.1", "win_amd64"),
    Wheel("vllm==0.20.2", "manylinux_2_35_x86_64", "3.12"),
    Wheel("vllm==0.20.2", "manylinux_2_35_aarch64", "3.12"),
    Wheel("vllm==0.8.5.post1", "manylinux1_x86_64"),
    Wheel("nvidia-nccl-cu12==2.32.3", "manylinux_2_27_x86_64"),
    Wheel("nvidia-cusparse-cu12==12.5.10.65", "manylinux2014_x86_64"),
    Wheel("torch==2.9.1", "manylinux_2_28_x86_64"),
    Wheel("torch==2.12.1", "manylinux_2_28_aarch64"),
    Wheel("torch==2.4.1", "manylinux1_x86_64"),
    Wheel("torch==2.0.1", "manylinux1_x86_64"),
)
"""Up to 900 MB each."""


@dataclass(frozen=True)
class Difference:
    """A library on which the two do not agree."""

    path: str
    ours: dict[str, int]
    theirs: dict[str, int]


@dataclass(frozen=True)
class Compared:
    """A wheel, library by library."""

    libraries: int
    images: int
    differences: tuple[Difference, ...]
    gave_up: int
    """Libraries that NVIDIA's program did not read to the end."""


def fetch(wheel: Wheel, folder: Path) -> Path:
    """Download it with pip, unless it is there."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / re.sub(r"\W+", "-", wheel.name)
    present = list(target.glob("*.whl"))
    if present:
        return present[0]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", target]
    command += ["--only-binary=:all:", "--python-version", wheel.python]
    command += ["--platform", wheel.platform, wheel.requirement]
    subprocess.run(command, check=True, capture_output=True, text=True)
    return next(target.glob("*.whl"))


def cuobjdump(folder: Path) -> Path:
    """NVIDIA's program, fetched with pip into `folder`."""
    program = folder / "nvidia" / "cu13" / "bin" / "cuobjdump"
    if not program.exists():
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target"]
        subprocess.run([*command, folder, CUOBJDUMP], check=True, capture_output=True, text=True)
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return program


def compare(wheel: Path, program: Path, scratch: Path) -> Compared:
    """Every library of the wheel: ours read from the wheel, theirs from the unpacked file."""
    ours = {each.path.partition("!/")[2]: each for each in read_wheel(str(wheel))}
    differences, images, gave_up = [], 0, 0
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if not _BINARY.search(name):
                continue
            file = scratch / "library.so"
            with archive.open(name) as source, file.open("wb") as target:
                while chunk := source.read(1 << 20):
                    target.write(chunk)
            found = ours.get(name)
            assert found is None or isinstance(found, Library), found
            assert_same_from_disk(found, file)
            listed, complete = theirs(file, program, scratch)
            counted = counts(found)
            if not complete:
                gave_up += 1
                assert listed <= counted, name
                listed = witnessed(file)
            images += sum(counted.values())
            if counted != listed:
                differences.append(Difference(name, dict(counted), dict(listed)))
            file.unlink()
    return Compared(len(ours), images, tuple(differences), gave_up)


def assert_same_from_disk(found: Library | None, file: Path) -> None:
    """A library reads the same from a wheel and from disk."""
    unpacked = read_library(str(file))
    assert (unpacked is None) == (found is None)
    if unpacked is not None and found is not None:
        assert (unpacked.groups, unpacked.relocatable) == (found.groups, found.relocatable)
        assert (unpacked.sass, unpacked.ptx) == (found.sass, found.ptx)


def counts(library: Library | None) -> Counter[str]:
    """Our images by name, linked and relocatable together, family cubins without their `f`."""
    total: Counter[str] = Counter()
    if library is None:
        return total
    for name, count in (*library.sass.items(), *library.ptx.items()):
        total[_plain(name)] += count
    for group in library.relocatable:
        for name in (*group.sass, *group.ptx):
            total[_plain(name)] += group.count
    return total


def _plain(name: str) -> str:
    return name.removesuffix("f") if name.startswith("sm_") else name


def theirs(file: Path, program: Path, scratch: Path) -> tuple[Counter[str], bool]:
    """What NVIDIA's program lists, and whether it came to the end of the library."""
    with file.open("rb") as opened:
        head = opened.read(2)
    if head == b"MZ":
        wrapped = scratch / "wrapped.so"
        wrapped.write_bytes(elf(*windows_sections(file.read_bytes())))
        file = wrapped
    listed: Counter[str] = Counter()
    complete = True
    for option, pattern, prefix in (
        ("--list-elf", _ELF_LINE, ""),
        ("--list-ptx", _PTX_LINE, "compute_"),
    ):
        answer = subprocess.run(
            [program, "-all", option, file], capture_output=True, text=True, check=False
        )
        listed.update(prefix + name for name in pattern.findall(answer.stdout))
        complete = complete and "fatal" not in answer.stderr
    return Counter({_plain(name): count for name, count in listed.items()}), complete


def windows_sections(data: bytes) -> Iterator[Section]:
    """The device code of a PE file, as sections of an ELF file."""
    at = struct.unpack_from("<I", data, 0x3C)[0]
    count, optional = (
        struct.unpack_from("<H", data, at + 6)[0],
        struct.unpack_from("<H", data, at + 20)[0],
    )
    for index in range(count):
        entry = at + 24 + optional + 40 * index
        name, virtual, _, raw, offset = struct.unpack_from("<8sIIII", data, entry)
        for short, long in ((b".nv_fatb", ".nv_fatbin"), (b"__nv_rel", "__nv_relfatbin")):
            if name == short:
                yield Section(long, data[offset : offset + min(raw, virtual)])


def cache_folder() -> Path:
    """Where downloads are kept between runs: `GPUDOCTOR_TEST_CACHE`, or a temporary folder."""
    import tempfile

    return Path(
        os.environ.get("GPUDOCTOR_TEST_CACHE") or Path(tempfile.gettempdir()) / "gpudoctor-tests"
    )
