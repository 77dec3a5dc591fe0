"""Files that programs hold, as Windows has them: found first, named, and no loss when late."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from gpudoctor.collect.python import fix_journal
from gpudoctor.errors import FixFailedError, RestoreFailedError
from gpudoctor.fix import transaction, undo
from gpudoctor.fix.transaction import Work

pytestmark = pytest.mark.skipif(os.name != "nt", reason="only Windows holds files against removal")

OLD = {
    "torch/__init__.py": "old",
    "torch/lib/torch_cuda.dll": "old" * 500,
    "torch/version.py": "2.6.0",
    "torch-2.6.0.dist-info/METADATA": "Version: 2.6.0",
}
HOLD = (
    "import ctypes, sys, time; kernel = ctypes.WinDLL('kernel32'); "
    "print(kernel.CreateFileW(sys.argv[1], 0x80000000, 1, None, 3, 0, None), flush=True); "
    "time.sleep(600)"
)


class Patient:
    def __init__(self, folder: Path, monkeypatch) -> None:
        self.prefix = folder / "a venv & more ä"
        self.site = self.prefix / "Lib" / "site-packages"
        self.dll = self.site / "torch/lib/torch_cuda.dll"
        self.environ = {"GPUDOCTOR_STATE": str(folder / "state")}
        for name, text in OLD.items():
            path = self.site / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        (self.site / "torch-2.6.0.dist-info/RECORD").write_text("".join(f"{n},,\n" for n in OLD))
        (self.prefix / "Scripts").mkdir()
        (self.prefix / "pyvenv.cfg").write_text("home = x\n")
        (self.site / "torch/version.py").chmod(stat.S_IREAD)
        self.before = self.state()
        self.meanwhile = lambda: None
        monkeypatch.setattr(transaction, "run_step", self._install)

    def state(self):
        return {
            str(p): (p.read_text(), p.stat().st_mode & stat.S_IWRITE)
            for p in self.prefix.rglob("*")
            if p.is_file()
        }

    def _install(self, *_arguments):
        for name in OLD:
            (self.site / name).chmod(stat.S_IREAD | stat.S_IWRITE)
            (self.site / name).unlink()
        for name in ("lib/torch_cuda.dll", "version.py", "new.py"):
            (self.site / "torch" / name).write_text("new")
        (self.site / "torch/new.py").chmod(stat.S_IREAD)
        self.meanwhile()

    def fix(self, wrong=None):
        work = Work(
            prefix=str(self.prefix), commands=((sys.executable, "install", "torch==2.9.1"),)
        )
        folder = fix_journal.environment_folder(work.prefix, self.environ)
        transaction.run(work, folder, lambda: wrong, lambda line: None)

    def undo(self):
        return undo.undo(str(self.prefix), self.environ, lambda line: None, 1.0).text


class holding:  # noqa: N801 - reads as a sentence where it is used
    """A program that has a file open, as a training has its libraries."""

    def __init__(self, path: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE
        )
        self.process.stdout.readline()

    def end(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def patient(tmp_path, monkeypatch):
    return Patient(tmp_path, monkeypatch)


def test_read_only_files_come_back_read_only(patient):
    with pytest.raises(FixFailedError, match="the environment is as it was"):
        patient.fix("bad")
    assert patient.state() == patient.before
    patient.fix()
    patient.undo()
    assert patient.state() == patient.before


def test_a_held_file_is_found_and_named_before_the_first_change(patient):
    program = holding(patient.dll)
    with pytest.raises(FixFailedError, match=r"torch_cuda\.dll.*close that first; nothing was"):
        patient.fix()
    assert patient.state() == patient.before
    program.end()
    patient.fix()


def test_a_file_that_is_held_later_stops_itself_alone(patient):
    programs = []
    patient.meanwhile = lambda: programs.append(holding(patient.dll))
    with pytest.raises(RestoreFailedError, match=r"1 not \(.*torch_cuda\.dll.*robocopy"):
        patient.fix("bad")
    now = patient.state()
    assert [p for p in now if now[p] != patient.before.get(p)] == [str(patient.dll)]
    with pytest.raises(RestoreFailedError, match="is not as it was"):
        patient.undo()
    programs[0].end()
    assert "as it was" in patient.undo()
    assert patient.state() == patient.before


def test_paths_longer_than_windows_old_limit_come_back(patient):
    deep = "\\\\?\\" + "\\".join([str(patient.site / "torch"), *["d" * 60] * 5])
    os.makedirs(deep)
    with open(f"{deep}\\f.py", "w") as file:
        file.write("deep")
    patient.meanwhile = lambda: os.unlink(f"{deep}\\f.py")
    with pytest.raises(FixFailedError, match="as it was"):
        patient.fix("bad")
    with open(f"{deep}\\f.py") as file:
        assert file.read() == "deep"
