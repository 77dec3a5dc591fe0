"""A watched child: its lines come as it writes them, and whatever it does, it ends."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from gpudoctor.collect.process.watched import ChildEndedError, WatchedChild

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the scripts are for POSIX")

WRITE = "import os, sys, time, signal\nsay = lambda text: os.write(int(sys.argv[1]), text)\n"


def child(script: str) -> WatchedChild:
    return WatchedChild.start([sys.executable, "-c", WRITE + script, "{channel}"])


def lines(running: WatchedChild) -> list[str]:
    found = []
    while True:
        try:
            line = running.read(10)
        except ChildEndedError:
            return found
        assert line is not None, found
        found.append(line)


def alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def gone(pid: int) -> bool:
    for _ in range(100):
        if not alive(pid):
            return True
        time.sleep(0.02)
    return False


def test_lines_come_whole_and_in_order() -> None:
    with child(r"say(b'one\ntw'); time.sleep(0.1); say(b'o\nthree\n')") as running:
        assert lines(running) == ["one", "two", "three"]
        assert running.wait(10)
        assert running.end().status == 0


def test_nothing_within_the_time_is_none_and_the_next_line_is_not_lost() -> None:
    with child(r"time.sleep(0.6); say(b'late\n')") as running:
        assert running.read(0.05) is None
        assert lines(running) == ["late"]


def test_what_it_prints_is_kept_apart_from_what_it_reports() -> None:
    with child(r"print('out'); print('err', file=sys.stderr); say(b'line\n')") as running:
        assert lines(running) == ["line"]
        assert running.wait(10)
        running.end()
        assert running.tail("stdout") == ("out",)
        assert running.tail("stderr") == ("err",)


def test_of_a_flood_only_the_end_is_kept() -> None:
    script = r"sys.stderr.write(('x' * 999 + '\n') * 20000); print('end', file=sys.stderr)"
    with child(script) as running:
        assert lines(running) == []
        assert running.wait(10)
        running.end()
        assert running.tail("stderr", 1) == ("end",)
        assert running.printed_bytes == 20_000_004
        assert len("\n".join(running.tail("stderr", 10**6))) <= 16 * 1024


@pytest.mark.parametrize(
    ("script", "status", "signal", "text"),
    [
        ("os._exit(3)", 3, None, "ended with exit status 3"),
        ("os.kill(os.getpid(), signal.SIGSEGV)", -11, "SIGSEGV", "was ended by SIGSEGV"),
    ],
)
def test_how_it_ended_is_told(script: str, status: int, signal: str | None, text: str) -> None:
    with child(script) as running:
        assert lines(running) == []
        assert running.wait(10)
        ending = running.end()
    assert (ending.status, ending.signal, ending.text) == (status, signal, text)
    assert not ending.ended_by_us


def test_a_child_that_hangs_is_asked_to_end_first() -> None:
    script = (
        "signal.signal(signal.SIGTERM, lambda *a: (say(b'asked\\n'), os._exit(7)))\n"
        "say(b'ready\\n'); time.sleep(60)"
    )
    with child(script) as running:
        assert running.read(10) == "ready"
        ending = running.end(terminate_seconds=10)
        assert running.read(1) == "asked"
    assert ending.status == 7
    assert ending.ended_by_us


def test_a_child_that_will_not_hear_is_killed() -> None:
    script = "signal.signal(signal.SIGTERM, signal.SIG_IGN); say(b'ready\\n'); time.sleep(60)"
    with child(script) as running:
        assert running.read(10) == "ready"
        ending = running.end(terminate_seconds=0.2)
    assert ending.signal == "SIGKILL"
    assert gone(running.pid)


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="looks into /proc")
def test_what_it_started_ends_with_it_even_if_it_ended_by_itself() -> None:
    script = (
        "import subprocess\n"
        "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "say(b'%d\\n' % p.pid)"
    )
    with child(script) as running:
        line = running.read(10)
        assert line is not None
        assert running.wait(10)
        assert alive(int(line))
    assert gone(int(line))


def test_a_child_that_closes_the_channel_is_over_for_the_reader() -> None:
    with child("os.close(int(sys.argv[1])); time.sleep(60)") as running:
        with pytest.raises(ChildEndedError):
            running.read(10)
        assert not running.wait(0)
    assert gone(running.pid)


def test_an_exception_in_the_reader_leaves_no_child() -> None:
    running = child("say(b'x\\n'); time.sleep(60)")

    def interrupted() -> None:
        with running:
            running.read(10)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert gone(running.pid)


def test_a_program_that_is_not_there_is_an_oserror_and_leaves_no_descriptor() -> None:
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    with pytest.raises(OSError, match="nowhere"):
        WatchedChild.start(["/nowhere/python", "{channel}"])
    after = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    assert after <= before, "threads of other tests may close theirs meanwhile"


def test_descriptors_are_given_back() -> None:
    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("looks into /proc")

    def once() -> None:
        with child("say(b'x\\n')") as running:
            lines(running)
        running.tail("stdout")
        running.tail("stderr")

    once()
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        once()
    assert len(os.listdir("/proc/self/fd")) <= before


def test_the_channel_is_not_handed_on_to_other_children() -> None:
    with child("say(b'x\\n'); time.sleep(0.5)") as running:
        seen = subprocess.run(
            [sys.executable, "-c", "import os; print(sorted(os.listdir('/proc/self/fd')))"],
            capture_output=True,
            text=True,
            check=True,
        )
        assert lines(running) == ["x"]
    assert len(eval(seen.stdout)) <= 4
