"""Make torch_downloads.yaml: how much the CUDA libraries are that torch on PyPI requires.

uv resolves each release for each Linux platform, and the index is asked for the size of each wheel
of NVIDIA's and Triton's that the lock file names; nothing is downloaded. Releases that the file has
already are left alone.

    python configs/make_torch_downloads.py [--only 2.9.1]

Needs uv, network, and this package with its test dependencies.
"""

from __future__ import annotations

import argparse
import datetime
import re
import subprocess
import sys
import tempfile
import urllib.request
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from gpudoctor.kb.software.torch_releases import builds

OUTPUT = Path(__file__).with_name("torch_downloads.yaml")
HEADER = """\
# How much the NVIDIA and Triton wheels are that torch requires where plain `pip install torch`
# brings it. Made by configs/make_torch_downloads.py; do not edit by hand.
"""
PROJECT = """\
[project]
name = "size-of-torch"
version = "0"
requires-python = "=={python}.*"
dependencies = ["torch=={torch}"]
[tool.uv]
environments = ["sys_platform == 'linux' and platform_machine == '{machine}'"]
"""


def main() -> None:
    """Ask for every release that is not in the file yet."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", metavar="VERSION", action="append")
    options = parser.parse_args()
    rows = (
        yaml.safe_load(OUTPUT.read_text(encoding="utf-8"))["downloads"] if OUTPUT.exists() else []
    )
    known = {(row["torch"], row["platform"]) for row in rows}
    for build in builds():
        if build.kind != "cuda" or not build.on_pypi or not build.platform.startswith("linux"):
            continue
        if (build.torch, build.platform) in known or build.torch not in (
            options.only or [build.torch]
        ):
            continue
        urls = required(build.torch, build.platform.removeprefix("linux_"), build.pythons)
        if urls:
            rows.append(
                {
                    "torch": build.torch,
                    "platform": build.platform,
                    "wheels": len(urls),
                    "requires_bytes": sum(map(size, urls)),
                }
            )
            sys.stderr.write(f"{rows[-1]}\n")
    rows.sort(key=lambda row: ([int(part) for part in row["torch"].split(".")], row["platform"]))
    today = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
    document: dict[str, Any] = {
        "schema": 1,
        "date": today,
        "sources": {"pypi": "the sizes that PyPI states for the wheels in uv's resolution"},
        "row_sources": {"downloads": ["pypi"]},
    }
    text = yaml.safe_dump(document, sort_keys=False)
    lines = [
        yaml.safe_dump(row, default_flow_style=True, sort_keys=False, width=999) for row in rows
    ]
    text += "downloads:\n" + "".join(f"- {line}" for line in lines)
    OUTPUT.write_text(HEADER + text, encoding="utf-8")


def required(torch: str, machine: str, pythons: tuple[str, ...]) -> list[str]:
    """Addresses of the NVIDIA and Triton wheels that a release requires, one a distribution."""
    python = next(each for each in ("3.11", "3.10", "3.12", *pythons) if each in pythons)
    with tempfile.TemporaryDirectory(prefix="torch-size-") as folder:
        project = PROJECT.format(python=python, torch=torch, machine=machine)
        (Path(folder) / "pyproject.toml").write_text(project, encoding="utf-8")
        subprocess.run(["uv", "lock", "--quiet"], cwd=folder, check=True)
        lock = (Path(folder) / "uv.lock").read_text(encoding="utf-8")
    found = []
    for package in lock.split("[[package]]")[1:]:
        name = re.search(r'^name = "([^"]+)"', package, re.MULTILINE)
        if name is None or not re.match(r"nvidia-|triton$|cuda-", name[1]):
            continue
        tag = f"cp{python.replace('.', '')}-" if name[1] == "triton" else ""
        urls = re.findall(r'url = "([^"]+\.whl)"', package)
        fitting = [
            url for url in urls if tag in url and (machine in url or url.endswith("any.whl"))
        ]
        found += fitting[:1]
    return found


@cache
def size(url: str) -> int:
    """Bytes of a wheel, as the index states them."""
    if not url.startswith("https://"):
        raise SystemExit(f"{url} is no address of an index")
    request = urllib.request.Request(url, method="HEAD")  # noqa: S310 - https alone, see above
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - as above
        return int(answer.headers["Content-Length"])


if __name__ == "__main__":
    main()
