"""Run as a process of its own: asks NVML through `pynvml`, which may hang with the driver.

Each answer is a line of JSON, written as soon as it is known, so that a call that never
returns takes nothing with it. Argument: the folder that holds `pynvml.py`.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # importing typing would cost 7 ms
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from gpudoctor.collect.driver.driver_child import die_with_parent, leave, loaded_path, say
else:  # started by path: only this very folder is known
    sys.path.append(os.path.dirname(os.path.abspath(__file__)))
    from driver_child import die_with_parent, leave, loaded_path, say

_COMPUTE_MODES = ("default", "exclusive_thread", "prohibited", "exclusive_process")
_DRIVER_MODELS = {0: "WDDM", 1: "TCC", 2: "MCDM"}  # nvmlDriverModel_t of nvml.h
# Bits of nvmlClocksEventReasons in nvml.h that slow a GPU down against its owner's will.
_THROTTLE = {
    0x04: "software power cap",
    0x08: "hardware slowdown",
    0x20: "software thermal slowdown",
    0x40: "hardware thermal slowdown",
    0x80: "hardware power brake",
}


def load(folder: str) -> Any:
    """Import `pynvml` without the parts of the standard library that it does not need here.

    `ctypes.util` pulls in `subprocess`, `shutil` and `tempfile` for a look-up that pynvml makes
    on other systems than these: 16 of 38 ms.
    """
    if sys.platform in ("linux", "win32"):
        stand_in = type(sys)("ctypes.util")
        stand_in.find_library = _find_nothing  # type: ignore[attr-defined]  # made just now
        sys.modules.setdefault("ctypes.util", stand_in)
    sys.path.append(folder)
    import pynvml

    return pynvml


def _find_nothing(name: str) -> None:
    """What `find_library` answers where the library's name is known anyway."""
    del name


def fields(nvml: Any, handle: Any) -> dict[str, Callable[[], object]]:
    """Every question about one GPU, by the field that it fills."""

    def ask(name: str, *arguments: object) -> Any:
        return getattr(nvml, "nvmlDeviceGet" + name)(handle, *arguments)

    def memory() -> object:
        info = ask("MemoryInfo")
        return [int(info.total), int(info.free)]

    def pci() -> object:
        info = nvml.nvmlDeviceGetPciInfo(handle)
        return [text(info.busId), int(info.pciDeviceId)]

    def throttle() -> object:
        mask = int(ask("CurrentClocksThrottleReasons"))
        return [name for bit, name in _THROTTLE.items() if mask & bit]

    def driver_model() -> object:
        try:
            model = int(ask("DriverModel_v2")[0])
        except Exception:  # the function is that of newer drivers and of newer bindings
            model = int(ask("DriverModel")[0])
        return _DRIVER_MODELS.get(model)

    def compute_mode() -> object:
        mode = int(ask("ComputeMode"))
        return _COMPUTE_MODES[mode] if 0 <= mode < len(_COMPUTE_MODES) else None

    def processes() -> object:
        return [int(process.pid) for process in ask("ComputeRunningProcesses")]

    return {
        "name": lambda: text(ask("Name")),
        "uuid": lambda: text(ask("UUID")),
        "pci": pci,
        "capability": lambda: [int(n) for n in ask("CudaComputeCapability")],
        "memory": memory,
        "mig_mode": lambda: bool(ask("MigMode")[0]),
        "compute_mode": compute_mode,
        "ecc_enabled": lambda: bool(ask("EccMode")[0]),
        "ecc_uncorrected": lambda: int(ask("TotalEccErrors", 1, 0)),
        "pcie_generation": lambda: int(ask("CurrPcieLinkGeneration")),
        "pcie_generation_max": lambda: int(ask("MaxPcieLinkGeneration")),
        "pcie_width": lambda: int(ask("CurrPcieLinkWidth")),
        "pcie_width_max": lambda: int(ask("MaxPcieLinkWidth")),
        "power_limit_watts": lambda: ask("PowerManagementLimit") / 1000,
        "power_limit_default_watts": lambda: ask("PowerManagementDefaultLimit") / 1000,
        "throttle_reasons": throttle,
        "persistence_mode": lambda: bool(ask("PersistenceMode")),
        "display_active": lambda: bool(ask("DisplayActive")),
        "processes": processes,
        **({"driver_model": driver_model} if sys.platform == "win32" else {}),
    }


def device(nvml: Any, index: int) -> dict[str, object]:
    """Everything NVML says of one GPU; `errors` names what it would not say."""
    record: dict[str, object] = {"step": "device", "index": index}
    errors: dict[str, str] = {}
    try:
        handle = nvml.nvmlDeviceGetHandleByIndex(index)
    except nvml.NVMLError as error:
        return record | {"error": error_name(nvml, error)}
    for field, question in fields(nvml, handle).items():
        try:
            record[field] = question()
        except nvml.NVMLError as error:
            # Not supported is an answer: there is no such thing on this GPU.
            if error.value != nvml.NVML_ERROR_NOT_SUPPORTED:
                errors[field] = error_name(nvml, error)
        except Exception as error:  # a binding and a library of different years
            errors[field] = f"{type(error).__name__}: {error}"
    if record.get("mig_mode"):
        record["mig_devices"] = mig_devices(nvml, handle)
    return record | {"errors": errors}


def mig_devices(nvml: Any, handle: Any) -> list[str]:
    """UUIDs of the MIG instances on a GPU."""
    found = []
    try:
        for slot in range(nvml.nvmlDeviceGetMaxMigDeviceCount(handle)):
            try:
                instance = nvml.nvmlDeviceGetMigDeviceHandleByIndex(handle, slot)
                found.append(text(nvml.nvmlDeviceGetUUID(instance)))
            except nvml.NVMLError:
                continue
    except nvml.NVMLError:
        return found
    return found


def text(value: object) -> str:
    """A string of NVML, which older bindings give as bytes."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def error_name(nvml: Any, error: Any) -> str:
    """`NVML_ERROR_LIB_RM_VERSION_MISMATCH` for 18, as `nvml.h` calls it."""
    for name in dir(nvml):
        if name.startswith("NVML_ERROR_") and getattr(nvml, name) == error.value:
            return name
    return f"NVML error {error.value}"


def main(folder: str) -> int:
    """Say what NVML answers, line by line."""
    die_with_parent()
    try:
        nvml = load(folder)
    except ImportError as error:
        say({"step": "import", "error": str(error)})
        return 0
    try:
        nvml.nvmlInit()
    except nvml.NVMLError as error:
        path = loaded_path("libnvidia-ml.so")
        say({"step": "init", "error": error_name(nvml, error), "path": path})
        return 0
    say({"step": "init", "error": None, "path": loaded_path("libnvidia-ml.so")})
    system: dict[str, object] = {"step": "system", "driver": None, "nvml": None, "cuda": None}
    for field, question in (
        ("driver", nvml.nvmlSystemGetDriverVersion),
        ("nvml", nvml.nvmlSystemGetNVMLVersion),
        ("cuda", nvml.nvmlSystemGetCudaDriverVersion_v2),
    ):
        try:
            answer = question()
            system[field] = answer if isinstance(answer, int) else text(answer)
        except nvml.NVMLError:
            continue
    say(system)
    try:
        count = int(nvml.nvmlDeviceGetCount())
    except nvml.NVMLError as error:
        say({"step": "count", "count": None, "error": error_name(nvml, error)})
        return 0
    say({"step": "count", "count": count})
    for index in range(count):
        say(device(nvml, index))
    say({"step": "end"})
    return 0


if __name__ == "__main__":
    leave(lambda: main(sys.argv[1]))
