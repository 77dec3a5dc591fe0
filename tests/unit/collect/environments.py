"""Python environments laid out in folders: venv, conda, Windows, Debian, pyenv …; nothing runs."""

from __future__ import annotations

import os
import struct
from collections.abc import Mapping
from pathlib import Path

import pytest

from machines.wheels import cuda_library


def put(path: Path, content: str | bytes = "") -> Path:
    """Write a file and its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def executable(path: Path, bits: int = 64) -> Path:
    """An interpreter that would fail if anybody started it: an ELF head and nothing behind."""
    if os.name == "nt":
        pytest.skip("its interpreters are those of POSIX; test_portable has those of Windows")
    put(path, b"\x7fELF" + (b"\x02" if bits == 64 else b"\x01") + bytes(59))
    path.chmod(0o755)
    return path


def installation(prefix: Path, version: str = "3.11.7") -> Path:
    """An interpreter with its standard library, as `make install` or pyenv leaves it."""
    short = ".".join(version.split(".")[:2])
    executable(prefix / "bin" / f"python{short}")
    for name in ("python3", "python"):
        (prefix / "bin" / name).symlink_to(f"python{short}")
    put(prefix / "lib" / f"python{short}" / "os.py")
    (prefix / "lib" / f"python{short}" / "site-packages").mkdir()
    put(prefix / "include" / f"python{short}" / "patchlevel.h", f'#define PY_VERSION "{version}"\n')
    return prefix


def venv(prefix: Path, base: Path, version: str = "3.11.7", **config: str) -> Path:
    """A virtual environment on `base`; `config` adds keys to `pyvenv.cfg`."""
    short = ".".join(version.split(".")[:2])
    keys = {
        "home": str(base / "bin"),
        "include-system-site-packages": "false",
        "version": version,
        **{key.replace("_", "-"): value for key, value in config.items()},
    }
    put(prefix / "pyvenv.cfg", "".join(f"{key} = {value}\n" for key, value in keys.items()))
    (prefix / "bin").mkdir()
    (prefix / "bin" / "python").symlink_to(base / "bin" / "python3")
    site(prefix, short).mkdir(parents=True)
    return prefix


def site(prefix: Path, short: str = "3.11") -> Path:
    """The site folder of a POSIX environment."""
    return prefix / "lib" / f"python{short}" / "site-packages"


def windows_installation(prefix: Path, short: str = "3.11") -> Path:
    """Python for Windows, as its installer lays it out."""
    windows_executable(prefix / "python.exe")
    put(prefix / f"python{short.replace('.', '')}.dll", b"MZ")
    put(prefix / "Lib" / "os.py")
    put(prefix / "include" / "patchlevel.h", f'#define PY_VERSION "{short}.9"\n')
    put(prefix / "include" / "Python.h")
    (prefix / "Lib" / "site-packages").mkdir()
    return prefix


def windows_venv(prefix: Path, base: Path, version: str = "3.11.9") -> Path:
    """A virtual environment on Windows."""
    put(prefix / "pyvenv.cfg", f"home = {base}\nversion = {version}\n")
    windows_executable(prefix / "Scripts" / "python.exe")
    (prefix / "Lib" / "site-packages").mkdir(parents=True)
    return prefix


def windows_executable(path: Path, machine: int = 0x8664) -> Path:
    """A PE file that is a head and nothing behind."""
    put(
        path,
        b"MZ"
        + bytes(0x3A)
        + struct.pack("<I", 0x80)
        + bytes(0x40)
        + b"PE\0\0"
        + struct.pack("<H", machine),
    )
    path.chmod(0o755)
    return path


def distribution(
    where: Path,
    name: str,
    version: str,
    requires: tuple[str, ...] = (),
    files: Mapping[str, bytes] | None = None,
    **extra: str,
) -> Path:
    """An installed distribution with metadata, RECORD and files; `extra` adds metadata files."""
    info = where / f"{name.replace('-', '_')}-{version}.dist-info"
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    lines += [f"Requires-Dist: {line}" for line in requires]
    put(info / "METADATA", "\n".join(lines) + "\n\nRequires-Dist: not-a-header\n")
    put(info / "INSTALLER", "pip\n")
    record = []
    for path, data in (files or {}).items():
        put(where / path, data)
        record.append(f"{path},sha256=x,{len(data)}")
    put(info / "RECORD", "\n".join(record) + "\n")
    for file, text in extra.items():
        put(info / {"direct_url": "direct_url.json"}.get(file, file), text)
    return info


VERSION_PY = """from typing import Optional

__all__ = ['__version__', 'debug', 'cuda', 'git_version', 'hip', 'xpu']
__version__ = {version!r}
debug = False
cuda: Optional[str] = {cuda!r}
git_version = '5811a8d7da873dd699ff6687092c225caffcf1bb'
hip: Optional[str] = {hip!r}
xpu: Optional[str] = None
"""


def torch(
    where: Path,
    version: str = "2.9.1+cu128",
    cuda: str | None = "12.8",
    sass: tuple[str, ...] = ("80", "90"),
    requires: tuple[str, ...] = (),
    metadata_version: str | None = None,
    hip: str | None = None,
) -> Path:
    """A torch with a true ELF library; `metadata_version` where it differs, as on PyPI."""
    text = VERSION_PY.format(version=version, cuda=cuda, hip=hip)
    files = {"torch/__init__.py": b"", "torch/version.py": text.encode()}
    if cuda and sass:
        files["torch/lib/libtorch_cuda.so"] = cuda_library(list(sass), [])
    distribution(where, "torch", metadata_version or version, requires, files)
    return where / "torch"


def clean_environ(home: Path, **variables: str) -> dict[str, str]:
    """An environment in which nothing of this machine shows."""
    empty = home / "sysroot"
    (empty / "etc").mkdir(parents=True, exist_ok=True)
    return {
        "HOME": str(home),
        "PATH": os.pathsep.join([str(home / "no-commands")]),
        "GPUDOCTOR_SYSROOT": str(empty),
        **variables,
    }
