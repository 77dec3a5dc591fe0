"""A Windows machine under Wine: stand-in driver libraries, a registry, environments in folders.

`GPUDOCTOR_WINDOWS_PYTHON` names what starts a Windows Python there (a script or a program that
obeys `WINEPREFIX`); Wine and mingw's compiler make the rest. Every machine is made anew in one
prefix, and every program is started by one Windows process that stays (`agent.py`).
"""

from __future__ import annotations

import base64
import contextlib
import functools
import json
import os
import shutil
import struct
import subprocess
import sysconfig
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from machines.build import Driver, answers_of
from machines.cards import Card
from xray import made

ROOT = Path(__file__).resolve().parent.parent.parent
PYTHON = os.environ.get("GPUDOCTOR_WINDOWS_PYTHON", "")
_COMPILER = "x86_64-w64-mingw32-gcc"
_STANDINS = ROOT / "tests" / "machines" / "standins"
_DISPLAY = "{4d36e968-e325-11ce-bfc1-08002be10318}"
_CONTROL_SET = r"HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet"
CLASS = rf"{_CONTROL_SET}\Control\Class\{_DISPLAY}"
PCI = rf"{_CONTROL_SET}\Enum\PCI"
GRAPHICS = rf"{_CONTROL_SET}\Control\GraphicsDrivers"
FILES = rf"{_CONTROL_SET}\Control\FileSystem"
WSL = r"HKEY_CURRENT_USER\Software\Microsoft\Windows\CurrentVersion\Lxss"
SETTINGS = {GRAPHICS: ("HwSchMode",), FILES: ("LongPathsEnabled",)}
"""Values that a machine may set; they go when the next one is made."""


def why_not() -> str | None:
    """Why these tests cannot run here; `None` where they can."""
    if not PYTHON:
        return "GPUDOCTOR_WINDOWS_PYTHON names no Windows Python"
    missing = [name for name in ("wine", _COMPILER) if shutil.which(name) is None]
    return f"{' and '.join(missing)} not installed" if missing else None


@functools.cache
def compiled(name: str) -> bytes:
    """A stand-in: the libraries `nvml` and `cuda`, the program `smi`."""
    target = ROOT / ".cache" / f"{name}-{os.getpid()}.dll"
    target.parent.mkdir(exist_ok=True)
    kind = [] if name == "smi" else ["-shared", "-Wl,--export-all-symbols"]
    options = ["-O1", *kind, str(_STANDINS / f"{name}.c")]
    try:
        subprocess.run([_COMPILER, *options, "-o", str(target)], check=True, capture_output=True)
        return target.read_bytes()
    finally:
        target.unlink(missing_ok=True)


@dataclass(frozen=True, kw_only=True)
class Adapter:
    """One graphics card as the registry has it."""

    pci_id: str
    name: str = "NVIDIA GeForce"
    service: str | None = "nvlddmkm"
    in_class: bool = True
    """Whether its driver wrote an entry into the class of display adapters."""
    on_bus: bool = True
    present: bool = True
    memory: int = 16 << 30


@dataclass(frozen=True, kw_only=True)
class Windows:
    """What is on the machine."""

    cards: tuple[Card, ...] = ()
    """As the driver lists them."""
    adapters: tuple[Adapter, ...] = ()
    driver: Driver | None = None
    runtime: tuple[str, ...] = ("msvcp140.dll", "vcruntime140.dll", "vcruntime140_1.dll")
    """DLLs of the Visual C++ runtime in System32."""
    runtime_version: str = "14.44.35211.0"
    files: Mapping[str, str | bytes] = field(default_factory=dict)
    """More files, below the working folder."""
    environ: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, Mapping[str, str | int]] = field(default_factory=dict)
    """More values of the registry, by key; keys of `SETTINGS`."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """How a run ended."""

    code: int
    stdout: bytes
    stderr: bytes
    killed: bool = False
    """Whether it was ended by force."""
    seen: Mapping[str, float] = field(default_factory=dict)
    """When it said what, and when it ended (the empty text), in seconds from its start."""

    @functools.cached_property
    def report(self) -> dict[str, Any]:
        """The JSON report."""
        whole: dict[str, Any] = json.loads(self.stdout)
        return whole

    @property
    def found(self) -> list[str]:
        """The names of the findings, infos left out."""
        return [f["name"] for f in self.report["findings"] if f["severity"] != "info"]


class Wine:
    """One prefix, in which machines are made one after the other."""

    def __init__(self, folder: Path) -> None:
        self.prefix = folder / "prefix"
        self.system = self.prefix / "drive_c" / "windows" / "system32"
        self.environ = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("GPUDOCTOR_", "CUDA_"))},
            "WINEPREFIX": str(self.prefix),
            "WINEDEBUG": "-all",
            "WINEDLLOVERRIDES": "mscoree=;mshtml=;winedbg.exe=",
            "PYTHONPATH": ";".join(
                map(windows_path, (ROOT / "src", sysconfig.get_path("purelib")))
            ),
        }
        self._wineboot()
        here = windows_path(Path(__file__).with_name("agent.py"))
        self._agent = subprocess.Popen(
            [PYTHON, here], env=self.environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._settle(folder)
        self._registry = ""

    def _wineboot(self) -> None:
        subprocess.run(
            ["wine", "wineboot", "-i"],
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=120,
            check=True,
        )

    def _settle(self, folder: Path) -> None:
        """Wait until the server has written its own adapter into the registry.

        It does so some seconds after the first program with a window, and never again.
        """
        (folder / "empty.reg").write_text("REGEDIT4\r\n", encoding="ascii")
        self.start("regedit", "/S", windows_path(folder / "empty.reg"), folder=folder)
        end = time.monotonic() + 30
        while time.monotonic() < end:
            if b"Wine Adapter" in self.start("reg", "query", PCI, "/s", folder=folder).stdout:
                return
            time.sleep(0.2)

    def close(self) -> None:
        """End the agent and the server."""
        if self._agent.stdin is not None:
            self._agent.stdin.close()
        self._agent.wait(60)
        subprocess.run(["wineserver", "-k"], env=self.environ, check=False, timeout=60)

    def make(self, machine: Windows, folder: Path) -> None:
        """Make the machine; `folder` is where people work."""
        self._runtime(machine.runtime, machine.runtime_version)
        self._driver(machine)
        self._write_registry(machine, folder)
        for name, data in machine.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data.encode() if isinstance(data, str) else data)

    def _runtime(self, wanted: Sequence[str], version: str) -> None:
        for name in _RUNTIME:
            path = self.system / name
            path.unlink(missing_ok=True)
            if name in wanted:
                path.write_bytes(made.pe() + _stating(version))

    def _driver(self, machine: Windows) -> None:
        driver = machine.driver
        for name, part in (("nvml", "nvml"), ("nvcuda", "libcuda")):
            path = self.system / f"{name}.dll"
            path.unlink(missing_ok=True)
            if driver is not None and getattr(driver, part) != "missing":
                path.write_bytes(compiled("cuda" if name == "nvcuda" else name))
        program, text = self.system / "nvidia-smi.exe", self.system / "smi.txt"
        program.unlink(missing_ok=True)
        if driver is not None and driver.smi is not None:
            program.write_bytes(compiled("smi"))
            text.write_text(driver.smi, encoding="ascii")
        if driver is not None:
            places = [(f"0000:{n + 1:02x}:00.0", card) for n, card in enumerate(machine.cards)]
            pairs = answers_of(driver, places).items()
            lines = "".join(f"{key}={value}\n" for key, value in pairs if value is not None)
            (self.system / "answers.txt").write_text(lines, encoding="utf-8")

    def _write_registry(self, machine: Windows, folder: Path) -> None:
        lines = ["Windows Registry Editor Version 5.00", "", f"[-{PCI}]", "", f"[-{CLASS}]", ""]
        lines += [f"[{CLASS}]", ""]
        lines += _settings(machine.settings)
        for number, each in enumerate(machine.adapters):
            vendor, device = each.pci_id.upper().split(":")
            hardware = f"VEN_{vendor}&DEV_{device}&SUBSYS_53511462&REV_A1"
            if each.in_class:
                lines += [
                    f"[{CLASS}\\{number + 1:04}]",
                    f'"MatchingDeviceId"="pci\\\\ven_{vendor}&dev_{device}"',
                    f'"DriverDesc"="{each.name}"',
                    f'"HardwareInformation.qwMemorySize"=hex(b):{_little(each.memory)}',
                    "",
                ]
            if each.on_bus:
                key = rf"{PCI}\{hardware}\4&{number}"
                lines += [f"[{key}]", f'"ClassGUID"="{_DISPLAY}"', '"DeviceDesc"="a card"']
                lines += [f'"Service"="{each.service}"'] if each.service else []
                lines += ["", *([rf"[{key}\Control]", ""] if each.present else [])]
        text = "\r\n".join(lines)
        if text != self._registry:
            file = folder / "machine.reg"
            file.write_text(text, encoding="utf-16")
            self.import_registry(file)
            self._registry = text

    def import_registry(self, file: Path) -> None:
        """Write what a `.reg` file says."""
        done = self.start("reg", "import", windows_path(file), folder=file.parent)
        assert done.code == 0, done

    def run(
        self, *argv: str, folder: Path, environ: Mapping[str, str] | None = None, **more: Any
    ) -> Run:
        """Run `gpudoctor` in a folder; the rest is `start`'s."""
        command = ("{python}", "-m", "gpudoctor", *argv)
        return self.start(*command, folder=folder, environ=environ, **more)

    def python(self, code: str, *, folder: Path, environ: Mapping[str, str] | None = None) -> Run:
        """Run a program in a folder."""
        (folder / "program.py").write_text(code, encoding="utf-8")
        return self.start("{python}", "program.py", folder=folder, environ=environ)

    def start(
        self,
        *argv: str,
        folder: Path,
        environ: Mapping[str, str] | None = None,
        kill_after: float | None = None,
        kill_mark: str = "",
        marks: Sequence[str] = (),
    ) -> Run:
        """Start any program in a folder, `{python}` is the Windows Python; wait for its end.

        `kill_after`: end it by force after so many seconds from its saying `kill_mark`; `marks`:
        note when it says these.
        """
        answer = self._ask(
            argv=argv,
            folder=windows_path(folder),
            environ=dict(environ or {}),
            seconds=_SECONDS,
            kill_after=kill_after,
            kill_mark=kill_mark,
            marks=marks,
        )
        assert answer["code"] is not None, f"{argv}: {answer.get('error', 'it did not end')}"
        out, err = (base64.b64decode(answer[name]) for name in ("stdout", "stderr"))
        return Run(
            code=answer["code"],
            stdout=out,
            stderr=err,
            killed=answer["killed"],
            seen=answer["seen"],
        )

    @contextlib.contextmanager
    def beside(self, code: str, *argv: str, folder: Path) -> Iterator[int]:
        """A Python program that runs meanwhile, from its first line on; its process id."""
        (folder / "beside.py").write_text(code, encoding="utf-8")
        command = ("{python}", windows_path(folder / "beside.py"), *argv)
        ask = {"folder": windows_path(folder), "environ": {}}
        started = self._ask(background=True, argv=command, **ask)["pid"]
        try:
            yield started
        finally:
            self._ask(stop=started)

    def processes(self) -> dict[str, str]:
        """The id of each process that runs there, and the name of its program."""
        found: dict[str, str] = self._ask(processes=True)["processes"]
        return found

    def _ask(self, **ask: Any) -> dict[str, Any]:
        assert self._agent.stdin is not None
        assert self._agent.stdout is not None
        self._agent.stdin.write(json.dumps(ask).encode("ascii") + b"\n")
        self._agent.stdin.flush()
        answer: dict[str, Any] = json.loads(self._agent.stdout.readline())
        return answer


_SECONDS = 300
"""A fix takes ten seconds, and many times that where others use the machine too."""
_RUNTIME = ("msvcp140.dll", "vcruntime140.dll", "vcruntime140_1.dll")


def _stating(version: str) -> bytes:
    """What a library's resources say of its version (VS_FIXEDFILEINFO)."""
    major, minor, build, revision = map(int, version.split("."))
    return struct.pack("<IIHHHH", 0xFEEF04BD, 0x10000, minor, major, revision, build)


def windows_path(path: str | Path) -> str:
    """A path of this machine as Wine's drive Z: has it."""
    return "Z:" + str(path).replace("/", "\\")


def _settings(settings: Mapping[str, Mapping[str, str | int]]) -> Iterator[str]:
    yield from (f"[-{WSL}]", "")
    for key, names in SETTINGS.items():
        yield from (f"[{key}]", *(f'"{name}"=-' for name in names), "")
    for key, values in settings.items():
        yield f"[{key}]"
        for name, value in values.items():
            yield f'"{name}"=' + (f"dword:{value:08x}" if isinstance(value, int) else f'"{value}"')
        yield ""


def _little(number: int) -> str:
    return ",".join(f"{byte:02x}" for byte in number.to_bytes(8, "little"))


def torch(site: str, version: str, cuda: str | None, sass: str = "") -> dict[str, str | bytes]:
    """A torch for Windows below a site folder: version, metadata, a true PE library."""
    release, local = version.partition("+")[0], version
    said = f"__version__ = {version!r}\ndebug = False\ncuda = {cuda!r}\ngit_version = 'x'\n"
    files: dict[str, str | bytes] = {
        f"{site}/torch/__init__.py": "",
        f"{site}/torch/version.py": said + "hip = None\nxpu = None\n",
        f"{site}/torch-{local}.dist-info/METADATA": f"Name: torch\nVersion: {local}\n\n",
        f"{site}/torch-{local}.dist-info/INSTALLER": "pip\n",
    }
    record = f"torch-{local}.dist-info/METADATA,,\ntorch/__init__.py,,0\n"
    if sass:
        library = made.pe(made.fatbin(made.container(sass)))
        files[f"{site}/torch/lib/torch_cuda.dll"] = library + bytes(4096)
        record += f"torch/lib/torch_cuda.dll,,{len(library) + 4096}\n"
    files[f"{site}/torch-{local}.dist-info/RECORD"] = record
    del release
    return files
