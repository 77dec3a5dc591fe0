"""Every reader of bytes that a stranger may have written, each with something well-formed to read.

Each reader gives a result or raises the one exception that it documents; anything else is a fault.
"""

from __future__ import annotations

import json
import os
import struct
import tempfile
from collections.abc import Callable
from contextlib import suppress

from gpudoctor.binaries.code.skeleton import Skeleton
from gpudoctor.binaries.containers import wheel as wheels
from gpudoctor.binaries.containers.inflated import InflatedSource
from gpudoctor.binaries.containers.record import attributions
from gpudoctor.binaries.containers.zip_archive import members
from gpudoctor.binaries.formats.elf_dynamic import read_dynamic
from gpudoctor.binaries.judgement.coverage import coverage
from gpudoctor.binaries.library import read_source
from gpudoctor.binaries.ptxas import read_ptxas
from gpudoctor.binaries.source import BytesSource, UnreadableBinaryError
from gpudoctor.collect.python import fix_journal
from gpudoctor.compat.architecture import ComputeCapability
from gpudoctor.errors import FixFailedError
from gpudoctor.fix.keeping import manifest
from gpudoctor.fix.kept import vaults_of
from gpudoctor.model.facts import Library
from xray.made import PE_BASE, Section, container, elf, fatbin, pe, records, wheel
from xray.made_vendors import (
    SPIRV,
    ar,
    bundle,
    code_object,
    compressed,
    fat,
    hip_fatbin,
    intel_image,
    kernel_archive,
    macho,
    reference,
    wrappers,
)

Reader = Callable[[bytes], None]
GPU = ComputeCapability(12, 0)
_SCRATCH = tempfile.TemporaryDirectory(prefix="readers-")
_SITE = os.path.join(_SCRATCH.name, "x-1.dist-info")
os.mkdir(_SITE)


def library(data: bytes) -> None:
    """A binary, and what is judged of it: its counts agree with each other."""
    with suppress(UnreadableBinaryError):
        _judge(read_source(BytesSource(data), "x.so"))


def whole_wheel(data: bytes) -> None:
    """A wheel as `scan` reads it."""
    with suppress(UnreadableBinaryError):
        for found in wheels.read_wheel(_file("x-1-py3-none-any.whl", data)):
            _judge(found)


def directory(data: bytes) -> None:
    """What a wheel says that it holds."""
    with suppress(UnreadableBinaryError):
        for _ in members(BytesSource(data)):
            pass


def deflated(data: bytes) -> None:
    """A binary that is read while it is decompressed."""
    source, follower = BytesSource(data), Skeleton()
    with suppress(UnreadableBinaryError):
        inflated = InflatedSource(source, 0, len(data), 1 << 24, follower=follower)
        _judge(read_source(inflated, "x.so"))


def linked(data: bytes) -> None:
    """Which libraries a library needs."""
    with suppress(UnreadableBinaryError):
        read_dynamic(BytesSource(data))


def assembler(data: bytes) -> None:
    """A ptxas."""
    with suppress(UnreadableBinaryError):
        read_ptxas(_file("ptxas", data))


def record(data: bytes) -> None:
    """The list of the files that a distribution brought."""
    _file(os.path.join(_SITE, "RECORD"), data)
    attributions(_SCRATCH.name)


def journal(data: bytes) -> None:
    """A journal of a fix, with its own checksums and with right ones for what it says."""
    reading = fix_journal.parse(data, "journal")
    assert reading.records or reading.damage
    check, lines = 0, b""
    for line in data.split(b"\n"):
        try:
            said = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(said, dict):
            said.pop("check", None)
            line, check = fix_journal.line_of(said, check)
            lines += line
    vaults_of(fix_journal.parse(lines, "journal"))


def description(data: bytes) -> None:
    """What a kept environment is described by, with the checksum that the journal would know."""
    with suppress(FixFailedError):
        manifest.parse(data, "before.json")


def _judge(found: object) -> None:
    if isinstance(found, Library):
        result = coverage(found, GPU)
        assert 0 <= result.runnable <= result.of


def _file(name: str, data: bytes) -> str:
    path = os.path.join(_SCRATCH.name, name)
    with open(path, "wb") as file:
        file.write(data)
    return path


CONTAINER = container("sm_75 sm_80 sm_90a sm_120f compute_120")
ELF = elf(
    fatbin(CONTAINER, container("sm_90a"), bytes(24), container()),
    fatbin(container("sm_80 compute_80"), name="__nv_relfatbin"),
    records((1, 64), (2, 200)),
    extended=True,
)
PE = pe(fatbin(CONTAINER), records((1, PE_BASE + 512)))
_SMALL_ELF = elf(fatbin(container("sm_80 compute_80")), records((1, 64)))
_BUNDLE = bundle("gfx90a:sramecc+:xnack-", "gfx1100", alignment=64)
_SECTION, _STARTS = hip_fatbin(
    bundle("gfx90a:sramecc+:xnack-", "gfx1100"),
    compressed(_BUNDLE),
    compressed(_BUNDLE, 2, 0),
    compressed(_BUNDLE, 1),
)
_REFERENCE = reference("x", "../@GFXARCH@.k")
_AMD = elf(_SECTION, wrappers(*(64 + start for start in _STARTS)), _REFERENCE)
_IMAGES = Section("__CLANG_OFFLOAD_BUNDLE__sycl-spir64_gen", intel_image("12.60.7") + SPIRV)
_PAIR = intel_image("12.55.8") + bytes(-len(intel_image("12.55.8")) % 16) + intel_image("20.1.4")
_TABLE = Section(".tgtimg", struct.pack("<4Q", 0, 900, 0, 900))
_MOVES = Section(".rela.dyn", struct.pack("<6Q", 64 + len(_PAIR), 8, 64, 80 + len(_PAIR), 8, 64))
_STRINGS = b"compute_75\0compute_120a\0Cuda compilation tools, release 12.8, V12.8.93\0"
_NAMES = b"\0libcudss.so.0\0$ORIGIN/../lib:/opt/lib\0"
_DYNAMIC = struct.pack("<8Q", 1, 1, 29, 15, 1, 3, 0, 0)
_FILES = [("a/b.so", _SMALL_ELF), ("a/c.pyd", PE)]
_KPACK = kernel_archive({"gfx1100": ["a", "b"], "gfx90a:xnack-": ["a"]})


def _journal() -> bytes:
    vaults = [["/x/.gpudoctor-0123456789abcdef", "0123456789abcdef"]]
    steps = [
        {"step": "begun", "time": 1.5, "id": "0001-a", "prefix": "/x/env", "packages": "torch"},
        {"step": "snapshot", "time": 2.5, "vaults": vaults},
        {"step": "kept", "time": 3, "manifest": {"length": 5, "sha256": "00"}},
        {"step": "applying", "time": 4, "command": ["pip", "install", "torch"]},
    ]
    lines, check = b"", 0
    for step in steps:
        line, check = fix_journal.line_of(step, check)
        lines += line
    return lines


def _description() -> bytes:
    tree = [
        ["lib", "folder", 0o755, 0, 0, "", None],
        ["lib/a.py", "file", 0o644, 12, 1700000000000000000, "", 12345],
        ["lib64", "link", 0o777, 3, 0, "lib", None],
    ]
    part = {
        "name": "", "path": "/x/env", "mode": 493, "others": ["b"], "recorded": True,
        "vault": "/x/kept", "token": "ab", "tree": tree,
    }  # fmt: skip
    return json.dumps({"format": 1, "recorded": ["lib/a.py"], "parts": [part]}).encode()


READERS: dict[str, tuple[Reader, bytes]] = {
    "elf": (library, ELF),
    "pe": (library, PE),
    "macho": (library, macho("14.0", ["14.0", "26.2"])),
    "macho-fat": (library, fat(macho("11.0", ["13.0"]), macho("10.13", old_command=True))),
    "fatbin": (library, CONTAINER),
    "linked": (linked, elf(Section(".dynamic", _DYNAMIC), Section(".dynstr", _NAMES))),
    "cubin": (library, elf(Section(".text", bytes(64)), machine=190)),
    "hip": (library, _AMD),
    "hip-bundle": (library, _BUNDLE),
    "hip-code-object": (library, code_object("gfx90a:sramecc+:xnack-")),
    "ccob": (library, compressed(_BUNDLE)),
    "ccob-zlib": (library, compressed(_BUNDLE, 2, 0)),
    "kpack": (library, _KPACK),
    "sycl": (library, elf(_IMAGES, Section(".tgtimg", struct.pack("<4Q", 64, 1000, 464, 600)))),
    "sycl-moved": (library, elf(Section(_IMAGES.name, _PAIR), _TABLE, _MOVES)),
    "archive": (library, ar(("a.o", _SMALL_ELF), ("a name longer than fifteen.o", _SMALL_ELF))),
    "wheel": (whole_wheel, wheel(_FILES)),
    "wheel-stored": (whole_wheel, wheel(_FILES, stored=True)),
    "zip": (directory, wheel([("a/b.so", b"x" * 200), ("c", b"")])),
    "deflate": (deflated, wheel([("a", ELF)])[31:-80]),
    "ptxas": (assembler, elf(Section(".rodata", _STRINGS))),
    "record": (
        record,
        b'a/b.so,sha256=x,12\n"a,b/c.so",,\n../../bin/x,,\nx-1.dist-info/RECORD,,\n',
    ),
    "journal": (journal, _journal()),
    "description": (description, _description()),
}
