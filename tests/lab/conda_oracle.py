"""Compares what gpudoctor reads off conda's and pixi's files with what their solver chooses.

    PYTHONPATH=src python tests/lab/conda_oracle.py --count 100 --out FOLDER

The Python that runs it has `py-rattler`, the solver and the lock format of pixi, beside gpudoctor's
own dependencies. Random environment.yml and pixi.toml are solved against the channels of
conda_channel.py, with a driver on the machine and without; each solution is written as a pixi.lock,
as a list of URLs and as a conda-lock.yml, and read back. A line for each that differs.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import conda_channel
from rattler import (
    BuildString,
    Channel,
    GenericVirtualPackage,
    LockChannel,
    LockFile,
    LockPlatform,
    MatchSpec,
    PackageName,
    Subdir,
    Version,
    solve,
)

from gpudoctor.manifests.conda_builds import cuda_of
from gpudoctor.manifests.formats import sources
from gpudoctor.manifests.project import installations
from gpudoctor.manifests.scene import Scene

SUBDIRS = {"linux_x86_64": "linux-64", "win_amd64": "win-64", "macos_arm64": "osx-arm64"}
PUBLIC = "https://conda.anaconda.org"


def virtual(cuda: str | None) -> list[GenericVirtualPackage]:
    """What the machine that solves says of itself."""
    rows = [("__glibc", "2.35"), ("__linux", "6.0"), ("__unix", "0"), ("__osx", "14.0"),
            ("__win", "10")]  # fmt: skip
    rows += [("__cuda", cuda)] if cuda else []
    return [
        GenericVirtualPackage(PackageName(name), Version(text), BuildString("0"))
        for name, text in rows
    ]


def chosen(root: Path, specs: list[str], channels: list[str], subdir: str, cuda: str | None):
    """The records that the solver chooses; `None`: there are none."""
    try:
        return asyncio.run(
            solve(
                [Channel(f"file://{root}/{name}") for name in channels],
                [MatchSpec(text) for text in specs],
                platforms=[subdir, "noarch"],
                virtual_packages=virtual(cuda),
            )
        )
    except Exception:  # the error is the answer of the solver
        return None


def named(records) -> str:
    """`2.9.1 cu128`, `2.9.1 cpu`, `fails`, `nothing`."""
    if records is None:
        return "fails"
    for record in records:
        if record.name.normalized == "pytorch":
            cuda = cuda_of(str(record.build))
            return f"{record.version} {'cu' + cuda.replace('.', '') if cuda else 'cpu'}"
    return "nothing"


def ours(path: Path, scene: Scene) -> str:
    """What gpudoctor reads off a file."""
    outcome = installations(sources([str(path)]), scene)[0].outcome
    torch = outcome.choice("torch")
    if outcome.status == "installs" and torch is not None:
        return f"{torch.release} {torch.variant}"
    return {"open": f"unknown: {outcome.why}", "nothing": "nothing"}.get(outcome.status, "fails")


def project(chance: random.Random) -> tuple[list[str], list[str], str | None]:
    """Specs, channels, and the CUDA that a pixi.toml would declare."""
    old = chance.random() < 0.4
    channels = ["pytorch", "conda-forge"] if old else ["conda-forge"]
    versions = ["", "", "=2.5.1", "=2.5", ">=2.4", "==2.4.1" if old else "==2.8.0", "<2.6"]
    if not old:
        versions += ["=2.9.1", "=2.7", "=2.9"]
    name = chance.choice(
        ["pytorch"] if old else ["pytorch", "pytorch", "pytorch-gpu", "pytorch-cpu"]
    )
    torch = name + chance.choice(versions)
    if not old and chance.random() < 0.25 and name == "pytorch":
        torch = "pytorch" + chance.choice(["=2.8.0", "=2.9.1", "=*"])
        torch += chance.choice(["=cuda*", "=cpu*", "=cuda128*", "=cuda126*"])
    specs = [torch, f"python={chance.choice(['3.10', '3.11', '3.12', '3.13'])}"]
    if old and chance.random() < 0.7:
        specs.append(chance.choice(["pytorch-cuda=12.1", "pytorch-cuda=12.4", "pytorch-cuda=11.8",
                                    "cpuonly", "pytorch-cuda=12.6"]))  # fmt: skip
    if not old and chance.random() < 0.4:
        specs.append(f"cuda-version={chance.choice(['12.6', '12.8', '12.9', '13.0'])}")
    chance.shuffle(specs)
    return specs, channels, chance.choice([None, "12", "12.8"])


def environment(folder: Path, specs: list[str], channels: list[str]) -> Path:
    text = f"name: demo\nchannels: [{', '.join(channels)}]\ndependencies:\n"
    path = folder / "environment.yml"
    path.write_text(text + "".join(f"- {spec}\n" for spec in specs))
    return path


def pixi(folder: Path, specs: list[str], channels: list[str], cuda: str | None) -> Path:
    listed = ", ".join(f'"{name}"' for name in channels)
    platforms = '["linux-64", "win-64", "osx-arm64"]'
    text = f'[workspace]\nname = "demo"\nchannels = [{listed}]\nplatforms = {platforms}\n'
    text += f'[system-requirements]\ncuda = "{cuda}"\n' if cuda else ""
    text += "[dependencies]\n"
    for spec in specs:
        name = spec.split("=")[0].split(">")[0].split("<")[0]
        rest = spec[len(name) :]
        version, _, build = rest.lstrip("=").partition("=") if rest[:1] == "=" else (rest, "", "")
        version = f"{version}.*" if rest[:1] == "=" and rest[:2] != "==" and version != "*" else (
            f"=={version}" if rest[:2] == "==" else version
        )  # fmt: skip
        text += (
            f'{name} = {{ version = "{version or "*"}", build = "{build}" }}\n'
            if build
            else f'{name} = "{version or "*"}"\n'
        )
    path = folder / "pixi.toml"
    path.write_text(text)
    return path


def locks(folder: Path, root: Path, records, channels: list[str], subdir: str) -> list[Path]:
    """The solution as the locks that tools write."""
    platform = LockPlatform(subdir, Subdir(subdir))
    lock = LockFile([platform])
    lock.set_channels("default", [LockChannel(f"{PUBLIC}/{name}") for name in channels])
    for record in records:
        lock.add_conda_package("default", platform, record)
    path = folder / "pixi.lock"
    lock.to_path(str(path))
    path.write_text(path.read_text().replace(f"file://{root}", PUBLIC).replace(str(root), PUBLIC))
    urls = [record.url.replace(f"file://{root}", PUBLIC) for record in records]
    explicit = folder / "explicit.txt"
    explicit.write_text(f"# platform: {subdir}\n@EXPLICIT\n" + "".join(f"{u}\n" for u in urls))
    locked = folder / "conda-lock.yml"
    rows = "".join(
        f"- name: {record.name.normalized}\n  version: {record.version}\n  manager: conda\n"
        f"  platform: {subdir}\n  dependencies: {{}}\n  url: {url}\n  hash: {{md5: 0}}\n"
        f"  category: main\n  optional: false\n"
        for record, url in zip(records, urls, strict=True)
    )
    locked.write_text(f"version: 1\nmetadata: {{}}\npackage:\n{rows}")
    return [path, explicit, locked]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--out", required=True)
    asked = parser.parse_args()
    root = Path(asked.out).absolute() / "channels"
    conda_channel.write(root)
    counts = {"same": 0, "differs": 0, "unknown": 0}

    def compare(what: str, wanted: str, said: str) -> None:
        kind = "same" if said == wanted else "unknown" if said[:7] == "unknown" else "differs"
        counts[kind] += 1
        if kind == "differs":
            print(f"{what}: solver {wanted!r}, here {said!r}", flush=True)

    for seed in range(asked.first, asked.first + asked.count):
        chance = random.Random(f"conda-{seed}")
        specs, channels, declared = project(chance)
        folder = Path(asked.out).absolute() / f"conda-{seed}"
        folder.mkdir(parents=True, exist_ok=True)
        for platform, subdir in SUBDIRS.items():
            if subdir.startswith("osx") and "pytorch" in channels:
                continue  # what that channel had for macOS is not modelled
            scene = Scene(platform, "3.12")
            where = f"conda-{seed} {specs} {channels} {subdir}"
            with_, without = (
                chosen(root, specs, channels, subdir, cuda) for cuda in ("12.8", None)
            )
            said = ours(environment(folder, specs, channels), scene)
            wanted = {named(with_), named(without)}
            # Where the builder's driver decides, only an open answer is right.
            both = len(wanted) == 2 and not (said.endswith("cpu") and said in wanted)
            compare(where + " yml", "unknown" if both else said if said in wanted else wanted.pop(),
                    said)  # fmt: skip
            declared_here = None if subdir.startswith("osx") else declared
            found = chosen(root, specs, channels, subdir, declared_here)
            said = ours(pixi(folder, specs, channels, declared), scene)
            compare(f"{where} pixi cuda={declared}", named(found), said)
            for records in (with_, found):
                for path in locks(folder, root, records, channels, subdir) if records else ():
                    compare(f"{where} {path.name}", named(records), ours(path, scene))
    print(counts, flush=True)
    os._exit(1 if counts["differs"] else 0)  # the solver's threads do not end by themselves


if __name__ == "__main__":
    main()
