"""Make torch_binaries.yaml: which device code each torch wheel on the package index carries.

Each wheel is downloaded by pip, read by gpudoctor's own reader, and deleted again, so it takes
one wheel's space on disk (about 1 GB) and a minute each. Releases that the file has already
are left alone: stop it at any time and run it again, or delete a record to have it read anew.

    python configs/make_torch_binaries.py [--only 2.9.1] [--platform linux_x86_64]

Needs pip, network, and this package with its test dependencies.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import yaml
from packaging.version import Version

from gpudoctor.binaries.containers.wheel import read_wheel
from gpudoctor.binaries.judgement.general import common_architectures
from gpudoctor.binaries.source import Skipped
from gpudoctor.model.facts import CodeGroup, Library

OUTPUT = Path(__file__).with_name("torch_binaries.yaml")
FIRST = Version("2.0")
PLATFORM_TAGS = {
    "linux_x86_64": ("manylinux_2_28_x86_64", "manylinux2014_x86_64", "manylinux1_x86_64"),
    "linux_aarch64": ("manylinux_2_28_aarch64", "manylinux2014_aarch64"),
}
# Every release has wheels for one of these; their device code is the same for each Python.
PYTHONS = ("3.11", "3.12", "3.13", "3.10")
HEADER = """\
# Which device code the torch wheels on PyPI carry, read out of the wheels themselves.
# Made by configs/make_torch_binaries.py; do not edit by hand.
# `sass` and `ptx` of a build are what every general kernel of libtorch_cuda.so carries;
# `libraries` has all of its libraries, their containers grouped by the images in them.
"""


def main() -> None:
    """Read every release that is not in the file yet, the newest first."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", metavar="VERSION", action="append")
    parser.add_argument("--platform", choices=sorted(PLATFORM_TAGS), action="append")
    options = parser.parse_args()
    records = load()
    known = {(each["torch"], each["platform"]) for each in records}
    for version in options.only or versions():
        for platform in options.platform or sorted(PLATFORM_TAGS, reverse=True):
            if (version, platform) in known:
                continue
            record = read_release(version, platform)
            if record is None:
                say(f"{version} {platform}: no wheel")
                continue
            records.append(record)
            save(records)
            say(f"{version} {platform}: {' '.join(record['sass']) or 'no device code'}")


def say(line: str) -> None:
    """One line of progress."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def versions() -> list[str]:
    """torch's releases on the index from FIRST on, the newest first."""
    answer = subprocess.run(
        [sys.executable, "-m", "pip", "index", "versions", "torch"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    listed = re.search(r"^Available versions: (.+)$", answer, re.MULTILINE)
    if listed is None:
        raise SystemExit(f"pip printed no versions of torch: {answer!r}")
    parsed = {Version(text) for text in listed[1].split(", ")}
    wanted = [each for each in parsed if each >= FIRST and not each.is_prerelease]
    return [str(each) for each in sorted(wanted, reverse=True) if each.local is None]


def read_release(version: str, platform: str) -> dict[str, Any] | None:
    """The record of one release, or `None` if the index has no wheel of it."""
    with tempfile.TemporaryDirectory(prefix="torch-wheel-") as folder:
        wheel = download(version, platform, folder)
        if wheel is None:
            return None
        libraries = []
        for found in read_wheel(str(wheel)):
            if isinstance(found, Skipped):
                raise SystemExit(f"{found.path}: {found.reason}")
            libraries.append(found)
        with wheel.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        main_library = [each for each in libraries if each.path.endswith("/libtorch_cuda.so")]
        sass, ptx = common_architectures(main_library[0]) if main_library else ((), ())
        local, cuda = version_file(wheel)
        today = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
        return {
            "torch": version,
            "variant": local.partition("+")[2] or ("cpu" if cuda is None else None),
            "platform": platform,
            "cuda": cuda,
            "sass": list(sass),
            "ptx": list(ptx),
            "source": f"binary: read out of {wheel.name} from PyPI on {today}",
            "sha256": digest,
            "bytes": wheel.stat().st_size,
            "libraries": [library_record(each) for each in libraries],
        }


def download(version: str, platform: str, folder: str) -> Path | None:
    """The wheel, for the first of PYTHONS that has one.

    `===` keeps pip from a `+cpu` build of the same release, if another index has one.
    """
    for python in PYTHONS:
        tags = [word for tag in PLATFORM_TAGS[platform] for word in ("--platform", tag)]
        command = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            "--no-cache-dir",
        ]
        command += ["--only-binary=:all:", "--dest", folder, "--python-version", python, *tags]
        answer = subprocess.run(
            [*command, f"torch==={version}"], capture_output=True, text=True, check=False
        )
        wheels = list(Path(folder).glob("*.whl"))
        if wheels:
            return wheels[0]
        if "No matching distribution" not in answer.stderr:
            raise SystemExit(answer.stderr)
    return None


def version_file(wheel: Path) -> tuple[str, str | None]:
    """`2.9.1+cu128` and `12.8`, as the wheel's version.py has them."""
    with zipfile.ZipFile(wheel) as archive:
        text = archive.read("torch/version.py").decode()
    version = re.search(r"^__version__ = '([^']+)'", text, re.MULTILINE)
    cuda = re.search(r"^cuda\b[^=]*= '([\d.]+)'", text, re.MULTILINE)
    return version[1] if version else "", cuda[1] if cuda else None


def library_record(library: Library) -> dict[str, Any]:
    """A library as the file has it."""
    record: dict[str, Any] = {
        "path": library.path.partition("!/")[2],
        "fatbins": library.fatbins,
        "groups": [group_record(each) for each in library.groups],
    }
    if library.relocatable:
        record["relocatable"] = [group_record(each) for each in library.relocatable]
    return record


def group_record(group: CodeGroup) -> dict[str, Any]:
    """A group as the file has it; what is empty is left out."""
    record: dict[str, Any] = {"count": group.count, "sass": list(group.sass)}
    if group.ptx:
        record |= {"ptx": list(group.ptx), "ptx_isa": group.ptx_isa}
    if group.relinkable:
        record["relinkable"] = True
    return record


def load() -> list[dict[str, Any]]:
    """The records of the file."""
    if not OUTPUT.exists():
        return []
    loaded = yaml.safe_load(OUTPUT.read_text("utf-8"))
    return list(loaded["builds"])


def save(records: list[dict[str, Any]]) -> None:
    """Write the file at once, the newest release first."""
    records.sort(key=lambda each: each["platform"], reverse=True)
    records.sort(key=lambda each: Version(each["torch"]), reverse=True)
    body = yaml.dump(
        {"schema": 1, "builds": records}, sort_keys=False, default_flow_style=None, width=110
    )
    temporary = OUTPUT.with_suffix(".part")
    temporary.write_text(HEADER + body, "utf-8")
    os.replace(temporary, OUTPUT)


if __name__ == "__main__":
    main()
