"""Zstandard streams, by whatever this Python or this system has for them.

Python 3.14 has a module; before it the system's own library is asked through ctypes, and at last
the package `backports.zstd`. Where none is there, what is compressed so stays unknown.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from gpudoctor.binaries.containers.inflated import AT_ONCE, Stream
from gpudoctor.binaries.source import NoDecompressorError, UnreadableBinaryError

MAGIC = b"\x28\xb5\x2f\xfd"
_LIBRARIES = {
    "linux": ("libzstd.so.1",),
    "darwin": ("libzstd.1.dylib", "/opt/homebrew/lib/libzstd.1.dylib"),
    "win32": ("libzstd.dll", "zstd.dll"),
}
_DAMAGED = "Its compressed data is damaged."
_MISSING = (
    "It is compressed by zstd, which needs Python 3.14, the system's libzstd, or the package "
    "backports.zstd."
)


def content_size(head: bytes) -> int:
    """How many bytes a frame says that it holds; 0 if it does not (RFC 8878, 3.1.1.1)."""
    if len(head) < 18 or head[:4] != MAGIC:
        return 0
    flags = head[4]
    single = flags >> 5 & 1
    at = 5 + (1 - single) + (0, 1, 2, 4)[flags & 3]
    width = (single, 2, 4, 8)[flags >> 6]
    size = int.from_bytes(head[at : at + width], "little")
    return size + 256 if width == 2 else size


Maker = Callable[[int], Stream]


def zstd(at_once: int = AT_ONCE) -> Stream:
    """A stream of one zstd frame, which gives at most `at_once` bytes at a time.

    Raises:
        NoDecompressorError: nothing here decompresses zstd.
    """
    make = _maker()
    if make is None:
        raise NoDecompressorError(_MISSING)
    return make(at_once)


@lru_cache(maxsize=1)
def _maker() -> Maker | None:
    found = _module("compression.zstd") if sys.version_info >= (3, 14) else None
    return found or _library() or _module("backports.zstd")


def _module(name: str) -> Maker | None:
    try:
        module = importlib.import_module(name)
    except ImportError:
        return None
    return lambda at_once: _ModuleStream(module, at_once)


class _ModuleStream:
    """Python's own decompressor."""

    def __init__(self, module: Any, at_once: int) -> None:
        self._engine = module.ZstdDecompressor()
        self._error = module.ZstdError
        self._at_once = at_once

    def more(self, refill: Callable[[], bytes]) -> bytes:
        """The next decompressed bytes."""
        try:
            while not self._engine.eof:
                hungry = self._engine.needs_input
                data = refill() if hungry else b""
                found: bytes = self._engine.decompress(data, self._at_once)
                if found or (hungry and not data):
                    return found
        except self._error as error:
            raise UnreadableBinaryError(_DAMAGED) from error
        return b""


def _library() -> Maker | None:
    try:
        import ctypes
    except ImportError:  # some small builds of Python have none
        return None

    class Buffer(ctypes.Structure):
        _fields_ = (
            ("data", ctypes.c_void_p),
            ("size", ctypes.c_size_t),
            ("at", ctypes.c_size_t),
        )

    buffer, size, context = ctypes.POINTER(Buffer), ctypes.c_size_t, ctypes.c_void_p
    for name in _LIBRARIES.get(sys.platform, ("libzstd.so.1", "libzstd.so")):
        try:
            library = ctypes.CDLL(name)
            library.ZSTD_createDCtx.restype = context
            library.ZSTD_freeDCtx.argtypes = [context]
            library.ZSTD_decompressStream.argtypes = [context, buffer, buffer]
            library.ZSTD_decompressStream.restype = size
            library.ZSTD_isError.argtypes = [size]
        except (OSError, AttributeError):
            continue
        return lambda at_once: _SystemStream(ctypes, library, Buffer, at_once)
    return None


class _SystemStream:
    """libzstd's streaming interface (zstd.h, `ZSTD_decompressStream`).

    Its decoder refuses frames that want more than 128 MiB of memory.
    """

    def __init__(self, ctypes: Any, library: Any, buffer: Any, at_once: int) -> None:
        self._ctypes, self._library, self._buffer = ctypes, library, buffer
        self._context = library.ZSTD_createDCtx()
        self._out = ctypes.create_string_buffer(at_once)
        self._tail = b""
        self._finished = not self._context

    def __del__(self) -> None:
        if self._context:
            self._library.ZSTD_freeDCtx(self._context)

    def more(self, refill: Callable[[], bytes]) -> bytes:
        """The next decompressed bytes."""
        ctypes = self._ctypes
        while not self._finished:
            data = self._tail or refill()
            given = self._buffer(ctypes.cast(data, ctypes.c_void_p), len(data), 0)
            taken = self._buffer(ctypes.addressof(self._out), len(self._out), 0)
            left = self._library.ZSTD_decompressStream(self._context, taken, given)
            if self._library.ZSTD_isError(left):
                raise UnreadableBinaryError(_DAMAGED)
            self._tail = data[given.at :]
            self._finished = left == 0
            if taken.at or not data:
                found: bytes = ctypes.string_at(self._out, taken.at)
                return found
        return b""
