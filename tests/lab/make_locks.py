"""Writes the lock files of tests/unit/manifests/locks with the real tools.

    STAND_IN_PYTHONS="3.11 3.12" python tests/lab/make_locks.py --tools BIN --pdm BIN

Each case is a manifest; its tool locks it against the loopback index, whose addresses are then
replaced by the public ones.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import install_projects
import preflight_oracle
import stand_in_index

TARGET = Path(__file__).parents[1] / "unit" / "manifests" / "locks"
HEAD = '[project]\nname = "demo"\nversion = "0"\nrequires-python = ">=3.11,<3.13"\n'
PYPI = '[[tool.uv.index]]\nname = "stand-in"\nurl = "{root}/pypi/simple"\ndefault = true\n'


def uv_index(variant: str) -> str:
    return (
        f'[[tool.uv.index]]\nname = "{variant}"\nurl = "{{root}}/whl/{variant}"\nexplicit = true\n'
    )


def poetry_source(variant: str, priority: str) -> str:
    return (
        f'[[tool.poetry.source]]\nname = "{variant}"\nurl = "{{root}}/whl/{variant}"\n'
        f'priority = "{priority}"\n'
    )


BOTH = 'dependencies = ["torch==2.9.1", "torchvision"]\n'
UV = {
    "companion-forgotten": HEAD + BOTH + uv_index("cu130") + PYPI
    + '[tool.uv.sources]\ntorch = { index = "cu130" }\n',
    "linux-alone": HEAD + BOTH + uv_index("cu128") + PYPI
    + "[tool.uv.sources]\n"
    + "".join(
        f'{name} = {{ index = "cu128", marker = "sys_platform == \'linux\'" }}\n'
        for name in ("torch", "torchvision")
    ),
    "cpu-index": HEAD + 'dependencies = ["torch==2.9.1"]\n' + uv_index("cpu") + PYPI
    + '[tool.uv.sources]\ntorch = { index = "cpu" }\n',
    "conflicting-extras": HEAD
    + 'dependencies = []\n[project.optional-dependencies]\ncpu = ["torch==2.9.1"]\n'
    + 'gpu = ["torch==2.9.1"]\n[tool.uv]\n'
    + 'conflicts = [[{ extra = "cpu" }, { extra = "gpu" }]]\n'
    + uv_index("cpu") + uv_index("cu126") + PYPI + "[tool.uv.sources]\n"
    + 'torch = [{ index = "cpu", extra = "cpu" }, { index = "cu126", extra = "gpu" }]\n',
    "groups": HEAD + 'dependencies = []\n[dependency-groups]\ndev = ["torch==2.9.1"]\n'
    + 'train = ["torchvision==0.24.1"]\n' + PYPI,
    "pypi": HEAD + 'dependencies = ["torch"]\n' + PYPI,
}  # fmt: skip
POETRY = {
    "explicit": HEAD + BOTH + poetry_source("cu126", "explicit")
    + '[tool.poetry.dependencies]\ntorch = { source = "cu126" }\n',
    "supplemental": HEAD + BOTH + poetry_source("cu126", "supplemental"),
    "by-platform": HEAD + "dependencies = []\n[tool.poetry]\n[tool.poetry.dependencies]\n"
    + poetry_source("cu126", "explicit"),
}  # fmt: skip
POETRY["by-platform"] = (
    '[tool.poetry]\nname = "demo"\nversion = "0"\ndescription = ""\nauthors = []\n'
    '[tool.poetry.dependencies]\npython = ">=3.11,<3.13"\ntorch = [\n'
    '  { version = "2.9.1", source = "cu126", markers = "sys_platform == \'linux\'" },\n'
    '  { version = "2.9.1", source = "cpu", markers = "sys_platform == \'win32\'" },\n]\n'
    + poetry_source("cu126", "explicit")
    + poetry_source("cpu", "explicit")
)
PDM = {
    "one-more-index": HEAD + BOTH
    + '[[tool.pdm.source]]\nname = "pypi"\nurl = "{root}/pypi/simple"\nverify_ssl = false\n'
    + '[[tool.pdm.source]]\nname = "gpu"\nurl = "{root}/whl/cu126"\nverify_ssl = false\n',
    "pypi": HEAD + BOTH
    + '[[tool.pdm.source]]\nname = "pypi"\nurl = "{root}/pypi/simple"\nverify_ssl = false\n',
}  # fmt: skip
SOURCES = (
    '[[source]]\nname = "pypi"\nurl = "{root}/pypi/simple"\nverify_ssl = false\n'
    '[[source]]\nname = "gpu"\nurl = "{root}/whl/cu126"\nverify_ssl = false\n[packages]\n'
)
PIPENV = {
    "first-source": SOURCES + 'torch = "==2.9.1"\n',
    "named-source": SOURCES + 'torch = { version = "==2.9.1", index = "gpu" }\n',
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tools", required=True)
    parser.add_argument("--pdm", required=True)
    chosen = parser.parse_args()
    root = f"http://127.0.0.1:{stand_in_index.serve().server_port}"
    work = Path(tempfile.mkdtemp())
    for tool, cases in (("uv", UV), ("poetry", POETRY), ("pdm", PDM), ("pipenv", PIPENV)):
        for name, text in cases.items():
            folder = work / f"{tool}-{name}"
            folder.mkdir()
            manifest = "Pipfile" if tool == "pipenv" else "pyproject.toml"
            (folder / manifest).write_text(text.replace("{root}", root))
            if tool == "uv":
                preflight_oracle.uv_lock(chosen.tools, folder)
                argv = [f"{chosen.tools}/uv", "export", "-q", "--format", "pylock.toml",
                        "--all-extras", "-o", "pylock.toml"]  # fmt: skip
                if "extras" not in name:
                    preflight_oracle.run(argv, folder)
            elif tool == "poetry":
                preflight_oracle.poetry(chosen.tools, folder, root)
            elif tool == "pdm":
                preflight_oracle.pdm(chosen.pdm, folder)
            else:
                preflight_oracle.pipenv(chosen.tools, folder)
            _keep(folder, TARGET / tool / name, root)
    _pip_lock(chosen.tools, work, root)


def _pip_lock(tools: str, work: Path, root: str) -> None:
    folder = work / "pip"
    folder.mkdir()
    argv = [f"{tools}/pip", "lock", "-q", "torch==2.9.1", "-o", "pylock.toml"]
    argv += ["--index-url", f"{root}/pypi/simple", "--extra-index-url", f"{root}/whl/cu126"]
    preflight_oracle.run(argv, folder)
    _keep(folder, TARGET / "pip" / "extra-index", root)


def _keep(folder: Path, target: Path, root: str) -> None:
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for file in sorted(folder.iterdir()):
        if file.is_file() and file.suffix in (".toml", ".lock", ""):
            if file.name.startswith("."):
                continue
            (target / file.name).write_text(install_projects.public(file.read_text(), root))


if __name__ == "__main__":
    main()
