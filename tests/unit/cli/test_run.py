"""`gpudoctor run`: the command untouched, its end understood."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

START = "from gpudoctor.cli.main import main; main()"

posix = pytest.mark.skipif(os.name != "posix", reason="signals and terminals of POSIX")


def gpudoctor(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-c", START, "run", *arguments],
        capture_output=True,
        timeout=60,
        check=False,
        **options,
    )


def python(code, *options):
    return gpudoctor("--no-preflight", *options, "--", sys.executable, "-c", code)


def raising(message, before=""):
    return f"{before}\nraise RuntimeError({message!r})"


def test_output_and_exit_code_pass_through():
    done = python("import sys; sys.stdout.write('out'); sys.stderr.write('err\\r50%'); sys.exit(7)")
    assert done.returncode == 7
    assert done.stdout == b"out"
    assert done.stderr == b"err\r50%"


def test_bytes_that_are_no_text_pass_through():
    done = python("import os; os.write(1, bytes(range(256))); os.write(2, bytes(range(256)))")
    assert done.stdout == bytes(range(256))
    assert done.stderr == bytes(range(256))


def test_standard_input_reaches_the_command():
    done = gpudoctor(
        "--no-preflight", "--", sys.executable, "-c", "print(input())", input=b"hello\n"
    )
    assert done.stdout.strip() == b"hello"


def test_the_commands_own_options_are_the_commands():
    done = gpudoctor(
        "--no-preflight",
        "--",
        sys.executable,
        "-c",
        "import sys; print(sys.argv[1:])",
        "--color",
        "-q",
    )
    assert b"['--color', '-q']" in done.stdout


def test_success_says_nothing():
    done = python("print('RuntimeError: No CUDA GPUs are available')")
    assert done.returncode == 0
    assert done.stderr == b""


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("No CUDA GPUs are available", "GPU011"),
        ("CUDA error: an illegal memory access was encountered", "GPU510"),
        ("Found no NVIDIA driver on your system.", "GPU101"),
        ("expected scalar type Half but found Float", "GPU506"),
        ("Cannot re-initialize CUDA in forked subprocess.", "GPU515"),
        ("cutlassF: no kernel found to launch!", "GPU415"),
        ("operator torchvision::nms does not exist", "GPU304"),
        ("Weights only load failed.", "GPU522"),
    ],
)
def test_a_death_by_a_gpu_fault_is_explained_on_stderr(message, code):
    done = python(raising(message, "print('before')"))
    assert done.returncode == 1
    assert done.stdout.strip() == b"before"
    assert message.encode() in done.stderr
    assert code.encode() in done.stderr


def test_a_death_of_another_kind_is_left_alone():
    done = python("raise ValueError('no such file')")
    assert done.returncode == 1
    assert done.stderr.rstrip().endswith(b"ValueError: no such file")


@posix
@pytest.mark.parametrize("name", ["SIGSEGV", "SIGKILL", "SIGTERM", "SIGABRT"])
def test_death_by_a_signal_counts_as_in_a_shell(name):
    number = getattr(signal, name)
    done = python(f"import os; os.kill(os.getpid(), {int(number)})")
    assert done.returncode == 128 + number
    assert name.encode() in done.stderr


def test_a_command_that_does_not_exist_is_127():
    done = gpudoctor("--no-preflight", "--", "no-such-command-anywhere")
    assert done.returncode == 127
    assert b"command not found" in done.stderr


@posix
def test_a_file_that_cannot_be_executed_is_126(tmp_path):
    path = tmp_path / "script"
    path.write_text("no program")
    done = gpudoctor("--no-preflight", "--", str(path))
    assert done.returncode == 126


def test_without_a_command_it_is_wrong_usage():
    done = gpudoctor()
    assert done.returncode == 2
    assert b"needs a command" in done.stderr


@posix
def test_signals_are_passed_on_and_may_be_ignored():
    code = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "signal.signal(signal.SIGUSR1, lambda *_: sys.exit(5))\n"
        "print('ready', flush=True)\n"
        "time.sleep(30)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", START, "run", "--no-preflight", "--", sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == b"ready"
        process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        assert process.poll() is None, "the command ignores SIGTERM, and so does the wait for it"
        process.send_signal(signal.SIGUSR1)
        assert process.wait(20) == 5
    finally:
        process.kill()
        process.communicate()


@posix
def test_a_daemon_that_the_command_leaves_behind_is_not_waited_for():
    code = (
        "import subprocess, sys\n"
        "nap = [sys.executable, '-c', 'import time; time.sleep(20)']\n"
        "subprocess.Popen(nap, stdout=subprocess.DEVNULL)\n"
    )
    started = time.monotonic()
    done = python(code)
    assert done.returncode == 0
    assert time.monotonic() - started < 15


@posix
def test_the_command_has_the_terminal_that_we_have():
    import pty

    code = "import os, sys; sys.exit(10 * os.isatty(2) + os.isatty(0) + os.isatty(1))"
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", START, "run", "--no-preflight", "--", sys.executable, "-c", code],
        stdin=follower,
        stdout=follower,
        stderr=follower,
    )
    os.close(follower)
    assert process.wait(30) == 12
    os.close(leader)


def test_an_asynchronous_error_offers_a_run_that_names_the_line():
    message = "CUDA error: device-side assert triggered"
    done = python(raising(message))
    assert b"--rerun-blocking" in done.stderr


def test_rerun_blocking_runs_once_more_with_synchronous_launches(tmp_path):
    script = tmp_path / "train.py"
    script.write_text(
        "import os\n"
        "def late():\n"
        "    raise RuntimeError('CUDA error: device-side assert triggered')\n"
        "def guilty():\n"
        "    if os.environ.get('CUDA_LAUNCH_BLOCKING') == '1':\n"
        "        raise RuntimeError('CUDA error: device-side assert triggered')\n"
        "guilty()\n"
        "late()\n"
    )
    done = gpudoctor("--no-preflight", "--rerun-blocking", "--", sys.executable, str(script))
    assert done.returncode == 1
    assert done.stderr.count(b"Traceback") == 2
    assert b"train.py, line 6" in b" ".join(done.stderr.split())
    assert b"the run with CUDA_LAUNCH_BLOCKING=1" in b" ".join(done.stderr.split())


CPU_OR_DIE = (
    "import os, sys\n"
    "if os.environ.get('CUDA_VISIBLE_DEVICES') != '':\n"
    "    raise RuntimeError('Found no NVIDIA driver on your system.')\n"
    "print('trained', os.environ['GPUDOCTOR_CPU_FALLBACK'])\n"
)


def test_cpu_fallback_runs_again_with_the_gpus_hidden_and_says_so():
    done = python(CPU_OR_DIE, "--cpu-fallback")
    assert done.returncode == 0
    assert done.stdout.strip() == b"trained 1"
    assert b"RUNNING ON THE CPU" in done.stderr


def test_nothing_is_retried_behind_anyones_back():
    done = python(CPU_OR_DIE)
    assert done.returncode == 1
    assert done.stdout == b""
    assert b"RUNNING ON THE CPU" not in done.stderr


def test_a_fault_of_the_program_is_not_tried_on_the_cpu():
    done = python(raising("expected scalar type Half but found Float"), "--cpu-fallback")
    assert done.returncode == 1
    assert done.stderr.count(b"Traceback") == 1


def test_the_preflight_speaks_and_does_not_stop_the_command(tmp_path):
    empty = tmp_path / "sysroot"
    empty.mkdir()
    environment = {**os.environ, "GPUDOCTOR_SYSROOT": str(empty)}
    done = gpudoctor("--", sys.executable, "-c", "print('ran')", env=environment)
    assert done.returncode == 0
    assert done.stdout.strip() == b"ran"
