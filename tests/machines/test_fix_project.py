"""The real pip and uv install a wheel over a project in whose folder its environment was made."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from lab import environments
from lab.torch_wheels import OLD
from lab.wheels import make_index, make_wheel
from machines.test_fix import Bench

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="stand-in drivers are ELF"),
]
MINE = ("README.md", "train.py", ".git/config", "bin/deploy.sh", "include/mine.h")
FILES = {
    "data/README.md": "the wheel's",
    "data/.git/config": "the wheel's",
    "data/data/x.csv": "the wheel's",
    "data/docs/new.md": "the wheel's",
    "data/include/mine.h": "the wheel's",
    "scripts/deploy.sh": "the wheel's",
    "headers/mine.h": "the wheel's",
}


class Project(Bench):
    """An environment of `venv .`, with a project around it, and a link to data elsewhere."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        for name in MINE:
            path = self.prefix / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("mine")
        (folder / "far").mkdir()
        (folder / "far" / "x.csv").write_text("mine")
        (self.prefix / "data").symlink_to(folder / "far")
        self.before = self.state()

    def state(self) -> dict[str, str]:
        far = self.folder / "far"
        elsewhere = environments.state(far) if far.exists() else {}
        return {**super().state(), **{f"data/{name}": text for name, text in elsewhere.items()}}

    def index_that_overwrites(self, **options) -> Path:
        root = self.index(**options)
        wheel = next(root.rglob("torchvision-*.whl"))
        version = wheel.name.split("-")[1]
        files = {"torchvision/__init__.py": f"__version__ = {version!r}\n"}
        files |= {f"torchvision-{version}.data/{name}": text for name, text in FILES.items()}
        make_wheel(wheel.parent, "torchvision", version, files)
        make_index(root)
        return root

    def fix_with(self, tool: str, index: Path):
        path = f"{self.env['PATH']}:{Path(sys.executable).parent}"
        return self.fix("--tool", tool, "--index-url", index.as_uri(), PATH=path)


@pytest.fixture
def bench(tmp_path):
    return Project(tmp_path)


@pytest.mark.parametrize("tool", ["pip", "uv"])
def test_a_finished_fix_names_what_it_overwrote_and_undoing_brings_it_back(bench, tool):
    done = bench.fix_with(tool, bench.index_that_overwrites())
    assert done.returncode == 0, done.stdout + done.stderr
    assert (bench.prefix / "README.md").read_text() == "the wheel's"
    assert "The installer changed " in done.stderr
    assert "--undo" in done.stderr
    (bench.prefix / "train.py").write_text("edited since")
    assert bench.run("fix", "--undo").returncode == 0
    assert (bench.prefix / "train.py").read_text() == "edited since"
    (bench.prefix / "train.py").write_text("mine")
    assert bench.state() == bench.before


@pytest.mark.parametrize("tool", ["pip", "uv"])
def test_a_failing_fix_puts_back_what_it_overwrote(bench, tool):
    done = bench.fix_with(tool, bench.index_that_overwrites(sass=OLD))
    assert done.returncode == 5, done.stdout + done.stderr
    assert "as it was, and so are " in done.stderr
    assert bench.state() == bench.before


@pytest.mark.parametrize("tool", ["pip", "uv"])
def test_an_installer_that_breaks_off_in_the_middle_costs_no_file(bench, tool):
    """It has installed one wheel, and part of another, whose record it never wrote."""
    root = bench.index_that_overwrites()
    wheel = next(root.rglob("torchvision-*.whl"))
    version = wheel.name.split("-")[1]
    files = {f"torchvision-{version}.data/{name}": text for name, text in FILES.items()}
    files |= {f"torchvision-{version}.data/nonsense/x": "no scheme of this name"}
    make_wheel(wheel.parent, "torchvision", version, files)
    done = bench.fix_with(tool, root)
    assert done.returncode == 5, done.stdout + done.stderr
    assert bench.state() == bench.before
