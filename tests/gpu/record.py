"""Records what a machine with a GPU says of itself, for stand-ins and for the documentation.

    python tests/gpu/record.py FOLDER

Writes one file a source. Nothing is changed on the machine. What is private (UUIDs, serial
numbers, host names, addresses) is in there: take it out before anything of it is kept.
"""

from __future__ import annotations

import ctypes
import glob
import json
import os
import subprocess
import sys
import time

QUERY = (
    "index,name,driver_version,compute_cap,memory.total,memory.free,pci.bus_id,"
    "pci.device_id,pcie.link.gen.current,pcie.link.gen.max,pcie.link.width.current,"
    "pcie.link.width.max,power.limit,power.default_limit,ecc.mode.current,compute_mode,"
    "persistence_mode,mig.mode.current,clocks_throttle_reasons.active"
)
TORCH = """
import torch
print(torch.__version__, torch.version.cuda, torch.cuda.get_arch_list())
print(torch.backends.cudnn.version(), torch.cuda.nccl.version())
print(torch.cuda.get_device_properties(0))
print(torch.__config__.show())
"""
COMMANDS = {
    "nvidia-smi.txt": ["nvidia-smi"],
    "nvidia-smi-L.txt": ["nvidia-smi", "-L"],
    "nvidia-smi-q.txt": ["nvidia-smi", "-q"],
    "nvidia-smi-x.xml": ["nvidia-smi", "-q", "-x"],
    "nvidia-smi-topo.txt": ["nvidia-smi", "topo", "-m"],
    "nvidia-smi-query.csv": [
        "nvidia-smi",
        f"--query-gpu={QUERY}",
        "--format=csv",
    ],
    "collect_env.txt": [sys.executable, "-m", "torch.utils.collect_env"],
    "pip-list.txt": [sys.executable, "-m", "pip", "list", "--format=freeze"],
    "pip-inspect.json": [sys.executable, "-m", "pip", "inspect"],
    "ls-dev.txt": ["sh", "-c", "ls -l /dev/nvidia* /dev/nvidia-caps /dev/dri 2>&1"],
    "lspci.txt": ["sh", "-c", "lspci -nnk -d 10de: 2>&1"],
    "ldconfig.txt": ["sh", "-c", "ldconfig -p | grep -e cuda -e nvidia -e cudnn -e nccl"],
    "uname.txt": ["uname", "-a"],
    "env.txt": ["sh", "-c", "env | grep -i -e cuda -e nvidia -e ld_library -e torch | sort"],
    "torch.txt": [
        sys.executable,
        "-c",
        TORCH,
    ],
}
FILES = [
    "/etc/os-release",
    "/proc/driver/nvidia/version",
    "/proc/driver/nvidia/params",
    "/proc/driver/nvidia/gpus/*/information",
    "/proc/driver/nvidia/gpus/*/power",
    "/proc/driver/nvidia/capabilities/*",
    "/proc/devices",
    "/proc/modules",
    "/proc/version",
    "/proc/1/cgroup",
    "/proc/self/mountinfo",
    "/sys/module/nvidia*/version",
    "/sys/module/nvidia*/srcversion",
    "/sys/module/nvidia*/initstate",
    "/sys/class/dmi/id/sys_vendor",
    "/sys/class/dmi/id/product_name",
]
PCI = ("vendor", "device", "class", "subsystem_vendor", "subsystem_device", "revision")
PCI += ("max_link_speed", "max_link_width", "current_link_speed", "current_link_width")
PCI += ("enable", "numa_node", "boot_vga", "power_state", "uevent")


def main(folder: str) -> None:
    os.makedirs(folder, exist_ok=True)
    for name, argv in COMMANDS.items():
        start = time.monotonic()
        try:
            done = subprocess.run(argv, capture_output=True, timeout=60, check=False)
            text = done.stdout + (b"\n# stderr\n" + done.stderr if done.stderr else b"")
            status: object = done.returncode
        except (OSError, subprocess.TimeoutExpired) as error:
            text, status = str(error).encode(), "no answer"
        write(folder, name, text)
        print(f"{name}: {status}, {len(text)} bytes, {time.monotonic() - start:.2f} s", flush=True)
    copied = {}
    for pattern in FILES:
        for path in sorted(glob.glob(pattern)) or [pattern]:
            copied[path] = read(path)
    for place in sorted(glob.glob("/sys/bus/pci/devices/*")):
        if (read(f"{place}/vendor") or "").strip() != "0x10de":
            continue
        for name in PCI:
            copied[f"{place}/{name}"] = read(f"{place}/{name}")
        driver = f"{place}/driver"
        copied[driver] = "-> " + os.readlink(driver) if os.path.islink(driver) else None
    write(folder, "files.json", json.dumps(copied, indent=1).encode())
    write(folder, "libcuda.json", json.dumps(libcuda(), indent=1).encode())
    write(folder, "nvml.json", json.dumps(nvml(), indent=1, default=str).encode())


def write(folder: str, name: str, data: bytes) -> None:
    with open(os.path.join(folder, name), "wb") as file:
        file.write(data)


def read(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return None


def libcuda() -> dict[str, object]:
    """What the driver library itself answers, and how long it takes to wake."""
    answers: dict[str, object] = {}
    try:
        cuda = ctypes.CDLL("libcuda.so.1")
    except OSError as error:
        return {"error": str(error)}
    start = time.monotonic()
    answers["cuInit"] = cuda.cuInit(0)
    answers["cuInit_seconds"] = time.monotonic() - start
    number = ctypes.c_int()
    answers["cuDriverGetVersion"] = [cuda.cuDriverGetVersion(ctypes.byref(number)), number.value]
    answers["cuDeviceGetCount"] = [cuda.cuDeviceGetCount(ctypes.byref(number)), number.value]
    for ordinal in range(number.value):
        name = ctypes.create_string_buffer(100)
        cuda.cuDeviceGetName(name, 100, ordinal)
        # CUdevice_attribute: 16 multiprocessors, 75 and 76 capability, 20 compute mode, 18
        # integrated, 33 to 35 PCI bus, device, domain.
        row: dict[str, object] = {"name": name.value.decode()}
        for label, attribute in (
            ("multiprocessors", 16),
            ("integrated", 18),
            ("compute_mode", 20),
            ("major", 75),
            ("minor", 76),
            ("pci_bus", 33),
            ("pci_device", 34),
            ("pci_domain", 50),
        ):
            cuda.cuDeviceGetAttribute(ctypes.byref(number), attribute, ordinal)
            row[label] = number.value
        answers[f"device{ordinal}"] = row
    with open("/proc/self/maps", encoding="utf-8") as file:
        paths = {line.split()[-1] for line in file if "libcuda" in line or "nvidia" in line}
    answers["mapped"] = sorted(paths)
    return answers


def nvml() -> dict[str, object]:
    """Every answer of NVML that takes nothing but a device, by its function's name."""
    import inspect

    import pynvml

    answers: dict[str, object] = {}
    start = time.monotonic()
    pynvml.nvmlInit()
    answers["nvmlInit_seconds"] = time.monotonic() - start
    for name in sorted(dir(pynvml)):
        function = getattr(pynvml, name)
        if name.startswith("nvmlSystemGet") and not _parameters(inspect, function):
            answers[name] = ask(function)
    answers["count"] = pynvml.nvmlDeviceGetCount()
    for index in range(pynvml.nvmlDeviceGetCount()):
        handle = pynvml.nvmlDeviceGetHandleByIndex(index)
        row: dict[str, object] = {}
        for name in sorted(dir(pynvml)):
            function = getattr(pynvml, name)
            if name.startswith("nvmlDeviceGet") and len(_parameters(inspect, function)) == 1:
                row[name] = ask(function, handle)
        answers[f"device{index}"] = row
    return answers


def _parameters(inspect: object, function: object) -> list[str]:
    try:
        signature = inspect.signature(function)  # type: ignore[attr-defined]
    except (TypeError, ValueError):
        return ["?", "?"]
    return [name for name, p in signature.parameters.items() if p.default is p.empty]


def ask(function: object, *arguments: object) -> object:
    try:
        value = function(*arguments)  # type: ignore[operator]
    except BaseException as error:
        return f"!{type(error).__name__}: {error}"
    return plain(value)


def plain(value: object) -> object:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, (str, int, float, bool)) or value is None:
        return value
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    fields = getattr(value, "_fields_", None)
    if fields:
        return {entry[0]: plain(getattr(value, entry[0])) for entry in fields}
    if isinstance(value, ctypes.Array):
        return [plain(item) for item in value]
    return repr(value)


if __name__ == "__main__":
    main(sys.argv[1])
