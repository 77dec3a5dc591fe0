"""What a wheel installs over a person's own files, beside an environment made by `venv .`."""

from __future__ import annotations

import base64
import errno
import hashlib
import os

import pytest

from gpudoctor.errors import FixFailedError
from gpudoctor.fix.environment import around as project
from gpudoctor.fix.keeping import snapshot
from lab import tiny
from lab.patient import Patient

pytestmark = pytest.mark.skipif(os.name == "nt", reason="links and owners of POSIX")

MINE = {
    "README.md": "mine",
    ".git/config": "mine",
    "runs/epoch-1.pt": "mine",
    "src/deep/er/model.py": "mine",
    "bin/deploy.sh": "mine",
}
OVERWRITTEN = ("README.md", ".git/config", "src/deep/er/model.py")


class Project(Patient):
    """A project, and an installer of a wheel that writes into it."""

    def __init__(self, tmp_path, monkeypatch) -> None:
        super().__init__(self._shape, tmp_path, monkeypatch)
        self.wheel = dict.fromkeys((*OVERWRITTEN, "new/notes.txt"), "the wheel's")
        self.records = True
        self.afterwards = lambda: None
        self.meanwhile = self._install_data

    @staticmethod
    def _shape(folder, other):
        made = tiny.plain(folder, other)
        for name, text in MINE.items():
            path = made.prefix / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return made

    def _install_data(self) -> None:
        rows = ""
        for name, text in self.wheel.items():
            path = self.tiny.prefix / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            path.write_text(text)
            digest = hashlib.sha256(text.encode()).digest()
            said = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
            rows += f"../../../{name},sha256={said},{len(text)}\n"
        if self.records:
            record = self.tiny.site / "torch-2.9.1.dist-info" / "RECORD"
            record.write_text(record.read_text() + rows)
        self.afterwards()

    def text(self, name: str) -> str:
        return (self.tiny.prefix / name).read_text()

    def write(self, name: str, text: str) -> None:
        """As editors save: the new file takes the place of the old one."""
        path = self.tiny.prefix / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.write_text(text)

    def aside(self) -> dict[str, str]:
        found = {}
        for folder in self.folder.parent.rglob("set-aside"):
            for path in folder.rglob("*"):
                if path.is_file():
                    found[path.relative_to(folder).as_posix()] = path.read_text()
        return found


@pytest.fixture
def patient(tmp_path, monkeypatch):
    return Project(tmp_path, monkeypatch)


def test_a_failing_fix_puts_a_persons_files_back_and_says_so(patient):
    said = patient.fix_and_fail()
    assert patient.tiny.state() == patient.before
    assert "as it was, and so are 4 paths beside it that the installer had changed" in said
    assert patient.aside() == {}


def test_a_finished_fix_says_what_it_changed_and_undoing_brings_it_back(patient):
    said = " ".join(patient.fix())
    assert f"{patient.tiny.prefix}/.git/config and 3 more" in said
    assert "--undo" in said
    assert patient.text("README.md") == "the wheel's"
    patient.undo()
    assert patient.tiny.state() == patient.before


def test_undoing_a_fix_that_was_killed_brings_a_persons_files_back(patient, monkeypatch):
    patient.fix_and_be_killed(monkeypatch)
    patient.write("runs/epoch-2.pt", "hours of work")
    said = patient.undo()
    assert {name: patient.text(name) for name in MINE} == MINE
    assert patient.text("runs/epoch-2.pt") == "hours of work"
    assert "that the installer had changed" in said
    assert not (patient.tiny.prefix / "new").exists()


def test_a_wheel_that_records_nothing_costs_no_file(patient, monkeypatch):
    patient.records = False
    patient.fix_and_be_killed(monkeypatch)
    said = patient.undo()
    assert "nobody knows by whom" in said
    assert patient.text("README.md") == "the wheel's"
    assert patient.aside() == dict.fromkeys(OVERWRITTEN, "mine")


@pytest.mark.parametrize("finished", [False, True])
def test_what_the_person_wrote_over_the_wheels_file_is_moved_aside(patient, finished):
    patient.afterwards = lambda: patient.write("README.md", "edited meanwhile")
    if finished:
        patient.fix()
        patient.undo()
    else:
        patient.fix_and_fail()
    assert patient.text("README.md") == "mine"
    assert patient.aside() == {"README.md": "edited meanwhile"}


def test_what_the_person_did_elsewhere_is_not_touched(patient):
    def work():
        patient.write("runs/epoch-2.pt", "new work")
        patient.write("bin/mine.sh", "a new script")
        (patient.tiny.prefix / "runs" / "epoch-1.pt").unlink()

    patient.afterwards = work
    patient.fix()
    patient.write("src/other.py", "written since")
    patient.undo()
    assert patient.text("runs/epoch-2.pt") == "new work"
    assert patient.text("src/other.py") == "written since"
    assert not (patient.tiny.prefix / "runs" / "epoch-1.pt").exists()
    assert patient.aside() == {}


@pytest.mark.parametrize("name", ["bin/deploy.sh", "bin/new.sh"])
def test_a_persons_script_beside_the_environments_is_not_lost(patient, name):
    patient.afterwards = lambda: patient.write(name, "written meanwhile")
    patient.fix_and_fail()
    assert patient.aside() == {name: "written meanwhile"}
    assert patient.text("bin/deploy.sh") == "mine"


def test_an_edit_after_the_fix_stops_undoing_until_it_is_asked_for(patient):
    patient.fix()
    patient.write("README.md", "edited since")
    with pytest.raises(FixFailedError, match=r"README\.md among them.*--set-aside"):
        patient.undo()
    patient.undo(set_aside=True)
    assert patient.text("README.md") == "mine"
    assert patient.aside() == {"README.md": "edited since"}


def test_files_come_back_after_their_package_was_uninstalled(patient):
    patient.fix()
    (patient.tiny.site / "torch-2.9.1.dist-info" / "RECORD").write_text("")
    for name in patient.wheel:
        (patient.tiny.prefix / name).unlink()
    patient.undo(set_aside=True)
    assert {name: patient.text(name) for name in MINE} == MINE


def test_files_behind_a_link_of_the_project_come_back(patient, tmp_path):
    far = tmp_path / "far"
    far.mkdir()
    (far / "x.csv").write_text("mine")
    (patient.tiny.prefix / "data").symlink_to(far)
    patient.wheel["data/x.csv"] = "the wheel's"
    assert "and so are 5 paths" in patient.fix_and_fail()
    assert (far / "x.csv").read_text() == "mine"
    patient.fix()
    assert (far / "x.csv").read_text() == "the wheel's"
    patient.undo()
    assert (far / "x.csv").read_text() == "mine"


def test_where_too_much_lies_the_nearest_is_kept_and_the_rest_is_said(patient, monkeypatch):
    monkeypatch.setattr(project.scan, "__defaults__", (8,))
    said = patient.fix_and_fail()
    assert patient.text("README.md") == patient.text(".git/config") == "mine"
    assert "1 path outside it that the installer wrote and of which nothing was kept" in said
    assert "deep/er/model.py" in said


def test_without_hard_links_small_files_are_copied(patient, monkeypatch):
    def no_link(*_arguments, **_options):
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(snapshot, "link_between", no_link)
    assert "and so are 4 paths" in patient.fix_and_fail()
    assert patient.tiny.state() == patient.before
    monkeypatch.setattr(snapshot, "_PROJECT_FILE_BYTES", 3)
    assert "nothing was kept" in patient.fix_and_fail()


def test_a_file_that_may_not_be_read_stops_no_fix(patient, monkeypatch):
    """Of root, perhaps, from a container: it can have no second name, and not be copied."""
    linked, copied = snapshot._linked, snapshot.copy

    def no_link(source, path, target):
        return path != "README.md" and linked(source, path, target)

    def refused(source, path, *rest, **options):
        if path == "README.md":
            raise PermissionError(errno.EACCES, "Permission denied")
        return copied(source, path, *rest, **options)

    monkeypatch.setattr(snapshot, "_linked", no_link)
    monkeypatch.setattr(snapshot, "copy", refused)
    monkeypatch.setattr(snapshot, "_readable", lambda *_: False)
    said = " ".join(patient.fix())
    assert "README.md, which lies outside the environment and of which nothing is kept" in said


def test_a_finished_fix_holds_no_space_of_what_the_person_removes(patient):
    patient.fix()
    kept = {path.name for path in patient.last.rglob("kept-0/files/**/*") if path.is_file()}
    assert {"README.md", "config", "model.py"} <= kept
    assert "epoch-1.pt" not in kept


def test_another_spelling_of_a_name_is_the_same_file_where_the_disk_says_so(patient, monkeypatch):
    """As on macOS and Windows: here the two spellings are two names of one file."""
    where = patient.tiny.prefix
    patient.wheel = {"README.md": "the wheel's"}

    def install():
        patient._install_data()
        record = patient.tiny.site / "torch-2.9.1.dist-info" / "RECORD"
        record.write_text(record.read_text().replace("/README.md,", "/readme.MD,"))
        os.link(where / "README.md", where / "readme.MD")

    patient.meanwhile = install
    patient.fix_and_be_killed(monkeypatch)
    (where / "readme.MD").unlink()
    os.link(where / "README.md", where / "readme.MD")
    patient.undo()
    assert patient.text("README.md") == "mine"


def test_an_environment_in_the_project_is_not_the_projects(patient):
    """A fix of its own may be at work there."""
    inner = patient.tiny.prefix / ".venv"
    (inner / "lib").mkdir(parents=True)
    (inner / "pyvenv.cfg").write_text("home = /usr/bin\n")
    (inner / "lib" / "torch.py").write_text("mine")
    patient.afterwards = lambda: patient.write(".venv/lib/torch.py", "another fix's")
    said = patient.fix_and_fail()
    assert patient.text(".venv/lib/torch.py") == "another fix's"
    assert "nobody knows by whom" not in said
    assert patient.aside() == {}
