"""Compares what gpudoctor reads off random projects with what the real tools would install.

    python tests/lab/preflight_oracle.py --tools BIN --tool uv --count 50 --out FOLDER

BIN holds pip, uv, poetry, pdm and pipenv. Each project is resolved against the loopback index of
stand_in_index.py; the answer of the tool is compared with that from the loose file, and from the
lock that the tool wrote. A line for each that differs; the counts last.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import install_projects
import stand_in_index

from gpudoctor.kb.software import torch_releases
from gpudoctor.manifests.formats import sources
from gpudoctor.manifests.project import installations
from gpudoctor.manifests.scene import Scene
from gpudoctor.manifests.source_files import SourceFile

UV_PLATFORMS = {
    "linux_x86_64": "x86_64-manylinux_2_28",
    "linux_aarch64": "aarch64-manylinux_2_28",
    "win_amd64": "x86_64-pc-windows-msvc",
    "macos_arm64": "aarch64-apple-darwin",
}
SETTINGS = ("PIP_", "UV_", "POETRY_", "PDM_", "PIPENV_", "VIRTUAL_ENV", "PYTHONPATH")
LOCKS = {"uv": "uv.lock", "poetry": "poetry.lock", "pdm": "pdm.lock", "pipenv": "Pipfile.lock"}


def run(argv: list[str], folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """A tool's answer, with nothing configured."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)}
    clean |= {
        "PIP_CONFIG_FILE": os.devnull,
        "XDG_CONFIG_HOME": str(folder.parent / "no-config"),
        "HOME": str(folder.parent / "home"),
        "UV_CACHE_DIR": str(folder.parent / "uv-cache"),
        "UV_PYTHON_DOWNLOADS": "never",
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        **env,
    }  # fmt: skip
    return subprocess.run(
        argv, cwd=folder, env=clean, capture_output=True, text=True, timeout=300, check=False
    )


def interpreter(version: str) -> str:
    """A Python of that version: pyenv's, else the one on the PATH."""
    found = sorted(Path("~/.pyenv/versions").expanduser().glob(f"{version}.*/bin/python"))
    return str(found[-1]) if found else version


def named(name: str, version: str | None, platform: str) -> str:
    """`2.9.1 cu128` of a version, PyPI's default variant where it has no label."""
    if version is None:
        return "nothing"
    bare, _, label = version.partition("+")
    release = torch_releases.release(bare)
    return f"{bare} {label or (release.default_variants.get(platform) if release else None)}"


def pip(tools: str, folder: Path, platform: str, python: str) -> str:
    tag = stand_in_index.PLATFORMS[platform]
    more = ["--platform", "macosx_14_0_arm64"] if platform.startswith("macos") else []
    done = run(
        [f"{tools}/pip", "install", "-r", "requirements.txt", "--dry-run", "--ignore-installed",
         "--report", "report.json", "--only-binary=:all:", "--target", "x", "-q",
         "--platform", tag, *more, "--python-version", python],
        folder,
    )  # fmt: skip
    if done.returncode:
        return "fails"
    report = json.loads((folder / "report.json").read_text())
    found = {row["metadata"]["name"]: row["metadata"]["version"] for row in report["install"]}
    return named("torch", found.get("torch"), platform)


def uv_pip(tools: str, folder: Path, platform: str, python: str) -> str:
    """What would be installed: `uv pip compile` takes another platform's URL, and this does not."""
    done = run(
        [f"{tools}/uv", "pip", "install", "-r", "requirements.txt", "--dry-run", "--target", "x",
         "--python-platform", UV_PLATFORMS[platform], "--python-version", python],
        folder,
        MACOSX_DEPLOYMENT_TARGET="14.0",
    )  # fmt: skip
    if done.returncode:
        return "fails"
    found = re.search(r"^ \+ torch(?:==| @ \S*/torch-)([^\s-]+)", done.stderr, re.M)
    version = found[1].replace("%2B", "+") if found else None
    return named("torch", version, platform)


def uv_lock(tools: str, folder: Path) -> bool:
    return (
        run([f"{tools}/uv", "lock", "-q", "--python", interpreter("3.12")], folder).returncode == 0
    )


def uv(tools: str, folder: Path, platform: str, python: str, extras: tuple[str, ...],
       groups: tuple[str, ...] = ()) -> str:  # fmt: skip
    if not (folder / "uv.lock").exists():
        return "fails"
    more = [word for extra in extras for word in ("--extra", extra)]
    more += [word for group in groups for word in ("--group", group)]
    done = run(
        [f"{tools}/uv", "sync", "--dry-run", "--frozen", "--python-platform",
         UV_PLATFORMS[platform], "--python", interpreter(python), *more],
        folder,
        MACOSX_DEPLOYMENT_TARGET="14.0",
    )  # fmt: skip
    if done.returncode:
        return "fails"
    found = re.search(r"^ \+ torch==(\S+)", done.stderr, re.M)
    return named("torch", found[1] if found else None, platform)


_POETRY = """
import sys
from poetry.repositories import pypi_repository
old = pypi_repository.PyPiRepository.__init__
def new(self, url="{root}/pypi/", **more):
    old(self, url="{root}/pypi/", **more)
    self._base_url = "{root}/pypi/"
pypi_repository.PyPiRepository.__init__ = new
from poetry.console.application import main
sys.exit(main())
"""


def poetry(tools: str, folder: Path, root: str) -> str:
    script = folder.parent / "poetry_here.py"
    script.write_text(_POETRY.replace("{root}", root))
    settings = {
        "POETRY_VIRTUALENVS_IN_PROJECT": "true",
        "POETRY_CACHE_DIR": str(folder.parent / "poetry-cache"),
        "POETRY_CONFIG_DIR": str(folder.parent / "no-config"),
    }
    done = run([f"{tools}/python", str(script), "lock", "-q"], folder, **settings)
    if done.returncode:
        return "fails"
    done = run(
        [f"{tools}/python", str(script), "install", "--dry-run", "--no-root", "--no-ansi"],
        folder,
        **settings,
    )
    found = re.search(r"Installing torch \((\S+)\)", done.stdout)
    return named("torch", found[1] if found else None, "linux_x86_64")


def pdm(tools: str, folder: Path) -> str:
    settings = {"PDM_CHECK_UPDATE": "0", "PDM_CACHE_DIR": str(folder.parent / "pdm-cache")}
    use = [f"{tools}/pdm", "use", "-f", "-q", f"{tools}/python", "--no-version-file"]
    run(use, folder, **settings)
    done = run([f"{tools}/pdm", "lock", "-q"], folder, **settings)
    if done.returncode or not (folder / "pdm.lock").exists():
        return "fails"
    done = run([f"{tools}/pdm", "export", "--no-hashes", "-f", "requirements"], folder, **settings)
    found = re.search(r"^torch==([^\s;]+)", done.stdout, re.M)
    version = found[1] if found else None
    if version is not None and "+" not in version:
        text = (folder / "pdm.lock").read_text()
        named_so = rf"torch-{re.escape(version)}(\+[a-z0-9.]+)?-cp311-cp311-manylinux_2_28_x86"
        labels = set(re.findall(named_so, text))
        version += max(labels, default="")
    return named("torch", version, "linux_x86_64")


def pipenv(tools: str, folder: Path) -> str:
    done = run(
        [f"{tools}/pipenv", "lock", "-q"],
        folder,
        PIPENV_VENV_IN_PROJECT="1",
        PIPENV_CACHE_DIR=str(folder.parent / "pipenv-cache"),
        PIPENV_PYTHON=f"{tools}/python",
    )
    if done.returncode or not (folder / "Pipfile.lock").exists():
        return "fails"
    data = json.loads((folder / "Pipfile.lock").read_text())["default"].get("torch", {})
    version = data.get("version", "").lstrip("=") or None
    return named("torch", version, "linux_x86_64")


def ours(folder: Path, root: str, name: str, scene: Scene) -> str:
    """What gpudoctor reads off the file, its addresses made public."""
    texts = {
        str(item.relative_to(folder)): install_projects.public(item.read_text(), root)
        for item in [*folder.iterdir(), *folder.glob("packages/*/*")]
        if item.is_file() and item.suffix in (".txt", ".toml", ".lock", "")
    }
    source = SourceFile(name, texts[name], texts)
    outcome = installations(sources([source]), scene)[0].outcome
    torch = outcome.choice("torch")
    if outcome.status == "installs" and torch is not None:
        return f"{torch.release} {torch.variant}"
    return {"open": f"unknown: {outcome.why}", "nothing": "nothing"}.get(outcome.status, "fails")


def cases(tool: str) -> list[tuple[str, str]]:
    """The platforms and Pythons that a tool can answer for on this machine."""
    if tool in ("pip", "uv-pip"):
        return [("linux_x86_64", "3.12"), ("win_amd64", "3.11"), ("linux_aarch64", "3.13"),
                ("macos_arm64", "3.10"), ("linux_x86_64", "3.9")]  # fmt: skip
    if tool == "uv":
        return [("linux_x86_64", "3.12"), ("win_amd64", "3.11"), ("macos_arm64", "3.13"),
                ("linux_aarch64", "3.10")]  # fmt: skip
    return [("linux_x86_64", "3.11")]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tools", required=True)
    parser.add_argument("--tool", action="append")
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--out", required=True)
    chosen = parser.parse_args()
    root = f"http://127.0.0.1:{stand_in_index.serve().server_port}"
    counts = {"same": 0, "differs": 0, "unknown": 0}
    for tool in chosen.tool or ["pip", "uv-pip", "uv", "poetry", "pdm", "pipenv"]:
        for seed in range(chosen.first, chosen.first + chosen.count):
            one(chosen, tool, seed, root, counts)
    print(counts)
    return 1 if counts["differs"] else 0


def real(chosen: argparse.Namespace, project: install_projects.Project, folder: Path, root: str,
         platform: str, python: str) -> str:  # fmt: skip
    """What the tool of a project installs."""
    if project.tool == "pip":
        return pip(chosen.tools, folder, platform, python)
    if project.tool == "uv-pip":
        return uv_pip(chosen.tools, folder, platform, python)
    if project.tool == "uv":
        return uv(chosen.tools, folder, platform, python, project.extras, project.groups)
    if project.tool == "poetry":
        return poetry(chosen.tools, folder, root)
    return pdm(chosen.tools, folder) if project.tool == "pdm" else pipenv(chosen.tools, folder)


def one(
    chosen: argparse.Namespace, tool: str, seed: int, root: str, counts: dict[str, int]
) -> None:
    """Try one project on every platform and Python that its tool can answer for here."""
    folder = Path(chosen.out).absolute() / f"{tool}-{seed}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    project = install_projects.make(tool, seed, root)
    for name, text in project.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    if project.tool == "uv":
        uv_lock(chosen.tools, folder)
    for platform, python in cases(project.tool):
        wanted = real(chosen, project, folder, root, platform, python)
        installer = "uv" if project.tool == "uv-pip" else None
        scene = Scene(platform, python, project.extras, project.groups, None, installer)
        for name in (project.main, LOCKS.get(project.tool)):
            if name is None or not (folder / name).exists():
                continue
            said = ours(folder, root, name, scene)
            same = said == wanted or (wanted == "nothing" and said.startswith("unknown"))
            kind = "same" if same else "unknown" if said.startswith("unknown") else "differs"
            counts[kind] += 1
            if kind != "same":
                where = f"{tool}-{seed} {name} {platform} {python}"
                print(f"{where}: tool {wanted!r}, here {said!r}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
