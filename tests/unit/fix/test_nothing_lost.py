"""What people and programs did is theirs, whatever a fix, its failure and its undoing do."""

from __future__ import annotations

import errno
import os
import sys
import time
from pathlib import Path

import pytest

from gpudoctor.collect.python import fix_journal
from gpudoctor.errors import FixFailedError, RestoreFailedError, UsageError
from gpudoctor.fix import kept, transaction
from gpudoctor.fix.transaction import Work
from lab import tiny
from lab.patient import Patient

pytestmark = pytest.mark.skipif(os.name == "nt", reason="links and owners of POSIX")


@pytest.fixture
def patient(request, tmp_path, monkeypatch):
    return Patient(getattr(request, "param", tiny.plain), tmp_path, monkeypatch)


def shaped(shape):
    return pytest.mark.parametrize("patient", [shape], indirect=True, ids=[shape.__name__])


@shaped(tiny.on_another_disk)
def test_what_a_link_leads_to_is_a_part_of_the_environment(patient):
    assert "as it was" in patient.fix_and_fail()
    assert patient.tiny.state() == patient.before
    patient.fix()
    assert (patient.tiny.linked[0] / "version.py").read_text() == "2.9.1"
    patient.undo()
    assert patient.tiny.state() == patient.before


def test_a_link_to_somebodys_sources_loses_nothing(patient, tmp_path):
    sources = tmp_path / "sources" / "mine"
    sources.mkdir(parents=True)
    (sources / "model.py").write_text("before")
    (patient.tiny.site / "mine").symlink_to(sources)

    def edit():
        (sources / "model.py").unlink()
        (sources / "model.py").write_text("edited meanwhile")

    patient.meanwhile = edit
    said = patient.fix_and_fail()
    aside = next(sources.parent.parent.rglob("set-aside"))
    assert str(aside) in said
    assert (aside / "model.py").read_text() == "edited meanwhile"


def test_a_link_to_the_project_around_the_environment_is_not_followed(tmp_path, monkeypatch):
    def shape(folder, other):
        made = tiny.plain(folder, other)
        (made.site / "project").symlink_to(folder)
        (folder / "data.bin").write_text("much")
        return made

    patient = Patient(shape, tmp_path, monkeypatch)
    patient.meanwhile = lambda: (patient.folder / "data.bin").write_text("more")
    patient.fix_and_fail()
    assert (patient.folder / "data.bin").read_text() == "more"
    assert patient.tiny.state() == patient.before


@shaped(tiny.in_a_project)
def test_undoing_a_cut_off_fix_leaves_the_project_alone(patient, monkeypatch):
    patient.fix_and_be_killed(monkeypatch)
    checkpoint = patient.folder / "runs" / "epoch-9.pt"
    checkpoint.write_text("hours of work")
    (patient.folder / "train.py").write_text("edited since")
    patient.undo()
    assert checkpoint.read_text() == "hours of work"
    assert (patient.folder / "train.py").read_text() == "edited since"
    assert (patient.tiny.site / "torch/version.py").read_text() == "2.6.0"


def test_undoing_a_cut_off_fix_leaves_a_package_alone_that_came_since(patient, monkeypatch):
    patient.fix_and_be_killed(monkeypatch)
    other = patient.tiny.site / "other" / "__init__.py"
    other.parent.mkdir()
    other.write_text("installed since")
    said = patient.undo()
    assert other.read_text() == "installed since"
    assert "left alone" in said
    assert (patient.tiny.site / "torch/version.py").read_text() == "2.6.0"


def test_undoing_a_cut_off_fix_asks_before_it_reverts_an_edit(patient, monkeypatch):
    patient.fix_and_be_killed(monkeypatch)
    edited = patient.tiny.site / "torch" / "__init__.py"
    edited.write_text("edited since")
    after = patient.tiny.state()
    with pytest.raises(FixFailedError, match=r"nothing was changed.*--set-aside"):
        patient.undo()
    assert patient.tiny.state() == after
    said = patient.undo(set_aside=True)
    assert patient.tiny.state() == patient.before
    aside = next(Path(patient.environ["GPUDOCTOR_STATE"]).rglob("set-aside"))
    assert str(aside) in said
    assert (aside / edited.relative_to(patient.tiny.prefix)).read_text() == "edited since"


def test_undoing_a_finished_fix_can_move_aside_what_came_since(patient):
    patient.fix()
    edited = patient.tiny.site / "torch" / "version.py"
    edited.write_text("edited since")
    with pytest.raises(FixFailedError, match="nothing was changed"):
        patient.undo()
    patient.undo(set_aside=True)
    assert patient.tiny.state() == patient.before
    found = [p.read_text() for p in patient.last.rglob("set-aside/**/version.py")]
    assert found == ["edited since"]


def test_a_log_that_is_written_during_a_failing_fix_is_nobodys_failure(patient):
    log = patient.tiny.site / "torch" / "run.log"
    log.write_text("line 1\n")

    def append():
        with log.open("a") as file:
            file.write("line 2\n")

    patient.meanwhile = append
    patient.fix_and_fail()
    assert log.read_text() == "line 1\nline 2\n"
    litter = [p for p in patient.folder.rglob("*") if "gpudoctor" in p.name]
    assert litter == []


def test_bytecode_that_a_program_writes_meanwhile_is_no_failure(patient):
    def compile_():
        for folder in ("torch", "only_new"):
            cache = patient.tiny.site / folder / "__pycache__"
            cache.mkdir(exist_ok=True)
            (cache / "__init__.cpython-311.pyc").write_text("compiled")

    patient.meanwhile = compile_
    assert "as it was" in patient.fix_and_fail()
    assert patient.tiny.state() == patient.before


def test_a_link_that_became_a_folder_is_a_link_again(patient):
    def replaced():
        link = patient.tiny.prefix / "bin" / "python"
        link.unlink()
        (link / "deep").mkdir(parents=True)
        (link / "deep" / "file").write_text("strange")

    patient.meanwhile = replaced
    patient.fix_and_fail()
    assert patient.tiny.state() == patient.before


def test_two_environments_of_one_folder_never_share_what_is_kept(patient, tmp_path, monkeypatch):
    second = Patient.__new__(Patient)
    second.__dict__ |= patient.__dict__
    second.tiny = tiny.plain(patient.folder / "second", tmp_path)
    monkeypatch.setattr(time, "strftime", lambda *_arguments: "20261121T000000Z")
    patient.fix()
    monkeypatch.setattr(transaction, "run_step", second._install)
    second.fix()
    assert patient.last.name != second.last.name
    before = tiny.plain(tmp_path / "reference", tmp_path).prefix
    second.undo()
    patient.undo()
    assert patient.tiny.state() == patient.before
    assert (second.tiny.site / "torch/version.py").read_text() == (
        before / tiny.SITE / "torch/version.py"
    ).read_text()


def test_kept_files_that_are_gone_are_never_called_undone(patient, monkeypatch):
    patient.fix_and_be_killed(monkeypatch)
    after = patient.tiny.state()
    for folder in patient.last.glob("kept-*"):
        os.rename(folder, f"{folder}.cleaned-away")
    with pytest.raises(RestoreFailedError, match=r"cannot be undone.*differ from what they were"):
        patient.undo()
    assert patient.tiny.state() == after
    assert fix_journal.unfinished(str(patient.tiny.prefix), patient.environ), "check goes on saying"
    name = patient.last.name
    kept.forget(name, patient.environ)
    assert fix_journal.unfinished(str(patient.tiny.prefix), patient.environ) is None


def test_kept_files_of_a_finished_fix_that_are_gone_are_said_to_be_gone(patient):
    patient.fix()
    for folder in patient.last.glob("kept-*"):
        os.rename(folder, f"{folder}.cleaned-away")
    with pytest.raises(RestoreFailedError, match="cannot be undone"):
        patient.undo()


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data.replace(b'"applying"', b'"applyin\xe9"'),
        lambda data: data.replace(b'"kept"', b'"gept"'),
        lambda data: b"\n".join(data.split(b"\n")[1:]),
        lambda data: data.replace(b"\n", b"\n{}\n", 1),
    ],
    ids=["emptied", "no utf-8", "another step", "a line is missing", "a line too many"],
)
def test_a_damaged_journal_is_said_and_stops_everything(patient, monkeypatch, damage):
    patient.fix_and_be_killed(monkeypatch)
    journal = patient.last / "journal.jsonl"
    journal.write_bytes(damage(journal.read_bytes()))
    found = fix_journal.unfinished(str(patient.tiny.prefix), patient.environ)
    assert found is not None
    assert found.damage
    after = patient.tiny.state()
    with pytest.raises(FixFailedError, match=r"damaged.*nothing was changed"):
        patient.undo()
    assert patient.tiny.state() == after
    (entry,) = kept.kept(patient.environ)
    assert entry.state == "damaged"
    kept.forget(entry.id, patient.environ)
    assert kept.kept(patient.environ) == ()


def test_a_damaged_description_or_copy_is_never_put_back(patient, monkeypatch):
    patient.fix_and_be_killed(monkeypatch)
    copied = next(patient.last.rglob("kept-0/files/**/METADATA"))
    copied.write_text("Version: 6.6.6")
    os.utime(copied, ns=(0, 0))
    with pytest.raises(RestoreFailedError, match="damaged"):
        patient.undo()
    assert (patient.tiny.site / "torch/version.py").read_text() == "2.6.0", (
        "all that can be is back"
    )
    before = patient.last / "before.json"
    before.write_text(before.read_text().replace("only_old", "../../own"))
    with pytest.raises(RestoreFailedError, match="damaged"):
        patient.undo()


def test_what_another_user_could_have_written_is_not_believed(patient, monkeypatch):
    patient.fix_and_be_killed(monkeypatch)
    patient.last.chmod(0o777)
    with pytest.raises(FixFailedError, match="can be written by others"):
        patient.undo()
    patient.last.chmod(0o700)
    folder = next(patient.last.glob("kept-0"))
    folder.chmod(0o770)
    with pytest.raises(RestoreFailedError, match="can be written by others"):
        patient.undo()


def test_everything_that_is_kept_is_for_its_owner_alone(patient):
    patient.fix()
    modes = {
        p.stat().st_mode & 0o077 for p in (patient.last, *patient.last.glob("*")) if p.is_dir()
    }
    assert modes == {0}


def test_journals_are_ordered_by_number_and_not_by_any_clock(patient, monkeypatch):
    names = []
    for zone, hour in (("Pacific/Kiritimati", 14), ("Pacific/Pago_Pago", -11)):
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        patient.fix()
        names.append(patient.last.name)
        del hour
    monkeypatch.setattr(
        time, "gmtime", lambda *_a: time.struct_time((1999, 1, 1, 0, 0, 0, 0, 1, 0))
    )
    patient.fix()
    names.append(patient.last.name)
    assert [name[:5] for name in names] == ["0001-", "0002-", "0003-"]
    monkeypatch.delenv("TZ")
    time.tzset()


@pytest.mark.parametrize("code", [errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOLCK])
def test_a_file_system_without_locks_is_no_obstacle(patient, monkeypatch, code):
    import fcntl

    locked = fcntl.flock
    environment = os.stat(patient.tiny.prefix).st_ino

    def flock(descriptor, flags):
        if os.fstat(descriptor).st_ino == environment:
            raise OSError(code, os.strerror(code))
        return locked(descriptor, flags)

    monkeypatch.setattr(fcntl, "flock", flock)
    tried = []

    def second():
        with pytest.raises(FixFailedError, match="another fix"):
            patient.fix()
        tried.append(1)

    monkeypatch.setattr(transaction, "run_step", lambda *_a: second() if not tried else None)
    patient.fix()
    assert tried == [1], "the second fix was kept out all the same"


def test_where_nothing_has_flock_record_locks_keep_the_second_out(patient, monkeypatch):
    import fcntl
    import subprocess
    import sys

    def missing(*_arguments):
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    monkeypatch.setattr(fcntl, "flock", missing)
    script = (
        "import errno, fcntl, sys\n"
        "def missing(*a): raise OSError(errno.ENOSYS, 'no flock')\n"
        "fcntl.flock = missing\n"
        "from gpudoctor.fix.lock import EnvironmentLock\n"
        "with EnvironmentLock(sys.argv[1], sys.argv[2]): pass\n"
    )
    folder = fix_journal.environment_folder(str(patient.tiny.prefix), patient.environ)
    argv = [sys.executable, "-c", script, str(patient.tiny.prefix), folder]
    said = []
    monkeypatch.setattr(
        transaction,
        "run_step",
        lambda *_a: said.append(subprocess.run(argv, capture_output=True, text=True).stderr),
    )
    patient.fix()
    assert "another fix" in said[0]
    assert subprocess.run(argv, check=False).returncode == 0, "it is free again"


def test_a_state_folder_that_cannot_be_made_changes_nothing(patient, tmp_path):
    (tmp_path / "file").write_text("no folder")
    patient.environ = {"GPUDOCTOR_STATE": str(tmp_path / "file" / "state")}
    with pytest.raises(FixFailedError, match="nothing was changed"):
        patient.fix()
    assert patient.tiny.state() == patient.before


def test_forgetting_through_a_link_that_points_elsewhere_removes_all_of_it(patient, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(patient.tiny.prefix)
    work = Work(prefix=str(link), commands=((sys.executable,),))
    folder = fix_journal.environment_folder(str(link), patient.environ)
    transaction.run(work, folder, lambda: None, lambda line: None)
    link.unlink()
    link.symlink_to(tmp_path)
    (entry,) = kept.kept(patient.environ)
    kept.forget(entry.id, patient.environ)
    assert not list(Path(patient.environ["GPUDOCTOR_STATE"]).rglob("*.jsonl"))
    assert not list(Path(patient.environ["GPUDOCTOR_STATE"]).rglob("kept-*"))


def test_an_unfinished_fix_that_can_be_undone_is_not_forgotten(patient, monkeypatch):
    patient.fix_and_be_killed(monkeypatch)
    with pytest.raises(UsageError, match="undo it first"):
        kept.forget(patient.last.name, patient.environ)
    assert kept.forget("all", patient.environ) == ()


def test_a_relative_state_folder_of_xdg_is_ignored(monkeypatch):
    monkeypatch.setattr("sys.platform", "linux")
    found = fix_journal.state_folder({"XDG_STATE_HOME": "relative/state"})
    assert found == os.path.expanduser("~/.local/state/gpudoctor")


def test_names_that_are_no_text_come_back(patient):
    strange = os.fsencode(patient.tiny.site / "torch") + b"/caf\xe9 \n.py"
    with open(strange, "wb") as file:
        file.write(b"before")
    patient.meanwhile = lambda: os.unlink(strange)
    patient.fix_and_fail()
    with open(strange, "rb") as file:
        assert file.read() == b"before"


def test_state_inside_the_environment_is_not_kept_in_itself(patient):
    patient.environ = {"GPUDOCTOR_STATE": str(patient.tiny.prefix / "share" / "state")}
    patient.fix()
    patient.undo()
    inside = {p: v for p, v in patient.tiny.state().items() if "share" not in p}
    assert inside == patient.before
