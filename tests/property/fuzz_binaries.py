"""Coverage-guided fuzzing of the X-ray, to be run by hand: it never ends by itself.

    pip install atheris
    python tests/property/fuzz_binaries.py -atheris_runs=1000000 -timeout=10 -rss_limit_mb=512

Anything but a result or `UnreadableBinaryError` is a finding; so are a run of more than ten
seconds and half a gigabyte of memory. What was found is a test in tests/unit/binaries.
"""

from __future__ import annotations

import os
import struct
import sys
import tempfile
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).parents[1]))

with atheris.instrument_imports(include=["gpudoctor.binaries", "gpudoctor.compat"]):
    from gpudoctor.binaries.code.skeleton import Skeleton
    from gpudoctor.binaries.containers.inflated import InflatedSource
    from gpudoctor.binaries.containers.wheel import read_wheel
    from gpudoctor.binaries.containers.zip_archive import members
    from gpudoctor.binaries.judgement.coverage import coverage
    from gpudoctor.binaries.library import read_library, read_source
    from gpudoctor.binaries.ptxas import read_ptxas
    from gpudoctor.binaries.source import BytesSource, Source, UnreadableBinaryError

from gpudoctor.compat.architecture import ComputeCapability
from gpudoctor.model.facts import Library
from xray.made import Section, container, elf, fatbin, pe, records, wheel
from xray.made_vendors import (
    ar,
    bundle,
    compressed,
    fat,
    hip_fatbin,
    intel_image,
    kernel_archive,
    macho,
    reference,
    wrappers,
)

GPU = ComputeCapability(12, 0)
SCRATCH = os.path.join(tempfile.mkdtemp(prefix="fuzz-binaries-"), "x-1-py3-none-any.whl")


def library(source: Source) -> None:
    """One binary, and what is judged of it."""
    found = read_source(source, "x.so")
    if found is not None:
        judge(found)


def judge(found: Library) -> None:
    """Its counts must agree with each other."""
    result = coverage(found, GPU)
    assert 0 <= result.runnable <= result.of
    assert (result.status == "none") == (result.runnable == 0 and result.of > 0)


def test_one_input(data: bytes) -> None:
    """The first byte says what the rest is read as."""
    kind, rest = data[:1], data[1:]
    try:
        if kind == b"D":
            follower = Skeleton()
            library(InflatedSource(BytesSource(rest), 0, len(rest), 1 << 24, follower=follower))
        elif kind in (b"W", b"P", b"F"):
            with open(SCRATCH, "wb") as file:
                file.write(rest)
            if kind == b"P":
                read_ptxas(SCRATCH)
                return
            if kind == b"F":
                read_library(SCRATCH)
                return
            for found in read_wheel(SCRATCH):
                if isinstance(found, Library):
                    judge(found)
        elif kind == b"M":
            for _ in members(BytesSource(rest)):
                pass
        else:
            library(BytesSource(rest))
    except UnreadableBinaryError:
        pass


def seeds(folder: Path) -> None:
    """Well-formed files of every kind, from which mutation starts."""
    general = container("sm_75 sm_80 sm_90a sm_120f compute_120")
    whole = elf(fatbin(general, container("sm_90a"), b"\0" * 24, container()), records((1, 64)))
    objects = elf(
        fatbin(container("sm_80 sm_90"), name=".nv_fatbin"),
        fatbin(container("sm_80 compute_80"), container("sm_80"), name="__nv_relfatbin"),
        records((2, 64), (1, 200)),
        Section(
            ".rodata", b"compute_75\0compute_120a\0Cuda compilation tools, release 12.8, V12.8.93"
        ),
    )
    windows = pe(fatbin(general), records((1, 0x180000200)))
    many = elf(fatbin(*[general] * 20), extended=True)
    section, starts = hip_fatbin(bundle("gfx90a:xnack-", "gfx1100"), compressed(bundle("gfx942")))
    amd = elf(section, wrappers(*(64 + start for start in starts)), reference("x", "@GFXARCH@.k"))
    images = Section("__CLANG_OFFLOAD_BUNDLE__sycl-spir64_gen", intel_image("12.60.7"))
    files = {
        "amd": b"L" + amd,
        "bundle": b"L" + compressed(bundle("gfx1100"), 2, 0),
        "archive": b"L" + kernel_archive({"gfx1100": ["a"], "gfx90a:xnack-": ["a", "b"]}),
        "intel": b"L" + elf(images, Section(".tgtimg", struct.pack("<QQ", 64, 1000))),
        "static": b"L" + ar(("a.o", whole), ("a name longer than fifteen", amd)),
        "mac": b"L" + fat(macho("11.0", ["13.0"]), macho("10.13", old_command=True)),
        "elf": b"L" + whole,
        "objects": b"L" + objects,
        "pe": b"L" + windows,
        "many": b"L" + many,
        "wheel": b"W" + wheel([("a/b.so", whole), ("a/c.pyd", windows)]),
        "stored": b"W" + wheel([("a/b.so", whole), ("a/c.pyd", windows)], stored=True),
        "members": b"M" + wheel([("a/b.so", b"x" * 2000), ("c", b"")]),
        "ptxas": b"P" + objects,
        "file": b"F" + objects,
        "deflated": b"D" + wheel([("a", whole)])[31:-80],
    }
    for name, data in files.items():
        (folder / name).write_bytes(data)


def main() -> None:
    """Run until told to stop, from the seeds and what earlier runs found worth keeping."""
    corpus = Path(os.environ.get("FUZZ_CORPUS", "") or tempfile.mkdtemp(prefix="fuzz-corpus-"))
    seeds(corpus)
    atheris.Setup([sys.argv[0], str(corpus), *sys.argv[1:]], test_one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
