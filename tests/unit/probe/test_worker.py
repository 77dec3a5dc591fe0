"""The worker as a program: its events, its channel, its manners."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gpudoctor.kb import smoke_figures as figures
from gpudoctor.probe.smoke_suite import session
from gpudoctor.probe.smoke_suite.registry import tests as registered
from gpudoctor.smoke.one_device import WORKER

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="hands over a descriptor"),
]


def run(
    python: str, *, worker: str = WORKER, close: bool = False, **plan: object
) -> tuple[list[dict[str, object]], subprocess.CompletedProcess[str]]:
    ours, theirs = os.pipe()
    whole = {
        "device": "cpu",
        "level": "quick",
        "seed": 7,
        "tolerances": figures.tolerances(),
        "capabilities": figures.formats(),
        **plan,
    }
    if close:
        os.close(ours)
    done = subprocess.run(
        [python, worker, str(theirs), json.dumps(whole)],
        pass_fds=(theirs,),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    os.close(theirs)
    if close:
        return [], done
    with os.fdopen(ours) as channel:
        return [json.loads(line) for line in channel], done


def test_events_come_in_their_order_and_the_process_ends_well(torch_python: str) -> None:
    events, done = run(torch_python, only=["copy", "relu:float32"])
    assert [event["event"] for event in events] == [
        "hello",
        "stage",
        "torch",
        "stage",
        "device",
        "tests",
        "start",
        "result",
        "start",
        "result",
        "bye",
    ]
    assert done.returncode == 0
    assert done.stdout == ""


def test_what_is_done_is_not_done_again_and_what_crashed_comes_last(torch_python: str) -> None:
    events, _ = run(torch_python, only=["copy", "relu:float32", "matmul:float32"], done=["copy"])
    [planned] = [event["tests"] for event in events if event["event"] == "tests"]
    assert planned == [["relu", "float32"], ["matmul", "float32"]]
    events, _ = run(torch_python, only=["relu:float32", "matmul:float32"], last=["relu"])
    [planned] = [event["tests"] for event in events if event["event"] == "tests"]
    assert planned == [["matmul", "float32"], ["relu", "float32"]]


def test_the_folder_of_the_worker_is_not_on_the_path_of_what_torch_imports(
    torch_python: str, tmp_path: Path
) -> None:
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").write_text(
        "import sys\nraise ImportError('path: ' + repr(sys.path))\n", encoding="utf-8"
    )
    environment = dict(os.environ)
    try:
        os.environ["PYTHONPATH"] = str(tmp_path)
        events, _ = run(torch_python)
    finally:
        os.environ.clear()
        os.environ.update(environment)
    [fatal] = [event for event in events if event["event"] == "fatal"]
    assert fatal["stage"] == "import"
    assert os.path.dirname(WORKER) not in str(fatal["error"])


def test_a_worker_whose_channel_is_gone_ends_at_once(torch_python: str) -> None:
    _, done = run(torch_python, close=True)
    assert done.returncode == 97
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the kernel's doing on Linux")
def test_a_launcher_between_us_and_the_worker_is_no_reason_to_give_up(
    torch_python: str, tmp_path: Path
) -> None:
    launcher = tmp_path / "python"
    launcher.write_text(f'#!/bin/sh\n"{torch_python}" "$@"\nexit $?\n', encoding="utf-8")
    launcher.chmod(0o755)
    events, _ = run(str(launcher), only=["copy"])
    assert events[-1]["event"] == "bye"


def test_nothing_is_written_beside_the_worker(torch_python: str, tmp_path: Path) -> None:
    folder = tmp_path / "probe"
    shutil.copytree(os.path.dirname(WORKER), folder, ignore=shutil.ignore_patterns("__pycache__"))
    events, _ = run(torch_python, worker=str(folder / "smoke_worker.py"), only=["copy"])
    assert events[-1]["event"] == "bye"
    assert list(folder.rglob("__pycache__")) == []


def test_full_holds_quick_and_every_operation_has_its_tolerance() -> None:
    session.preload()
    everything = dict.fromkeys(("cuda", "float8", "compile", "graphs", "attention"), True)
    everything |= dict.fromkeys(("float32", "float16", "bfloat16", "tfloat32", "float64"), True)
    quick = [test.key for test in registered("quick", everything)]
    full = [test.key for test in registered("full", everything)]
    assert full[: len(quick)] == quick
    assert len(set(full)) == len(full)
    assert {"matmul:tfloat32", "compile:float32", "float8-matmul", "memory"} <= set(full)


def test_what_a_device_lacks_is_not_part_of_its_plan() -> None:
    session.preload()
    cpu = {"float32": True, "bfloat16": True}
    assert all(
        test.needs == "" and test.dtype in (None, "float32", "bfloat16")
        for test in registered("full", cpu)
    )
    assert registered("pairs", cpu) == ()


FULL_ON_CPU = [
    "train",
    "convolution",
    "attention-math",
    "attention-flash",
    "attention-efficient",
    "embedding",
    "batch-norm",
    "layer-norm",
    "softmax",
    "indexing",
    "sort",
    "fft",
    "linalg",
    "sparse",
    "random",
    "autocast",
]


def test_the_tests_of_full_pass_on_the_cpu_with_errors_far_below_the_tolerance(
    torch_python: str,
) -> None:
    dtypes = ("float32", "float16", "bfloat16", "float64")
    keys = [f"{name}:{dtype}" for name in FULL_ON_CPU for dtype in dtypes]
    events, _ = run(torch_python, level="full", only=keys)
    found = {f"{e['name']}:{e['dtype']}": e for e in events if e["event"] == "result"}
    assert len(found) > 25
    for key, event in found.items():
        assert event["status"] in ("passed", "skipped"), (key, event)
        if event["status"] == "passed":
            error, tolerance = event["relative_error"], event["tolerance"]
            assert isinstance(error, float)
            assert isinstance(tolerance, float)
            assert error <= tolerance / 2, key
