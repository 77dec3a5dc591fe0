"""A Windows machine with a card that the installed torch has no code for, and what cures it.

The environment is a real one of the Windows Python, with pip in it, and the index a folder of
small wheels, so that a whole fix runs: pip under Windows replaces files that Windows may hold.
"""

from __future__ import annotations

import shutil
import sysconfig
import zipfile
from pathlib import Path
from typing import Any

from lab import environments
from lab.wheels import make_index, make_wheel
from windows.machine import Run, Wine, torch, windows_path
from windows.test_driver import CU128, machine

OLD = "sm_50 sm_60 sm_70 sm_75 sm_80 sm_86 sm_90"
INSTALLED = "2.6.0+cu124"
DLL = "torch/lib/torch_cuda.dll"
_PIP_ARCHIVE = "pip.zip"
_CERTIFICATES = "pip/_vendor/certifi/cacert.pem"
_PIP_PACKAGE = """
import os
__path__ = [os.path.join(os.path.dirname(__file__), "pip.zip", "pip")]
__version__ = "23.2.1"
"""
_PATIENCE = ("--timeout", "200")
"""Others use the machine too."""
_NONE_KEPT = {"PIP_NO_CACHE_DIR": "1", "PIP_RETRIES": "0", "PIP_DEFAULT_TIMEOUT": "2"}


class Bench:
    """One environment in `folder`, and the runs of gpudoctor there."""

    def __init__(self, wine: Wine, folder: Path, template: Path, place: str = "venv") -> None:
        self.wine, self.folder = wine, folder
        self.prefix = folder / place
        self.site = self.prefix / "Lib" / "site-packages"
        self._shared = template.parent
        shutil.copytree(template, self.prefix)
        wine.make(machine(INSTALLED, OLD, files={}), folder)
        self.environ = {"GPUDOCTOR_STATE": windows_path(folder / "state"), **_NONE_KEPT}
        self.before = self.state()

    def state(self) -> dict[str, str]:
        """Every file of the environment with its content."""
        return environments.state(self.prefix)

    def run(self, *argv: str, **more: Any) -> Run:
        """`gpudoctor` on this environment."""
        given = {**self.environ, **more.pop("environ", {})}
        command = (*argv, "--python", windows_path(self.prefix))
        return self.wine.run(*command, folder=self.folder, environ=given, **more)

    def index(self, sass: str = CU128) -> str:
        """The address of an index with just what is prescribed, made once for all tests."""
        root = self._shared / f"index-{len(sass)}"
        if not root.exists():
            asked = ("fix", "--dry-run", "--tool", "pip", "--json", *_PATIENCE)
            plan = self.run(*asked).report["prescription"]
            for entry in plan["packages"]:
                wheel_of(root / plan["variant"], *entry.split("=="), sass)
            make_index(root)
        return "file:///" + windows_path(root).replace("\\", "/")

    def command(self, index: str) -> tuple[str, ...]:
        """The whole fix, from that index."""
        options = ("--yes", "--smoke", "off", "--tool", "pip", "--index-url", index)
        return ("fix", *options, *_PATIENCE)

    def fix(self, index: str) -> Run:
        """Run it."""
        return self.run(*self.command(index))

    def version(self) -> str:
        """The torch that is installed, by its own file."""
        text = (self.site / "torch/version.py").read_text()
        return text.split("'")[1]

    def findings(self) -> list[str]:
        """What `check` finds now."""
        return self.run("check", "--smoke", "off", "--json", *_PATIENCE).found


def wheel_of(folder: Path, name: str, version: str, sass: str) -> Path:
    """A pure wheel named like the prescribed one; torch's has a true library in it."""
    if name != "torch":
        return make_wheel(folder, name, version)
    cuda = f"{version[-3:-1]}.{version[-1]}"
    files = {
        path.removeprefix("./"): data
        for path, data in torch(".", version, cuda, sass).items()
        if "dist-info" not in path
    }
    files |= {f"torch/include/part{number}.h": "x" * 999 for number in range(20)}
    return make_wheel(folder, name, version, files)


def template(wine: Wine, folder: Path) -> Path:
    """An environment with pip and an old torch, to be copied for each test."""
    prefix = folder / "template"
    made = wine.start(
        "{python}", "-m", "venv", "--without-pip", windows_path(prefix), folder=folder
    )
    assert made.code == 0, made
    site = prefix / "Lib" / "site-packages"
    # The true pip, compiled into one archive: every file of an environment is kept and compared,
    # and a thousand of them cost Wine half a minute.
    packed = f"import zipfile; zipfile.PyZipFile({_PIP_ARCHIVE!r}, 'w').writepy('pip')"
    source = folder / "source"
    shutil.copytree(Path(sysconfig.get_path("purelib")) / "pip", source / "pip")
    assert wine.start("{python}", "-c", packed, folder=source).code == 0
    with zipfile.ZipFile(source / _PIP_ARCHIVE, "a") as archive:
        archive.write(source / _CERTIFICATES, _CERTIFICATES)
    (site / "pip").mkdir()
    shutil.move(source / _PIP_ARCHIVE, site / "pip" / _PIP_ARCHIVE)
    (site / "pip" / "__init__.py").write_text(_PIP_PACKAGE, encoding="utf-8")
    wheel = wheel_of(folder / "old", "torch", INSTALLED, OLD)
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    return prefix
