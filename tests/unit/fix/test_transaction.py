from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from gpudoctor.collect.python import fix_journal
from gpudoctor.errors import FixFailedError, FixInterruptedError
from gpudoctor.fix import transaction, undo
from gpudoctor.fix.transaction import Work
from lab import environments
from lab.wheels import make_index, make_wheel

pytestmark = pytest.mark.slow

OLD, NEW = "2.6.0+cu124", "2.9.1+cu128"
posix = pytest.mark.skipif(os.name == "nt", reason="signals and folder locks of POSIX")


@pytest.fixture(scope="session")
def index(tmp_path_factory):
    root = tmp_path_factory.mktemp("index")
    for version, folder in ((OLD, "cu124"), (NEW, "cu128")):
        suffix = "cu12" if folder == "cu128" else "cu11"
        make_wheel(
            root / folder,
            "torch",
            version,
            {
                "torch/__init__.py": f"version = {version!r}\n",
                "torch/version.py": f"__version__ = {version!r}\n",
                "torch/lib/libtorch.so": os.urandom(200_000),
                f"torch/only_in_{folder}.py": "x = 1\n",
            },
            requires=[f"nvidia-cudnn-{suffix}"],
        )
        make_wheel(root / folder, f"nvidia-cudnn-{suffix}", "9.1", {"nvidia/cudnn/lib.so": folder})
    bad = make_wheel(root / "broken", "torch", "2.8.0+cu128")
    bad.write_bytes(bad.read_bytes()[:-200])
    make_index(root)
    return root


@pytest.fixture
def patient(tmp_path, index):
    """An environment with the old torch, a package beside it, and something nobody can download."""
    prefix = tmp_path / "venv"
    gone = make_wheel(tmp_path / "gone", "old-nightly", "1.0.dev1")
    return environments.make(prefix, *(index / "cu124").glob("*.whl"), gone)


def prefix_of(python):
    return python.parent.parent


def install(python, index, *requirements, tool="pip"):
    url = (index / "cu128").as_uri()
    if tool == "uv":
        start = [sys.executable, "-m", "uv", "pip", "install", "--python", str(python)]
    else:
        start = [str(python), "-m", "pip", "install"]
    return (*start, *requirements, "--index-url", url)


def remove(python, *names):
    return (str(python), "-m", "pip", "uninstall", "--yes", *names)


def work_of(python, *commands):
    return Work(prefix=str(prefix_of(python)), commands=commands, summary={"packages": "torch"})


def silent(_line):
    pass


def folder_of(python, home):
    environ = {"GPUDOCTOR_STATE": str(home)}
    return fix_journal.environment_folder(str(prefix_of(python)), environ)


def last_fix(python, home):
    return (fix_journal.fixes(folder_of(python, home)) or [None])[-1]


def run(python, home, commands, verify=lambda: None, observe=None):
    transaction.run(work_of(python, *commands), folder_of(python, home), verify, silent, observe)
    return last_fix(python, home)


def undo_last(python, home):
    return undo.undo(str(prefix_of(python)), {"GPUDOCTOR_STATE": str(home)}, silent, 30)


def version_of(python):
    code = "import torch; print(torch.version)"
    return subprocess.run(
        [str(python), "-B", "-c", code], capture_output=True, text=True, check=True
    ).stdout.strip()


@pytest.mark.parametrize("tool", ["pip", "uv"])
def test_a_fix_changes_the_environment_and_undo_puts_it_back_byte_for_byte(
    patient, index, tmp_path, tool
):
    before = environments.state(prefix_of(patient))
    commands = (
        remove(patient, "nvidia-cudnn-cu11"),
        install(patient, index, f"torch=={NEW}", tool=tool),
    )
    run(patient, tmp_path / "home", commands)
    assert version_of(patient) == NEW
    after = environments.state(prefix_of(patient))
    assert not any("only_in_cu124" in path for path in after)

    assert "put back" in undo_last(patient, tmp_path / "home").text
    assert environments.state(prefix_of(patient)) == before
    assert undo_last(patient, tmp_path / "home").text == "there is nothing to undo"
    assert version_of(patient) == OLD


def test_the_snapshot_takes_names_and_not_bytes(patient, index, tmp_path):
    installed = next(prefix_of(patient).rglob("libtorch.so")).stat()
    folder = run(patient, tmp_path / "home", (install(patient, index, f"torch=={NEW}"),))
    kept = next((Path(folder) / "kept-0" / "files").rglob("libtorch.so")).stat()
    assert kept.st_ino == installed.st_ino, "the very same file under another name"
    assert kept.st_mtime_ns == installed.st_mtime_ns
    assert not list((prefix_of(patient)).rglob("*gpudoctor*")), "nothing of ours stays inside"


@pytest.mark.parametrize(
    "requirement", ["torch==2.8.0+cu128", "torch==9.9", "no-such-distribution"]
)
def test_an_installer_that_fails_leaves_the_environment_as_it_was(
    patient, index, tmp_path, requirement
):
    before = environments.state(prefix_of(patient))
    broken = (str(patient), "-m", "pip", "install", "--no-deps", requirement)
    broken += ("--index-url", (index / "broken").as_uri())
    with pytest.raises(FixFailedError, match="the environment is as it was"):
        run(patient, tmp_path / "home", (remove(patient, "torch"), broken))
    assert environments.state(prefix_of(patient)) == before


def test_what_does_not_stand_the_examination_is_taken_back(patient, index, tmp_path):
    before = environments.state(prefix_of(patient))
    with pytest.raises(FixFailedError, match="has no code for sm_120"):
        run(
            patient,
            tmp_path / "home",
            (install(patient, index, f"torch=={NEW}"),),
            verify=lambda: "torch has no code for sm_120",
        )
    assert environments.state(prefix_of(patient)) == before


def test_an_examination_that_itself_fails_takes_the_change_back(patient, index, tmp_path):
    before = environments.state(prefix_of(patient))

    def stumbles():
        raise RuntimeError("surprise")

    with pytest.raises(FixFailedError, match="surprise"):
        run(patient, tmp_path / "home", (install(patient, index, f"torch=={NEW}"),), stumbles)
    assert environments.state(prefix_of(patient)) == before


def test_ctrl_c_puts_everything_back(patient, index, tmp_path):
    before = environments.state(prefix_of(patient))

    def interrupted():
        raise KeyboardInterrupt

    with pytest.raises(FixInterruptedError, match="as it was"):
        run(patient, tmp_path / "home", (install(patient, index, f"torch=={NEW}"),), interrupted)
    assert environments.state(prefix_of(patient)) == before


DRIVER = """
    import os, signal, sys
    from gpudoctor.fix import transaction
    from gpudoctor.fix.transaction import Work
    prefix, folder, deadly, *commands = sys.argv[1:]
    count = 0
    def observe(step):
        global count
        count += 1
        if count == int(deadly):
            os.kill(os.getpid(), signal.SIGKILL)
    commands = tuple(tuple(command.split("\\x1f")) for command in commands)
    work = Work(prefix=prefix, commands=commands)
    transaction.run(work, folder, lambda: None, lambda line: None, observe)
"""


def run_and_be_killed(python, home, deadly, *commands):
    arguments = [str(prefix_of(python)), folder_of(python, home), str(deadly)]
    return subprocess.run(
        [
            *(sys.executable, "-c", textwrap.dedent(DRIVER), *arguments),
            *("\x1f".join(command) for command in commands),
        ],
        check=False,
    ).returncode


def start_in_background(python, home, command):
    arguments = [str(prefix_of(python)), folder_of(python, home), "99", "\x1f".join(command)]
    return subprocess.Popen([sys.executable, "-c", textwrap.dedent(DRIVER), *arguments])


# begun, snapshot, kept, applying, applying, applied, verifying, committed
@posix
@pytest.mark.parametrize("deadly", range(1, 9))
def test_killed_after_any_step_it_can_be_undone(patient, index, tmp_path, deadly):
    home = tmp_path / "home"
    before = environments.state(prefix_of(patient))
    commands = (remove(patient, "torch"), install(patient, index, f"torch=={NEW}"))
    assert run_and_be_killed(patient, home, deadly, *commands) == -signal.SIGKILL
    environ = {"GPUDOCTOR_STATE": str(home)}
    left = fix_journal.unfinished(str(prefix_of(patient)), environ)
    assert (left is None) == (deadly == 8), "the next check knows of the unfinished fix"
    undo_last(patient, home)
    assert environments.state(prefix_of(patient)) == before
    assert fix_journal.unfinished(str(prefix_of(patient)), environ) is None


@posix
def test_a_restoration_that_was_killed_is_done_again(patient, index, tmp_path):
    home = tmp_path / "home"
    before = environments.state(prefix_of(patient))
    failing = (str(patient), "-c", "import sys; sys.exit(3)")
    commands = (remove(patient, "torch"), failing)
    # begun, snapshot, kept, applying, applying, restoring
    assert run_and_be_killed(patient, home, 5, *commands) == -signal.SIGKILL
    undo_last(patient, home)
    assert environments.state(prefix_of(patient)) == before


@posix
def test_undo_waits_for_an_installer_that_outlived_its_parent(patient, tmp_path):
    home = tmp_path / "home"
    before = environments.state(prefix_of(patient))
    target = prefix_of(patient) / "bin" / "late"
    slow = f"import time; time.sleep(1.5); open({str(target)!r}, 'w').write('late')"
    process = start_in_background(patient, home, (str(patient), "-c", slow))
    wait_for(lambda: step_of(patient, home) == "applying")
    time.sleep(0.3)
    process.kill()
    process.wait()
    undo_last(patient, home)
    assert environments.state(prefix_of(patient)) == before
    time.sleep(1.7)
    assert not target.exists(), "undo came after the installer's last write"


@posix
def test_the_second_of_two_fixes_stops(patient, tmp_path):
    home = tmp_path / "home"
    slow = "import time; time.sleep(3)"
    process = start_in_background(patient, home, (str(patient), "-c", slow))
    wait_for(lambda: step_of(patient, home) == "applying")
    with pytest.raises(FixFailedError, match="is at work"):
        run(patient, home, ())
    assert process.wait() == 0


def test_what_was_changed_after_the_fix_is_not_lost_by_undoing(patient, index, tmp_path):
    home = tmp_path / "home"
    run(patient, home, (install(patient, index, f"torch=={NEW}"),))
    ours = next(prefix_of(patient).rglob("torch/version.py"))
    ours.write_text("edited = True\n")
    with pytest.raises(FixFailedError, match="came or changed after the fix"):
        undo_last(patient, home)
    assert ours.read_text() == "edited = True\n"


def test_undo_leaves_alone_what_the_fix_did_not_touch(patient, index, tmp_path):
    home = tmp_path / "home"
    run(patient, home, (install(patient, index, f"torch=={NEW}"),))
    mine = prefix_of(patient) / "mine.txt"
    mine.write_text("mine")
    undo_last(patient, home)
    assert mine.read_text() == "mine"
    assert version_of(patient) == OLD


def step_of(python, home):
    fix = last_fix(python, home)
    return fix_journal.read(fix).step if fix else None


def wait_for(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)
