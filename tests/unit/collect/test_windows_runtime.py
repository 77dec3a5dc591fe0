"""The version of the Visual C++ runtime, read from the library's own resources."""

from __future__ import annotations

import struct

import pytest

from gpudoctor.collect.python.windows.runtime_windows import file_version

FIXED = struct.pack("<IIHHHH", 0xFEEF04BD, 0x10000, 40, 14, 1, 33810)


@pytest.mark.parametrize(
    ("data", "version"),
    [
        (b"MZ" + bytes(99) + FIXED + bytes(40), "14.40.33810.1"),
        (b"MZ", None),
        (b"MZ" + FIXED[:-1], None),
        (b"", None),
    ],
)
def test_what_a_library_states(data: bytes, version: str | None) -> None:
    assert file_version(data) == version
