"""Run as a process of its own: asks the CUDA driver library, and creates no context.

A context would cost hundreds of megabytes on the GPU and a second. Names and numbers are those
of `cuda.h`, the driver API. Each answer is a line of JSON, written as soon as it is known.
"""

from __future__ import annotations

import ctypes
import os
import sys

TYPE_CHECKING = False  # importing typing would cost 7 ms
if TYPE_CHECKING:
    from gpudoctor.collect.driver.driver_child import die_with_parent, leave, loaded_path, say
else:  # started by path: only this very folder is known
    sys.path.append(os.path.dirname(os.path.abspath(__file__)))
    from driver_child import die_with_parent, leave, loaded_path, say

# CUdevice_attribute of cuda.h
_ATTRIBUTES = {
    "major": 75,
    "minor": 76,
    "multiprocessors": 16,
    "integrated": 18,
    "compute_mode": 20,
}


def load() -> ctypes.CDLL:
    """The library as programs find it.

    Raises:
        OSError: it is not there, or cannot be loaded; the loader's text says which.
    """
    if sys.platform == "win32":
        return ctypes.WinDLL("nvcuda.dll")
    return ctypes.CDLL("libcuda.so.1")


def is_missing(error: OSError) -> bool:
    """Whether there is no such library; `False` where it is there and cannot be loaded.

    The loader of POSIX gives no number, only a text that names the file it did not find: a
    library that lacks another one names that one. Windows says the same number for both.
    """
    if sys.platform == "win32":
        folder = os.path.join(os.environ.get("SYSTEMROOT", r"C:\Windows"), "System32")
        return not os.path.exists(os.path.join(folder, "nvcuda.dll"))
    text = str(error).lower()
    return "libcuda.so.1" in text.partition(":")[0] and "no such file" in text


def path_of(cuda: ctypes.CDLL) -> str | None:
    """Where the loaded library lies, links followed; `None` where the system does not say."""
    if sys.platform == "win32":
        buffer = ctypes.create_unicode_buffer(1024)
        handle = ctypes.c_void_p(cuda._handle)
        found = ctypes.windll.kernel32.GetModuleFileNameW(handle, buffer, len(buffer))
        return buffer.value if found else None
    return loaded_path("libcuda.so")


def error_name(cuda: ctypes.CDLL, code: int) -> str | None:
    """`CUDA_ERROR_NO_DEVICE` for 100, as the library itself calls it."""
    text = ctypes.c_char_p()
    try:
        failed = cuda.cuGetErrorName(code, ctypes.byref(text))
    except AttributeError:
        return None
    return None if failed or text.value is None else text.value.decode("ascii", "replace")


def device(cuda: ctypes.CDLL, ordinal: int) -> dict[str, object]:
    """What CUDA says of one device; what it does not say is missing."""
    record: dict[str, object] = {"step": "device", "cuda_index": ordinal}
    handle = ctypes.c_int()
    if code := cuda.cuDeviceGet(ctypes.byref(handle), ordinal):
        return record | {"error": code, "error_name": error_name(cuda, code)}
    name = ctypes.create_string_buffer(256)
    if not cuda.cuDeviceGetName(name, 256, handle):
        record["name"] = name.value.decode("utf-8", "replace")
    number = ctypes.c_int()
    for field, attribute in _ATTRIBUTES.items():
        if not cuda.cuDeviceGetAttribute(ctypes.byref(number), attribute, handle):
            record[field] = number.value
    size = ctypes.c_size_t()
    if not _first(cuda, ("cuDeviceTotalMem_v2", "cuDeviceTotalMem"))(ctypes.byref(size), handle):
        record["memory_bytes"] = size.value
    bus = ctypes.create_string_buffer(32)
    if not cuda.cuDeviceGetPCIBusId(bus, 32, handle):
        record["pci_address"] = bus.value.decode("ascii", "replace")
    raw = (ctypes.c_ubyte * 16)()
    # The second version names the MIG instance; the first the GPU it lies on.
    if not _first(cuda, ("cuDeviceGetUuid_v2", "cuDeviceGetUuid"))(raw, handle):
        text = bytes(raw).hex()
        parts = (text[:8], text[8:12], text[12:16], text[16:20], text[20:])
        record["uuid"] = "-".join(parts)
    return record


def _first(cuda: ctypes.CDLL, names: tuple[str, ...]):  # type: ignore[no-untyped-def]  # C
    for name in names:
        if (function := getattr(cuda, name, None)) is not None:
            return function
    return lambda *_: 1


def main() -> int:
    """Say what the library answers, line by line."""
    die_with_parent()
    try:
        cuda = load()
    except OSError as error:
        say({"step": "load", "error": str(error), "missing": is_missing(error)})
        return 0
    say({"step": "load", "path": path_of(cuda)})
    version = ctypes.c_int()
    if not cuda.cuDriverGetVersion(ctypes.byref(version)):
        say({"step": "version", "cuda": version.value})
    code = cuda.cuInit(0)
    say({"step": "init", "code": code, "name": error_name(cuda, code)})
    if code:
        return 0
    count = ctypes.c_int()
    code = cuda.cuDeviceGetCount(ctypes.byref(count))
    say({"step": "count", "count": count.value if not code else None, "code": code})
    for ordinal in range(count.value):
        say(device(cuda, ordinal))
    say({"step": "end"})
    return 0


if __name__ == "__main__":
    leave(main)
