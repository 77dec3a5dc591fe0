"""AMD's bundles and archives, Intel's images and Apple's libraries, made for tests."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from xray.made import Section

MACHINES = {
    "gfx906": 0x2F, "gfx90a": 0x3F, "gfx942": 0x4C, "gfx1030": 0x36, "gfx1036": 0x45,
    "gfx1100": 0x41, "gfx1151": 0x4A, "gfx1201": 0x4E, "gfx11-generic": 0x54,
}  # fmt: skip


def code_object(target: str = "gfx1100", size: int = 256) -> bytes:
    """The ELF header of AMD's device code; `gfx90a:sramecc+:xnack-` sets the feature bits."""
    name, *features = target.split(":")
    flags = MACHINES[name]
    for feature, bit in (("xnack", 8), ("sramecc", 10)):
        flags |= {"-": 2, "+": 3}.get(
            next((each[-1] for each in features if each.startswith(feature)), ""), 0
        ) << bit
    head = b"\x7fELF" + bytes([2, 1, 1, 64, 3]) + bytes(7)
    head += struct.pack("<HHIQQQIHHHHHH", 3, 224, 1, 0, 0, 0, flags, 64, 0, 0, 0, 0, 0)
    return head.ljust(size, b"\0")


def bundle(*targets: str, codes: Mapping[str, bytes] | None = None, alignment: int = 256) -> bytes:
    """A plain bundle with an entry for the host and one for each target."""
    labels = ["host-x86_64-unknown-linux--"]
    labels += [
        f"hipv4-spirv64-amd-amdhsa--{target}"
        if target == "amdgcnspirv"
        else f"hipv4-amdgcn-amd-amdhsa--{target}"
        for target in targets
    ]
    table = 32 + sum(24 + len(each) for each in labels)
    at = -(-table // alignment) * alignment
    head = b"__CLANG_OFFLOAD_BUNDLE__" + struct.pack("<Q", len(labels))
    head += struct.pack("<QQQ", at, 0, len(labels[0])) + labels[0].encode()
    body = b""
    for target, label in zip(targets, labels[1:], strict=True):
        code = (codes or {}).get(target)
        if code is None:
            known = target.partition(":")[0] in MACHINES
            code = code_object(target) if known else b"\x03\x02\x23\x07".ljust(256, b"\0")
        head += struct.pack("<QQQ", at + len(body), len(code), len(label)) + label.encode()
        body += code.ljust(-(-len(code) // alignment) * alignment, b"\0")
    return head.ljust(at, b"\0") + body


def zstd_frame(data: bytes) -> bytes:
    """A zstd frame of blocks that are not compressed (RFC 8878): no compressor is needed."""
    blocks = [data[at : at + 0x10000] for at in range(0, len(data), 0x10000)] or [b""]
    out = b"\x28\xb5\x2f\xfd\xe0" + struct.pack("<Q", len(data))
    for number, block in enumerate(blocks):
        out += (len(block) << 3 | (number == len(blocks) - 1)).to_bytes(3, "little") + block
    return out


def compressed(data: bytes, version: int = 3, method: int = 1) -> bytes:
    """A compressed bundle (`CCOB`) around a plain one."""
    packed = zstd_frame(data) if method == 1 else zlib.compress(data)
    head = {
        1: lambda: struct.pack("<IQ", len(data), 7),
        2: lambda: struct.pack("<IIQ", 24 + len(packed), len(data), 7),
        3: lambda: struct.pack("<QQQ", 32 + len(packed), len(data), 7),
    }[version]()
    return b"CCOB" + struct.pack("<HH", version, method) + head + packed


def hip_fatbin(*bundles: bytes, alignment: int = 4096) -> tuple[Section, list[int]]:
    """The section of bundles, each aligned, and where each of them begins in it."""
    data, starts = b"", []
    for each in bundles:
        data += bytes(-len(data) % alignment)
        starts.append(len(data))
        data += each
    return Section(".hip_fatbin", data), starts


def wrappers(*addresses: int, moved: bool = False) -> Section:
    """`.hipFatBinSegment`; `moved` to kernel archives."""
    magic = 0x4B504948 if moved else 0x48495046
    data = b"".join(
        struct.pack("<IIQQ", magic, 1, at, index if moved else 0)
        for index, at in enumerate(addresses)
    )
    return Section(".hipFatBinSegment", data)


def message_pack(value: Any) -> bytes:
    """MessagePack of maps, lists, texts and whole numbers."""
    if isinstance(value, Mapping):
        body = b"".join(message_pack(key) + message_pack(each) for key, each in value.items())
        return b"\xdf" + struct.pack(">I", len(value)) + body
    if isinstance(value, (list, tuple)):
        body = b"".join(map(message_pack, value))
        return (
            bytes([0x90 | len(value)])
            if len(value) < 16
            else b"\xdd" + struct.pack(">I", len(value))
        ) + body
    if isinstance(value, int):
        return bytes([value]) if 0 <= value < 128 else b"\xcf" + struct.pack(">Q", value)
    text = str(value).encode()
    return (
        bytes([0xA0 | len(text)]) if len(text) < 32 else b"\xda" + struct.pack(">H", len(text))
    ) + text


def reference(name: str, *paths: str) -> Section:
    """`.rocm_kpack_ref` of a library whose device code lies in archives."""
    return Section(
        ".rocm_kpack_ref", message_pack({"kernel_name": name, "kpack_search_paths": list(paths)})
    )


def kernel_archive(kernels: Mapping[str, Sequence[str]], arches: Sequence[str] = ()) -> bytes:
    """A `.kpack` archive: target → the libraries of which it holds a code object."""
    toc: dict[str, dict[str, Any]] = {}
    for target, names in kernels.items():
        for name in names:
            entry = {"type": "hsaco", "ordinal": 0, "original_size": 64}
            toc.setdefault(f"{name}#0", {})[target] = entry
    table = message_pack({
        "format_version": 1,
        "group_name": "test",
        "gfx_arches": list(arches or kernels),
        "compression_scheme": "none",
        "blobs": [{"offset": 64, "size": 64}],
        "toc": toc,
    })  # fmt: skip
    return b"KPAK" + struct.pack("<IQ", 1, 128) + bytes(112) + table


def ar(*members: tuple[str, bytes]) -> bytes:
    """An archive of files, long names in a table of names."""
    names = b"".join(name.encode() + b"/\n" for name, _ in members if len(name) > 15)
    out = b"!<arch>\n"
    if names:
        out += _ar_member("//", names)
    at = 0
    for name, data in members:
        if len(name) > 15:
            out += _ar_member(f"/{at}", data)
            at += len(name) + 2
        else:
            out += _ar_member(f"{name}/", data)
    return out


def _ar_member(name: str, data: bytes) -> bytes:
    head = f"{name:<16}{0:<12}{0:<6}{0:<6}{644:<8}{len(data):<10}`\n".encode()
    return head + data + b"\n" * (len(data) % 2)


SPIRV = b"\x03\x02\x23\x07".ljust(600, b"\0")


def intel_image(*versions: str, packed: bool = True) -> bytes:
    """An image for several GPUs, ahead of time."""
    members = [
        entry
        for number, version in enumerate(versions)
        for entry in ((f"pad_{number}", b" " * 8), (f"64.{version}", b"\x7fELF".ljust(200, b"\0")))
    ]
    whole = ar(*members, ("generic_ir", b"\x7fELF".ljust(100, b"\0")))
    return zstd_frame(whole) if packed else whole


def macho(
    macos: str | None = "14.0", metal: Sequence[str] = (), *, machine: int = 0x0100000C,
    old_command: bool = False,
) -> bytes:  # fmt: skip
    """A thin 64-bit Mach-O library with a load command for its system and Metal libraries."""
    commands = b""
    if macos is not None and old_command:
        commands += struct.pack("<IIII", 0x24, 16, packed_version(macos), 0)
    elif macos is not None:
        commands += struct.pack("<IIIIII", 0x32, 24, 1, packed_version(macos), 0, 0)
    count = len(commands) and 1
    if metal:
        size = 72 + 80 * len(metal)
        at = 32 + len(commands) + size
        commands += struct.pack("<II16s", 0x19, size, b"__TEXT").ljust(72, b"\0")
        for number, _ in enumerate(metal):
            commands += struct.pack(
                "<16s16sQQI28x", f"metal_{number}".encode(), b"__TEXT", 0, 64, at + 64 * number
            )
        count += 1
    head = struct.pack("<4sIIIIII4x", b"\xcf\xfa\xed\xfe", machine, 0, 6, count, len(commands), 0)
    body = b""
    for each in metal:
        major, minor = map(int, each.split("."))
        library = b"MTLB" + bytes([1, 0x80, 2, 0, 7, 0, 0, 0x81]) + struct.pack("<HH", major, minor)
        body += library.ljust(64, b"\0")
    return (head + commands + body).ljust(128, b"\0")


def packed_version(text: str) -> int:
    """`14.0` as load commands have it."""
    major, minor = map(int, text.split("."))
    return major << 16 | minor << 8


def fat(*parts: bytes) -> bytes:
    """A fat Mach-O file of thin ones."""
    at = 4096
    head, body = struct.pack(">4sI", b"\xca\xfe\xba\xbe", len(parts)), b""
    for part in parts:
        processor = struct.unpack_from("<I", part, 4)[0]
        head += struct.pack(">IIIII", processor, 0, at + len(body), len(part), 12)
        body += part.ljust(-(-len(part) // 4096) * 4096, b"\0")
    return head.ljust(at, b"\0") + body
