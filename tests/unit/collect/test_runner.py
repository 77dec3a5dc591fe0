"""Processes are bounded in time and in output, and none outlives its welcome."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time

import pytest

from gpudoctor.collect.process import outcome, runner
from gpudoctor.collect.process import posix_process as posix
from gpudoctor.collect.process.runner import Child, Stream, run, start
from gpudoctor.collect.process.windows_process import WindowsProcess

LONG = 60.0


def python(code: str) -> list[str]:
    return [sys.executable, "-I", "-S", "-c", code]


def is_alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until_dead(pid: int) -> bool:
    end = time.monotonic() + 10
    while is_alive(pid) and time.monotonic() < end:
        time.sleep(0.01)
    return not is_alive(pid)


def test_what_a_process_prints_and_how_it_ends_are_told() -> None:
    outcome = run(
        python("import sys; print('out'); sys.stderr.write('err'); sys.exit(7)"), seconds=LONG
    )
    assert (outcome.status, outcome.code) == ("exited", 7)
    assert outcome.text("stdout") == "out\n"
    assert outcome.text("stderr") == "err"
    assert not outcome.ok


def test_a_signal_is_told_by_its_name() -> None:
    outcome = run(python("import os; os.kill(os.getpid(), 11)"), seconds=LONG)
    assert (outcome.status, outcome.signal, outcome.code) == ("signalled", "SIGSEGV", None)
    assert "SIGSEGV" in outcome.reason


def test_a_process_that_hangs_is_killed_and_what_it_had_said_is_kept() -> None:
    code = "import os,time; os.write(1, b'first\\n'); time.sleep(600)"
    child = start(python(code))
    outcome = child.wait(1.0)
    assert outcome.status == "timed-out"
    assert outcome.stdout == b"first\n"
    assert "did not answer within 1 s" in outcome.reason
    assert wait_until_dead(child.pid)


def test_a_grandchild_that_holds_the_pipe_open_holds_nobody() -> None:
    code = (
        "import os,time\n"
        "if os.fork() == 0:\n"
        "    time.sleep(600)\n"
        "os.write(1, b'%d' % os.getpid())\n"
        "os._exit(0)\n"
    )
    child = start(python(code))
    started = time.monotonic()
    outcome = child.wait(LONG)
    assert outcome.ok
    assert time.monotonic() - started < LONG / 2
    os.killpg(child.pid, signal.SIGKILL)


def test_a_kill_reaches_the_grandchild_too() -> None:
    code = (
        "import os,time\npid = os.fork()\nif pid:\n    os.write(1, b'%d' % pid)\ntime.sleep(600)\n"
    )
    outcome = run(python(code), seconds=1.0)
    assert outcome.status == "timed-out"
    assert wait_until_dead(int(outcome.stdout))


def test_endless_output_is_cut_and_does_not_keep_the_process_from_ending() -> None:
    code = "import os\nfor _ in range(64): os.write(1, b'x' * 65536)\nos.write(2, b'done')"
    outcome = run(python(code), seconds=LONG, limit=1000)
    assert outcome.ok
    assert outcome.stdout == b"x" * 1000
    assert outcome.stderr == b"done"
    assert outcome.truncated


def test_a_program_that_is_not_there_is_an_outcome_and_no_exception() -> None:
    outcome = run(["no-such-program-anywhere"], seconds=1)
    assert outcome.status == "not-started"
    assert "no such program" in outcome.reason


@pytest.mark.parametrize("folder", [".", "", "tools"])
def test_a_program_of_the_current_folder_is_never_found_by_name(
    tmp_path, monkeypatch, folder: str
) -> None:
    for place in (tmp_path, tmp_path / "tools"):
        place.mkdir(exist_ok=True)
        (place / "nvidia-smi").write_text("#!/bin/sh\necho started\n")
        (place / "nvidia-smi").chmod(0o755)
    monkeypatch.chdir(tmp_path)
    outcome = run(["nvidia-smi"], seconds=LONG, env={"PATH": folder})
    assert outcome.status == "not-started"


def test_a_file_that_is_not_executable_is_told_apart(tmp_path) -> None:
    (tmp_path / "tool").write_text("#!/bin/sh\n")
    outcome = run(["tool"], seconds=1, env={"PATH": str(tmp_path)})
    assert "not executable" in outcome.reason


def test_a_process_starts_in_the_folder_that_was_asked_for(tmp_path) -> None:
    place = tmp_path / "a folder; with $(odd) 'name'"
    place.mkdir()
    outcome = run(python("import os; print(os.getcwd())"), seconds=LONG, cwd=str(place))
    assert outcome.text().strip() == str(place)


def test_the_environment_is_the_one_that_was_given_and_stdin_is_empty() -> None:
    code = "import os,sys; print(sorted(os.environ), sys.stdin.read())"
    outcome = run(python(code), seconds=LONG, env={"ONLY": "this"})
    assert "ONLY" in outcome.text()
    assert "HOME" not in outcome.text()


def test_pieces_are_handed_over_as_they_come() -> None:
    seen: list[tuple[Stream, bytes]] = []
    run(python("print('x')"), seconds=LONG, on_chunk=lambda name, data: seen.append((name, data)))
    assert seen == [("stdout", b"x\n")]


def test_all_children_can_be_killed_at_once() -> None:
    children = [start(python("import time; time.sleep(600)")) for _ in range(3)]
    outcomes = []
    threads = [
        threading.Thread(target=lambda c=child: outcomes.append(c.wait(LONG))) for child in children
    ]
    for thread in threads:
        thread.start()
    runner.kill_all()
    for thread in threads:
        thread.join(LONG)
    assert [outcome.signal for outcome in outcomes] == ["SIGKILL"] * 3


class StuckProcess:
    """A process in the driver's hands: it neither ends nor dies."""

    pid = 4711

    def __init__(self) -> None:
        self.kills = 0

    def poll(self) -> int | None:
        return None

    def read(self, seconds: float) -> list[tuple[Stream, bytes]]:
        time.sleep(min(seconds, 0.01))
        return []

    def kill(self) -> None:
        self.kills += 1

    def close(self) -> None:
        pass


def test_a_process_that_cannot_be_killed_is_abandoned_and_said_so(monkeypatch) -> None:
    monkeypatch.setattr(runner, "GRACE_SECONDS", 0.05)
    stuck = StuckProcess()
    outcome = Child(stuck, ["/usr/bin/nvidia-smi"], 100).wait(0.05)
    assert outcome.status == "abandoned"
    assert stuck.kills == 1
    assert "process 4711 is stuck in the kernel" in outcome.reason


def test_without_pidfd_the_end_is_noticed_all_the_same(monkeypatch) -> None:
    monkeypatch.setattr(posix, "_open_pidfd", lambda pid: None)
    assert run(python("print('x')"), seconds=LONG).stdout == b"x\n"


def test_pipes_keep_clear_of_the_standard_streams() -> None:
    """With stdout closed a pipe would get number 1, which the child's set-up overwrites."""
    code = (
        "import os, sys\n"
        f"sys.path[:0] = {sys.path!r}\n"
        "os.close(0); os.close(1)\n"
        "from gpudoctor.collect.process.runner import run\n"
        "o = run([sys.executable, '-I', '-S', '-c', 'print(5)'], seconds=60)\n"
        "os.write(2, o.stdout)\n"
    )
    outcome = run(python(code), seconds=LONG)
    assert outcome.stderr == b"5\n"


@pytest.mark.parametrize("code", ["print('x' * 100000)", "import sys; sys.exit(3)"])
def test_the_class_for_windows_says_the_same(code: str) -> None:
    argv = python(code)
    child = Child(WindowsProcess(argv, dict(os.environ), None), argv, 1 << 20)
    there = child.wait(LONG)
    here = run(argv, seconds=LONG)
    assert (there.status, there.code, there.stdout) == (here.status, here.code, here.stdout)


def test_the_class_for_windows_loses_nothing_when_its_threads_are_late(monkeypatch) -> None:
    """On a busy machine the process is long gone when they get their turn, stderr's first."""
    read = os.read

    def late(descriptor: int, size: int) -> bytes:
        data = read(descriptor, size)
        if data.startswith(b"x"):
            time.sleep(0.1)
        return data

    monkeypatch.setattr(os, "read", late)
    argv = python("import os; os.close(2); print('x' * 200000)")
    child = Child(WindowsProcess(argv, dict(os.environ), None), argv, 1 << 20)
    assert len(child.wait(LONG).stdout.strip()) == 200_000


def test_the_class_for_windows_is_not_held_by_a_grandchild_that_goes_on_printing() -> None:
    noisy = "import time\nfor _ in range(300): print('x', flush=True); time.sleep(0.2)"
    code = (
        "import subprocess, sys\n"
        f"print(subprocess.Popen([sys.executable, '-c', {noisy!r}]).pid, flush=True)"
    )
    argv = python(code)
    child = Child(WindowsProcess(argv, dict(os.environ), None), argv, 1 << 20)
    outcome = child.wait(LONG)
    grandchild = int(outcome.stdout.split()[0])
    try:
        assert outcome.status == "exited"
        assert is_alive(grandchild)
    finally:
        os.kill(grandchild, signal.SIGKILL)


def test_the_class_for_windows_kills_what_hangs_and_keeps_what_it_said() -> None:
    argv = python("import os,time; os.write(1, b'first'); time.sleep(600)")
    child = Child(WindowsProcess(argv, dict(os.environ), None), argv, 1 << 20)
    outcome = child.wait(1.0)
    assert outcome.status == "timed-out"
    assert outcome.stdout == b"first"
    assert wait_until_dead(child.pid)


def test_exceptions_of_windows_have_names(monkeypatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    assert outcome.signal_name(0xC0000005) == "ACCESS_VIOLATION"
    assert outcome.signal_name(0xC0000005 - (1 << 32)) == "ACCESS_VIOLATION"
    assert outcome.signal_name(0xC0000142) == "DLL_INIT_FAILED"
    assert outcome.signal_name(0xC0000143) == "exception 0xC0000143"
    assert outcome.signal_name(0xFFFFFFFF) is None  # sys.exit(-1)
    assert outcome.signal_name(3) is None
