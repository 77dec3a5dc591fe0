"""Conda channels of stand-in packages: the shapes that conda-forge and the channel pytorch have.

The records hold names, versions, builds and what they depend on; no package lies behind them.
Shapes from conda-forge's pytorch-cpu feedstock and from pytorch's own conda recipes.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

FORGE = {
    "2.5.1": ("11.8", "12.6"),
    "2.6.0": ("12.6",),
    "2.7.1": ("12.6", "12.8", "12.9"),
    "2.8.0": ("12.8", "12.9"),
    "2.9.1": ("12.8", "12.9", "13.0"),
    "2.15.0": ("13.0",),
}
PYTORCH = {
    "2.3.1": ("11.8", "12.1"),
    "2.4.1": ("11.8", "12.1", "12.4"),
    "2.5.1": ("11.8", "12.1", "12.4"),
}
PYTHONS = ("3.10", "3.11", "3.12", "3.13")


def _record(name: str, version: str, build: str, number: int, depends: list[str],
            subdir: str, constrains: list[str] | None = None) -> dict[str, Any]:  # fmt: skip
    return {
        "name": name,
        "version": version,
        "build": build,
        "build_number": number,
        "depends": depends,
        "constrains": constrains or [],
        "subdir": subdir,
        "license": "BSD",
        "size": 1,
        "timestamp": 1_760_000_000_000,
        "sha256": hashlib.sha256(f"{name}{version}{build}".encode()).hexdigest(),
        "md5": hashlib.md5(f"{name}{version}{build}".encode()).hexdigest(),
    }


def _common(subdir: str) -> list[dict[str, Any]]:
    made = []
    for python in PYTHONS:
        tag = "cp" + python.replace(".", "")
        abi = f"{python}.* *_{tag}"
        made.append(_record("python", f"{python}.9", f"h1_0_{tag}", 0, [], subdir))
        made.append(_record("python_abi", python, f"1_{tag}", 1, [f"python {abi}"], subdir))
    for cuda in ("11.8", "12.1", "12.4", "12.6", "12.8", "12.9", "13.0"):
        limits = [f"__cuda >={cuda.split('.')[0]}"]
        made.append(_record("cuda-version", cuda, "h1_0", 0, [], subdir, limits))
    for name in ("numpy", "pip"):
        made.append(_record(name, "2.2.0", "h1_0", 0, [], subdir))
    return made


def forge(subdir: str) -> list[dict[str, Any]]:
    """conda-forge: a CPU build and one for each CUDA, which ask the machine for a driver."""
    made = _common(subdir)
    linux = subdir in ("linux-64", "linux-aarch64", "win-64")
    for version, cudas in FORGE.items():
        for python in PYTHONS:
            py = "py" + python.replace(".", "")
            needs = [f"python_abi {python}.*"]
            kinds = [("cpu_generic", 0, [])]
            kinds += [
                (f"cuda{cuda.replace('.', '')}_mkl", 300,
                 ["__cuda", f"cuda-version >={cuda},<{int(cuda.split('.')[0]) + 1}"])
                for cuda in (cudas if linux else ())
            ]  # fmt: skip
            for kind, number, more in kinds:
                build = f"{kind}_{py}_h1_{number}"
                made.append(_record("libtorch", version, build, number, more, subdir))
                exact = f"libtorch {version} {build}"
                made.append(
                    _record("pytorch", version, build, number, [*needs, *more, exact], subdir)
                )
        made.append(
            _record("pytorch-cpu", version, "cpu_generic_h1_0", 0,
                    [f"pytorch {version} cpu_generic*"], subdir)
        )  # fmt: skip
        for cuda in cudas if linux else ():
            build = f"cuda{cuda.replace('.', '')}_mkl"
            made.append(
                _record("pytorch-gpu", version, f"{build}_h1_300", 300,
                        [f"pytorch {version} {build}*"], subdir)
            )  # fmt: skip
    return made


def pytorch(subdir: str) -> list[dict[str, Any]]:
    """The channel pytorch: the CUDA is that of `pytorch-cuda`, and no driver is asked for."""
    made = [_record("pytorch-mutex", "1.0", kind, number, [], subdir)
            for kind, number in (("cpu", 0), ("cuda", 100))]  # fmt: skip
    made[0]["track_features"] = "pytorch-mutex"  # what weighs a CPU build down
    made.append(_record("cpuonly", "2.0", "0", 0, ["pytorch-mutex 1.0 cpu"], subdir))
    if subdir.startswith("osx"):
        return made
    for cuda in ("11.8", "12.1", "12.4"):
        made.append(_record("pytorch-cuda", cuda, "h1_0", 0, [], subdir))
    for version, cudas in PYTORCH.items():
        for python in PYTHONS[:3]:
            needs = [f"python >={python},<3.{int(python[2:]) + 1}.0a0"]
            cpu = _record("pytorch", version, f"py{python}_cpu_0", 0,
                          [*needs, "pytorch-mutex 1.0 cpu"], subdir)  # fmt: skip
            made.append({**cpu, "track_features": "pytorch-mutex"})
            for cuda in cudas:
                more = [f"pytorch-cuda >={cuda},<{cuda[:-1]}{int(cuda[-1]) + 1}",
                        "pytorch-mutex 1.0 cuda"]  # fmt: skip
                build = f"py{python}_cuda{cuda}_cudnn9.1.0_0"
                made.append(_record("pytorch", version, build, 0, [*needs, *more], subdir))
    return made


def write(folder: Path, subdirs: tuple[str, ...] = ("linux-64", "win-64", "osx-arm64")) -> None:
    """Write both channels: `FOLDER/conda-forge/linux-64/repodata.json` and its like."""
    for channel, maker in (("conda-forge", forge), ("pytorch", pytorch)):
        for subdir in (*subdirs, "noarch"):
            rows = maker(subdir) if subdir != "noarch" else []
            place = folder / channel / subdir
            place.mkdir(parents=True, exist_ok=True)
            data = {
                "info": {"subdir": subdir},
                "packages": {},
                "packages.conda": {
                    f"{row['name']}-{row['version']}-{row['build']}.conda": row for row in rows
                },
                "repodata_version": 1,
            }
            (place / "repodata.json").write_text(json.dumps(data))
