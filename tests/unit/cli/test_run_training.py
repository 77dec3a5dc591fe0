"""`gpudoctor run` around a real training script, on the CPU build of torch."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest

from machines import cards
from machines.build import Machine, build
from machines.libraries import have_compiler

pytestmark = pytest.mark.slow

START = "from gpudoctor.cli.main import main; main()"
TRAINING = textwrap.dedent(
    """
    import sys
    import torch
    from torch import nn

    fault = sys.argv[1]
    torch.manual_seed(0)
    model = nn.Sequential(nn.Embedding(10, 16), nn.Flatten(), nn.Linear(64, 3))
    if fault == "cuda":
        model = model.cuda()
    optimiser = torch.optim.SGD(model.parameters(), lr=0.1)
    for step in range(5):
        words = torch.randint(0, 99 if fault == "word" else 10, (32, 4))
        labels = torch.randint(0, 99 if fault == "label" else 3, (32,))
        out = model(words)
        if fault == "dtype":
            out = out.double() @ torch.ones(3, 3)
        loss = nn.functional.cross_entropy(out, labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        sys.stdout.write(f"\\rstep {step}: {loss.item():.4f}")
    print()
    """
)


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("training") / "train.py"
    path.write_text(TRAINING, encoding="utf-8")
    return str(path)


def train(torch_python: str, script: str, fault: str, *options: str):
    return subprocess.run(
        [sys.executable, "-c", START, "run", *options, "--", torch_python, script, fault],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )


def test_a_run_that_succeeds_is_what_it_is_without_us(torch_python: str, script: str) -> None:
    alone = subprocess.run(
        [torch_python, script, "none"], capture_output=True, text=True, check=True
    )
    done = train(torch_python, script, "none", "--no-preflight")
    assert (done.returncode, done.stdout, done.stderr) == (0, alone.stdout, alone.stderr)
    assert done.stdout.count("step") == 5


@pytest.mark.parametrize(
    ("fault", "code", "line"),
    [
        ("word", "GPU508", "out = model(words)"),
        ("label", "GPU509", "loss = nn.functional.cross_entropy(out, labels)"),
        ("dtype", "GPU506", "out = out.double() @ torch.ones(3, 3)"),
        ("cuda", "GPU203", None),
    ],
)
def test_a_fault_is_named_with_its_line(torch_python, script, fault, code, line) -> None:
    done = train(torch_python, script, fault)
    assert done.returncode == 1
    assert f"✗ {code} " in done.stderr
    if line is not None:
        said = " ".join(done.stderr.partition(f"✗ {code} ")[2].split())
        assert f"train.py, line {1 + TRAINING.split(line)[0].count(chr(10))}: {line}" in said


@pytest.mark.parametrize("fault", ["word", "label"])
def test_an_error_on_the_cpu_is_not_called_asynchronous(torch_python, script, fault) -> None:
    done = train(torch_python, script, fault)
    assert "The process is sound" in done.stderr
    assert "asynchronous" not in done.stderr
    assert "rerun-blocking" not in done.stderr


def test_without_a_gpu_no_build_of_torch_is_prescribed(torch_python, script, tmp_path) -> None:
    for folder in ("sys", "proc", "dev", "etc"):
        (tmp_path / folder).mkdir()
    done = subprocess.run(
        [sys.executable, "-c", START, "run", "--", torch_python, script, "cuda"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "GPUDOCTOR_SYSROOT": str(tmp_path)},
    )
    assert "GPU203" in done.stderr
    assert "pip install" not in done.stderr


@pytest.mark.skipif(not have_compiler(), reason="stand-ins need a C compiler")
def test_the_cure_is_that_of_the_machine_at_hand(torch_python, script, tmp_path) -> None:
    machine = build(Machine(cards=(cards.RTX_4090,)), str(tmp_path / "machine"))
    done = subprocess.run(
        [sys.executable, "-c", START, "run", "--", torch_python, script, "cuda"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, **machine},
    )
    assert "has code for sm_89 and runs on driver 570.172.08" in " ".join(done.stderr.split())
    assert f"{torch_python} -m pip install torch==" in done.stderr
