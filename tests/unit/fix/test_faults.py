"""At every call of a fix, of its restoration and of its undo something fails, or the process dies.

Whatever happens: what was said is true, and nothing is lost that cannot be had back by `--undo`.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

from gpudoctor.collect.python import fix_journal
from gpudoctor.errors import FixFailedError, RestoreFailedError
from gpudoctor.fix import pulse, transaction, undo
from gpudoctor.fix.transaction import Work
from lab import faults, tiny

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name == "nt", reason="descriptors of folders, as POSIX has them"),
]


class Place:
    """One environment on a disk that fails, made anew for each trial."""

    def __init__(self, shape: tiny.Shape, disk: faults.Disk, folder: Path, other: Path) -> None:
        self.shape, self.disk, self.folder, self.other = shape, disk, folder, other
        self.cured = True

    def fresh(self) -> None:
        self.disk.end_of_process()
        for folder in (self.folder, self.other):
            remove(str(folder))
            folder.mkdir(parents=True)
        (self.folder / "place").mkdir()
        (self.folder / "temporary").mkdir()
        self.environ = {"GPUDOCTOR_STATE": str(self.folder / "state")}
        self.tiny = self.shape(self.folder / "place", self.other)
        self.before = self.tiny.state()

    def fix(self) -> None:
        work = Work(prefix=str(self.tiny.prefix), commands=((sys.executable,),))
        folder = fix_journal.environment_folder(work.prefix, self.environ)
        wrong = None if self.cured else "it has no code for sm_120"
        transaction.run(work, folder, lambda: wrong, lambda line: None)

    def undo(self) -> str:
        return undo.undo(str(self.tiny.prefix), self.environ, lambda line: None, 0.0).text

    def assert_as_it_was(self) -> None:
        assert self.tiny.state() == self.before
        assert fix_journal.unfinished(str(self.tiny.prefix), self.environ) is None
        for path in self.tiny.mine:
            assert path.read_text() in ("before", "before and after")
        for name in self.tiny.overwritten:
            assert (self.tiny.prefix / name).read_text() == "mine"

    def assert_nothing_stays_behind(self) -> None:
        ours = (".gpudoctor-", "kept-")
        walks = (os.walk(root) for root in (self.folder, self.other))
        names = [name for walk in walks for _, folders, files in walk for name in folders + files]
        assert [name for name in names if name.startswith(ours)] == []
        assert os.listdir(self.folder / "temporary") == []


def remove(folder: str) -> None:
    """What `shutil.rmtree` does, in half the time: there are some ten thousand trials."""
    try:
        entries = list(os.scandir(folder))
    except FileNotFoundError:
        return
    except PermissionError:
        os.chmod(folder, 0o700)
        entries = list(os.scandir(folder))
    if entries and not os.access(folder, os.W_OK):
        os.chmod(folder, 0o700)
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            remove(entry.path)
        else:
            os.unlink(entry.path)
    os.rmdir(folder)


class NoThread:
    """The pulse of a fix that takes milliseconds needs no thread, which takes three of them."""

    def __init__(self, **_options: object) -> None:
        pass

    def start(self) -> None:
        """Nothing to start."""

    def join(self) -> None:
        """Nothing to wait for."""


@pytest.fixture(params=tiny.SHAPES, ids=lambda shape: shape.__name__)
def place(request, monkeypatch, tmp_path):
    disk = faults.Disk()
    memory = Path("/dev/shm")
    base = memory if memory.is_dir() and os.access(memory, os.W_OK) else tmp_path
    folder = Path(tempfile.mkdtemp(dir=base))
    place = Place(request.param, disk, folder, tmp_path / "other")

    def run_step(*_arguments):
        disk.changes()
        tiny.install(place.tiny)

    monkeypatch.setattr(transaction, "run_step", run_step)
    monkeypatch.setattr(tempfile, "tempdir", str(folder / "temporary"))
    monkeypatch.setattr(pulse.threading, "Thread", NoThread)
    faults.install(monkeypatch, disk)
    yield place
    disk.end_of_process()
    shutil.rmtree(folder, ignore_errors=True)


def positions(place, action, *, deadly: bool = False) -> list[int]:
    """The calls of an action at which something happens.

    All of them for the plain shape; for the others each seventh, from another start for each, and
    all with GPUDOCTOR_EVERY_FAULT=1. A process that dies before a call that only looks leaves the
    disk as one that dies before the next call: of such calls `deadly` gives the first. Closing a
    file never fails so that it stays open, and is no place for an error.
    """
    place.fresh()
    place.disk.disarm()
    try:
        action()
    except FixFailedError:
        pass
    number = tiny.SHAPES.index(place.shape)
    every = number == 0 or bool(os.environ.get("GPUDOCTOR_EVERY_FAULT"))
    found = range(0 if every else number, place.disk.count, 1 if every else 7)
    telling = place.disk.changing if deadly else place.disk.failing
    return [each for each in found if each in telling or not every]


def kind_at(position: int) -> str:
    """Every kind of error, in turn."""
    return faults.ERRORS[position % len(faults.ERRORS)]


def trial(place, position, kind, action):
    """What the action raised, with a fault at one of its calls; `None` if it came through."""
    place.disk.arm(position, kind)
    try:
        action()
    except faults.Died as error:
        return error
    except (FixFailedError, RestoreFailedError) as error:
        return error
    finally:
        place.disk.end_of_process()
    return None


def test_a_failing_fix_that_dies_anywhere_can_be_undone(place):
    place.cured = False
    for position in positions(place, place.fix, deadly=True):
        place.fresh()
        assert trial(place, position, faults.DEATH, place.fix) is not None
        place.undo()
        place.assert_as_it_was()
        place.assert_nothing_stays_behind()


def test_a_failing_fix_that_meets_an_error_anywhere_says_what_is_true(place):
    place.cured = False
    for position in positions(place, place.fix):
        place.fresh()
        error = trial(place, position, kind_at(position), place.fix)
        assert isinstance(error, (FixFailedError, RestoreFailedError)), position
        if isinstance(error, RestoreFailedError):
            assert "--undo" in str(error)
            place.undo()
        elif "nothing was changed" not in str(error):
            assert "as it was" in str(error)
        assert place.tiny.state() == place.before, (position, str(error))


def test_a_fix_that_meets_an_error_anywhere_is_whole_or_not_there(place):
    for position in positions(place, place.fix):
        place.fresh()
        error = trial(place, position, kind_at(position), place.fix)
        if error is None:
            assert (place.tiny.site / "torch/version.py").read_text() == "2.9.1"
            place.undo()
        elif isinstance(error, RestoreFailedError):
            place.undo()
        assert place.tiny.state() == place.before, (position, str(error))


@pytest.mark.parametrize("deadly", [True, False])
def test_an_undo_that_is_cut_off_anywhere_is_done_again(place, deadly):
    def undone():
        place.fix()
        place.disk.disarm()
        place.undo()

    for position in positions(place, undone, deadly=deadly):
        place.fresh()
        place.fix()
        after = place.tiny.state()
        error = trial(place, position, faults.DEATH if deadly else kind_at(position), place.undo)
        if isinstance(error, FixFailedError):
            assert "nothing was changed" in str(error)
            assert place.tiny.state() == after, (position, str(error))
        place.undo()
        place.assert_as_it_was()
        place.assert_nothing_stays_behind()
