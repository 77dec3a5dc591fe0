"""Attacks and accidents aimed at a fix: each would lose something, or say what is false."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from gpudoctor.collect.python import fix_journal
from gpudoctor.errors import (
    FixFailedError,
    FixInterruptedError,
    RestoreFailedError,
    UsageError,
)
from gpudoctor.examine.options import VisitOptions
from gpudoctor.fix import kept, procedure, pulse, undo
from gpudoctor.fix.environment import tree as trees
from gpudoctor.fix.installing import isolation
from gpudoctor.fix.installing.workshop import Workshop
from gpudoctor.model.facts import Facts, Python
from gpudoctor.model.prescription import Prescription, Step
from gpudoctor.model.sheet import FactSheet
from lab import tiny
from lab.patient import Patient
from unit.report.reports import report as example

pytestmark = pytest.mark.skipif(os.name == "nt", reason="links and owners of POSIX")


@pytest.fixture
def patient(request, tmp_path, monkeypatch):
    return Patient(getattr(request, "param", tiny.plain), tmp_path, monkeypatch)


def of(python):
    """A report on an environment."""
    return replace(example(), sheet=FactSheet(facts=Facts(python=python)))


def cut(patient, monkeypatch):
    patient.fix_and_be_killed(monkeypatch)


def finished(patient, monkeypatch):
    del monkeypatch
    patient.fix()


@pytest.mark.parametrize("fixed", [cut, finished])
@pytest.mark.parametrize("lines", range(1, 9))
def test_a_journal_that_lost_its_end_makes_nothing_untrue(patient, monkeypatch, fixed, lines):
    fixed(patient, monkeypatch)
    after = patient.tiny.state()
    journal = patient.last / "journal.jsonl"
    whole = journal.read_bytes()
    journal.write_bytes(b"\n".join(whole.split(b"\n")[:lines]) + b"\n")
    try:
        assert "nothing was changed" not in patient.undo()
    except (FixFailedError, RestoreFailedError):
        refused = patient.tiny.state() == after
        journal.write_bytes(whole)
        patient.undo()
        assert refused
    assert patient.tiny.state() == patient.before


def test_damage_at_any_byte_of_a_journal_is_seen(patient, monkeypatch):
    patient.fix_and_be_killed(monkeypatch)
    whole = (patient.last / "journal.jsonl").read_bytes()
    sound = fix_journal.parse(whole, "journal")
    assert sound.damage is None
    for at in range(len(whole)):
        for damaged in (
            whole[:at] + bytes([whole[at] ^ 1 << at % 8]) + whole[at + 1 :],
            whole[:at] + whole[at + 1 :],
            whole[:at] + b"\0" * (len(whole) - at),
        ):
            found = fix_journal.parse(damaged, "journal")
            torn = damaged[-1:] != b"\n" and found.records == sound.records[: len(found.records)]
            assert found.damage or torn or found.records == sound.records, at


def test_no_fix_begins_on_top_of_one_that_was_cut_off(patient, monkeypatch):
    """Two begin at the same time, and the first is killed when the second has looked already."""
    patient.fix_and_be_killed(monkeypatch)
    after = patient.tiny.state()
    with pytest.raises(FixFailedError, match="cut off"):
        patient.fix()
    assert patient.tiny.state() == after
    patient.undo()
    assert patient.tiny.state() == patient.before


@pytest.mark.parametrize("known", ["the clock was set back", "nobody knows when"])
def test_work_is_not_lost_where_no_clock_tells_when_it_came(patient, monkeypatch, known):
    patient.fix_and_be_killed(monkeypatch)
    (patient.tiny.site / "torch" / "version.py").write_text("my own patch")
    (patient.tiny.site / "torch" / "mine.py").write_text("my own module")
    ends = {"the clock was set back": time.time_ns() + 3600 * 10**9, "nobody knows when": None}
    monkeypatch.setattr(pulse, "last_ns", lambda _folder: ends[known])
    assert "moved out of the way" in patient.undo()
    texts = {p.read_text() for p in patient.last.rglob("set-aside/**/*.py")}
    assert {"my own patch", "my own module"} <= texts
    assert patient.tiny.state() == patient.before


def shared(folder, other):
    """`share` is a link to a folder that others use too."""
    made = tiny.plain(folder, other)
    far = other / "share"
    (far / "man").mkdir(parents=True)
    (far / "man" / "torch.1").write_text("old")
    (far / "theirs.txt").write_text("before")
    (made.prefix / "share").symlink_to(far)
    record = made.site / "torch-2.6.0.dist-info" / "RECORD"
    record.write_text(record.read_text() + "../../../share/man/torch.1,,\n")
    return tiny.Tiny(prefix=made.prefix, linked=(far,), mine=(far / "theirs.txt",))


@pytest.mark.parametrize("patient", [shared], indirect=True)
def test_files_of_a_package_behind_a_link_out_of_the_environment_come_back(patient):
    far = patient.tiny.linked[0]
    patient.meanwhile = lambda: (far / "man" / "torch.1").unlink()
    patient.fix_and_fail()
    assert patient.tiny.state() == patient.before
    assert (far / "theirs.txt").read_text() == "before and after"
    patient.fix()
    assert (far / "new.txt").read_text() == "new"
    patient.undo()
    assert patient.tiny.state() == patient.before


@pytest.mark.parametrize("patient", [shared], indirect=True)
def test_a_link_to_a_folder_of_very_many_files_is_refused(patient, monkeypatch):
    from gpudoctor.fix.environment import parts

    monkeypatch.setattr(parts, "MOST_BEHIND_A_LINK", 2)
    with pytest.raises(FixFailedError, match=r"share leads to .*nothing was changed"):
        patient.fix()


def deep(folder, other):
    """Links at several levels: a link to a link to a folder, in which a link leads further."""
    made = tiny.on_another_disk(folder, other)
    far = other / "torch"
    further = other / "further"
    (far / "lib").rename(further)
    (far / "lib").symlink_to(other / "hop")
    (other / "hop").symlink_to(further)
    return tiny.Tiny(prefix=made.prefix, linked=(far, further))


@pytest.mark.parametrize("patient", [deep], indirect=True)
def test_links_behind_links_are_followed(patient):
    patient.fix_and_fail()
    assert patient.tiny.state() == patient.before
    patient.fix()
    patient.undo()
    assert patient.tiny.state() == patient.before


def test_a_new_file_that_looks_like_the_old_one_is_not_taken_for_it(patient):
    """conda and cp -p give a file the time that its package says."""
    path = patient.tiny.site / "torch" / "version.py"
    times = path.stat().st_mtime_ns

    def alike():
        path.unlink()
        path.write_text("6.6.6")
        os.utime(path, ns=(times, times))

    patient.meanwhile = alike
    assert "as it was" in patient.fix_and_fail()
    assert path.read_text() == "2.6.0"
    patient.fix()
    assert path.read_text() == "6.6.6"
    patient.undo()
    assert path.read_text() == "2.6.0"
    assert patient.tiny.state() == patient.before


def test_two_names_of_one_file_are_two_names_again(patient):
    site = patient.tiny.site
    os.link(site / "torch" / "__init__.py", site / "torch" / "alias.py")
    before = patient.tiny.state()
    patient.fix_and_fail()
    assert patient.tiny.state() == before
    assert os.path.samefile(site / "torch" / "__init__.py", site / "torch" / "alias.py")


def test_a_socket_that_a_program_left_is_no_obstacle(patient):
    """What is neither file nor folder nor link was made by a program that runs."""

    def listen():
        with socket.socket(socket.AF_UNIX) as made:
            here = os.getcwd()
            os.chdir(patient.tiny.site / "only_new")
            made.bind("socket")
            os.chdir(here)

    patient.meanwhile = listen
    said = patient.fix_and_fail()
    assert "as it was" in said
    assert "only_new" in said
    assert patient.tiny.site.joinpath("only_new", "socket").exists()


def test_an_environment_whose_folder_was_replaced_is_not_undone_into_another(patient, monkeypatch):
    patient.fix_and_be_killed(monkeypatch)
    moved = Path(f"{patient.tiny.prefix}-moved")
    patient.tiny.prefix.rename(moved)
    other = patient.folder / "other"
    other.mkdir()
    patient.tiny.prefix.symlink_to(other)
    try:
        patient.undo()
    except (FixFailedError, RestoreFailedError):
        pass
    assert list(other.iterdir()) == []


def test_a_fix_that_is_at_work_is_not_called_cut_off(patient, monkeypatch):
    monkeypatch.setenv("GPUDOCTOR_STATE", patient.environ["GPUDOCTOR_STATE"])
    report = of(Python(prefix=str(patient.tiny.prefix)))
    said = []

    def second():
        with pytest.raises(FixFailedError) as failure:
            procedure.refuse_unfinished(report)
        said.append(str(failure.value))

    patient.meanwhile = second
    patient.fix()
    assert "is at work" in said[0]
    procedure.refuse_unfinished(report)
    patient.meanwhile = lambda: None
    patient.fix_and_be_killed(monkeypatch)
    with pytest.raises(FixFailedError, match="was cut off"):
        procedure.refuse_unfinished(report)


@pytest.mark.skipif(sys.platform != "linux", reason="bind mounts")
def test_a_mount_of_the_environment_in_itself_is_entered_once(patient):
    loop = patient.tiny.prefix / "lib" / "loop"
    loop.mkdir()
    bind = ["mount", "--bind", str(patient.tiny.prefix), str(loop)]
    if subprocess.run(bind, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount")
    try:
        found = trees.scan(str(patient.tiny.prefix))
    finally:
        subprocess.run(["umount", str(loop)], check=True)
    assert "lib/python3.11" in found
    assert not [path for path in found if path.startswith("lib/loop")]


@pytest.mark.parametrize(
    "text",
    [
        'pip = { target = "/else" }',
        '[pip]\n"target" = "/else"',
        '[pip]\nprefix="/else"',
        'pip.target = "/else"',
        "[ pip ]\n'target' = '/else'",
    ],
)
def test_however_it_is_written_a_uv_that_installs_elsewhere_is_refused(patient, tmp_path, text):
    (tmp_path / "uv").mkdir()
    (tmp_path / "uv" / "uv.toml").write_text(text)
    environ = {"XDG_CONFIG_HOME": str(tmp_path)}
    with pytest.raises(FixFailedError, match=r"uv is configured to install elsewhere \(.*/else"):
        isolation.refuse_elsewhere(
            ("/nowhere/uv", "pip", "install"), environ, Workshop(str(tmp_path))
        )


def test_a_signal_after_the_end_of_a_fix_is_told_what_stays(patient, monkeypatch):
    def interrupted(_options):
        raise KeyboardInterrupt

    prefix = str(patient.tiny.prefix)
    python = Python(prefix=prefix, executable=f"{prefix}/bin/python")
    step = Step(kind="install", text="Install.", argv=(sys.executable, "install"))
    prescription = Prescription(status="resolved", why="", steps=(step,))
    report = replace(of(python), prescription=prescription)
    monkeypatch.setattr(procedure, "_refuse", lambda _report: None)
    monkeypatch.setattr(procedure.transaction, "run", lambda *_arguments: None)
    monkeypatch.setattr(procedure, "visit", interrupted)
    with pytest.raises(FixInterruptedError, match=r"finished and verified.*--undo"):
        procedure.carry_out(report, VisitOptions(), lambda line: None, patient.environ)


def test_a_torch_that_was_moved_to_another_disk_since_is_not_lost_by_an_undo(patient, tmp_path):
    patient.fix()
    torch, far = patient.tiny.site / "torch", tmp_path / "far"
    torch.rename(far)
    torch.symlink_to(far)
    moved = patient.tiny.state()
    with pytest.raises(FixFailedError, match=r"site-packages/torch among them.*--set-aside"):
        patient.undo()
    assert patient.tiny.state() == moved
    patient.undo(set_aside=True)
    assert patient.tiny.state() == patient.before
    assert (far / "version.py").read_text() == "2.9.1"


def test_a_state_folder_that_cannot_be_read_is_never_called_empty(patient, monkeypatch):
    patient.fix()
    listed = os.scandir

    def denied(path):
        if str(path).startswith(patient.environ["GPUDOCTOR_STATE"]):
            raise PermissionError(13, "Permission denied", str(path))
        return listed(path)

    monkeypatch.setattr(os, "scandir", denied)
    with pytest.raises(FixFailedError, match="cannot be read: Permission denied"):
        patient.undo()
    with pytest.raises(UsageError, match="cannot be read: Permission denied"):
        kept.kept(patient.environ)
    with pytest.raises(PermissionError):
        fix_journal.unfinished(str(patient.tiny.prefix), patient.environ)


def test_what_could_not_be_removed_is_not_called_removed(patient, monkeypatch):
    patient.fix()
    name = patient.last.name
    monkeypatch.setattr(kept.vault, "discard", lambda _folder: None)
    with pytest.raises(UsageError, match="cannot be removed"):
        kept.forget(name, patient.environ)
    assert kept.forget("all", patient.environ) == ()


def test_nothing_is_forgotten_while_it_is_undone(patient, monkeypatch):
    patient.fix()
    name = patient.last.name
    said = []

    def meanwhile(*arguments):
        with pytest.raises(FixFailedError) as failure:
            kept.forget(name, patient.environ)
        said.append(str(failure.value))
        return read(*arguments)

    read = undo.manifest.read
    monkeypatch.setattr(undo.manifest, "read", meanwhile)
    patient.undo()
    assert "is at work" in said[0]
    assert patient.tiny.state() == patient.before


def test_an_environment_whose_name_is_no_text_is_kept_and_undone(tmp_path, monkeypatch):
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9 \n::x"))
    folder.mkdir()
    patient = Patient(tiny.plain, folder, monkeypatch)
    patient.fix_and_be_killed(monkeypatch)
    assert fix_journal.unfinished(str(patient.tiny.prefix), patient.environ)
    patient.undo()
    assert patient.tiny.state() == patient.before
    patient.fix()
    (entry, *_) = kept.kept(patient.environ)
    assert entry.prefix == str(patient.tiny.prefix)
    patient.undo()
    assert patient.tiny.state() == patient.before


def test_an_environment_that_was_removed_whole_comes_back_from_a_cut_off_fix(patient, monkeypatch):
    patient.fix_and_be_killed(monkeypatch)
    shutil.rmtree(patient.tiny.prefix)
    patient.undo()
    assert patient.tiny.state() == patient.before
