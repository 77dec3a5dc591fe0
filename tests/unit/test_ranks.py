"""The ranks of a job, compared before it starts."""

from __future__ import annotations

import os
import socket
import subprocess

import packaging
import pytest

from gpudoctor import ranks
from gpudoctor.model.facts import Driver, Facts, Gpu, Python, Torch
from gpudoctor.model.sheet import FactSheet

TORCH_PYTHON = os.environ.get("GPUDOCTOR_TEST_TORCH_PYTHON")
LAUNCHED = {"RANK": "1", "WORLD_SIZE": "2", "MASTER_ADDR": "n01", "MASTER_PORT": "29500"}


def machine(driver="580.65.06", torch="2.9.1+cu128"):
    return ranks.summary(
        FactSheet(
            Facts(
                driver=Driver(version=driver),
                gpus=(Gpu(name="NVIDIA H100"), Gpu(name="NVIDIA H100", visible=False)),
                torch=Torch(version=torch, cuda="12.8"),
                python=Python(version="3.12.7"),
            )
        )
    )


def test_a_launcher_says_where_a_rank_stands():
    assert ranks.place(LAUNCHED) == ranks.Place(1, 2, "n01", 29500, served=False)
    assert ranks.place({**LAUNCHED, "TORCHELASTIC_USE_AGENT_STORE": "True"}).served
    for strange in ({}, {**LAUNCHED, "WORLD_SIZE": "1"}, {**LAUNCHED, "RANK": "one"}):
        assert ranks.place(strange) is None


def test_ranks_that_are_alike_are_silent_and_others_are_one_sentence():
    assert ranks.unlike([machine(), machine(), machine()]) is None
    said = ranks.unlike([machine(), machine(), machine(driver="570.172.08")])
    assert said == (
        "The ranks of this job are not the same: rank 2 has driver 570.172.08, "
        "and rank 0 has driver 580.65.06."
    )
    assert "rank 1 and 1 more" in ranks.unlike([machine(), machine("1"), machine("1")])
    assert machine()["GPUs"] == "1 × NVIDIA H100", "what is masked is not used"


@pytest.mark.skipif(TORCH_PYTHON is None, reason="GPUDOCTOR_TEST_TORCH_PYTHON names no torch")
@pytest.mark.parametrize("drivers", [("580", "580"), ("580", "570")])
def test_two_processes_compare_themselves_through_a_store(drivers):
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    code = (
        "import os, sys; from gpudoctor import ranks; at = ranks.place(os.environ)\n"
        "print(ranks.difference({'driver': sys.argv[1]}, at, 60))"
    )
    children = [
        subprocess.Popen(
            [TORCH_PYTHON, "-c", code, drivers[rank]],
            env={
                **os.environ,
                "PYTHONPATH": os.path.dirname(os.path.dirname(ranks.__file__)),
                "RANK": str(rank),
                "WORLD_SIZE": "2",
                "MASTER_ADDR": "127.0.0.1",
                "MASTER_PORT": str(port),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    said = [child.communicate(timeout=120)[0].strip() for child in children]
    assert said[0] == said[1]
    assert ("rank 1 has driver 570" in said[0]) == (drivers[0] != drivers[1])


TRAINING = """
import os, sys
sys.modules["numpy"] = None  # whoever imports it fails
folder = os.path.dirname(os.path.abspath(__file__))
os.environ["GPUDOCTOR_SYSROOT"] = os.path.join(folder, sys.argv[1 + int(os.environ["RANK"])])
import gpudoctor
torch = sys.argv[3] if os.environ["RANK"] == "1" else None
gpudoctor.require(gpus=0, torch=torch, same_on_all_ranks=True)
print("training")
"""


def torchrun(folder, *arguments):
    """Two ranks of one job under the launcher; what they wrote."""
    script = folder / "train.py"
    script.write_text(TRAINING, encoding="utf-8")
    (folder / "packaging").symlink_to(os.path.dirname(packaging.__file__))  # what gpudoctor needs
    for driver in ("570", "580"):
        place = folder / driver / "proc" / "driver" / "nvidia"
        place.mkdir(parents=True)
        (place / "version").write_text(
            f"NVRM version: NVIDIA UNIX x86_64 Kernel Module  {driver}.65.06  Sun Jan 5 2025\n"
        )
    done = subprocess.run(
        [TORCH_PYTHON, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--standalone",
         script, *arguments],
        env={**os.environ, "PYTHONPATH": os.path.dirname(os.path.dirname(ranks.__file__))},
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


needs_torch = pytest.mark.skipif(
    TORCH_PYTHON is None, reason="GPUDOCTOR_TEST_TORCH_PYTHON names no torch"
)


@needs_torch
def test_ranks_that_are_alike_train_under_torchrun_without_numpy(tmp_path):
    code, said = torchrun(tmp_path, "580", "580", ">=1")
    assert (code, said.count("training\n")) == (0, 2), said


@needs_torch
def test_both_ranks_hear_that_they_differ_under_torchrun(tmp_path):
    code, said = torchrun(tmp_path, "580", "570", ">=1")
    assert code
    assert "training" not in said
    assert "rank 1 has driver 570.65.06, and rank 0 has driver 580.65.06" in said


@needs_torch
def test_a_rank_that_cannot_train_tells_the_other(tmp_path):
    code, said = torchrun(tmp_path, "580", "580", ">=99")
    assert code
    assert "training\n" not in said
    assert "requires torch >=99" in said
