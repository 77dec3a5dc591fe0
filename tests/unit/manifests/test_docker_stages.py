"""What an image holds in the end: what was copied into it, what ran, what was left out."""

from __future__ import annotations

import pytest

from unit.manifests.installs import CPU, CU128, NEWEST, NEWEST_CPU, outcome, torch

BUILDER = "FROM python:3.12 AS builder\nRUN python -m venv /venv && /venv/bin/pip install torch\n"
PROJECT = (
    '[project]\nname = "demo"\nversion = "0"\nrequires-python = ">=3.12"\ndependencies = []\n'
    '[project.optional-dependencies]\ngpu = ["torch==2.9.1"]\n'
    '[dependency-groups]\ndev = ["torch==2.8.0"]\n[tool.uv]\npackage = false\n'
    'conflicts = [[{ extra = "gpu" }, { group = "dev" }]]\n'
)
UV = "FROM ghcr.io/astral-sh/uv:python3.12-bookworm\nWORKDIR /app\nCOPY . .\nRUN uv sync"
FILES = {
    "pyproject.toml": PROJECT,
    "pip.conf": f"[global]\nindex-url = {CPU}\n",
}
HELD = {
    "the environment is copied": (
        BUILDER + "FROM python:3.12-slim\nCOPY --from=builder /venv /venv\n",
        NEWEST,
    ),
    "its packages are copied": (
        (
            "FROM python:3.12 AS builder\nRUN pip install torch==2.9.1\nFROM python:3.12-slim\n"
            "COPY --from=builder /usr/local/lib/python3.12/site-packages /packages\n"
        ),
        "2.9.1 cu128",
    ),
    "PyTorch's image lends its packages": (
        (
            "FROM python:3.12-slim\n"
            "COPY --from=pytorch/pytorch:2.9.1-cuda12.8-cudnn9-runtime /opt/conda /opt/conda\n"
        ),
        "2.9.1 cu128",
    ),
    "the second way where the first one fails": (
        f"FROM python:3.12\nRUN pip install torch==2.9.9 || pip install torch -i {CPU}\n",
        NEWEST_CPU,
    ),
    "the first way where it does not fail": (
        f"FROM python:3.12\nRUN pip install torch==2.9.1 || pip install torch -i {CPU}\n",
        "2.9.1 cu128",
    ),
    "an index that pip config names": (
        f"FROM python:3.12\nRUN pip config set global.index-url {CPU}\nRUN pip install torch\n",
        NEWEST_CPU,
    ),
    "a pip.conf that is copied": (
        "FROM python:3.12\nCOPY pip.conf /etc/pip.conf\nRUN pip install torch==2.9.1\n",
        "2.9.1 cpu",
    ),
    "an image for another processor": (
        "FROM --platform=linux/arm64 python:3.12\nRUN pip install torch==2.9.1\n",
        "2.9.1 cpu",
    ),
    "the group dev comes unasked": (UV + "\n", "2.8.0 cu128"),
    "an extra without the group": (UV + " --no-dev --extra gpu\n", "2.9.1 cu128"),
    "another package asks for a newer torch than the image's": (
        "FROM pytorch/pytorch:2.2.0-cuda12.1-cudnn8-runtime\nRUN pip install bitsandbytes\n",
        NEWEST,
    ),
}
OPEN = {
    "another folder is copied": BUILDER + "FROM python:3.12-slim\nCOPY --from=builder /app /app\n",
    "its programs alone are copied": (
        "FROM python:3.12 AS builder\nRUN pip install torch==2.9.1\nFROM python:3.12-slim\n"
        "COPY --from=builder /usr/local/bin /usr/local/bin\n"
    ),
    "an environment of another Python": (
        BUILDER + "FROM python:3.10-slim\nCOPY --from=builder /venv /venv\n"
    ),
    "a branch in a heredoc": (
        'FROM python:3.12\nRUN <<EOF\nif [ "$X" = 1 ]; then\n  pip install torch\nfi\nEOF\n'
    ),
    "a heredoc for another program": (
        'FROM python:3.12\nRUN python3 <<EOF\nimport os\nos.system("pip install torch")\nEOF\n'
    ),
    "settings that are written by a command": (
        "FROM python:3.12\nRUN cat settings > /etc/pip.conf\nRUN pip install torch\n"
    ),
    "settings that a heredoc writes": (
        "FROM python:3.12\nRUN cat <<EOF > /etc/pip.conf\n[global]\nEOF\nRUN pip install torch\n"
    ),
    "settings that are not here": (
        "FROM python:3.12\nCOPY conf/pip.conf /etc/pip.conf\nRUN pip install torch\n"
    ),
    "neither extra nor group": UV + " --no-dev\n",
    "a part of the project": UV + " --only-group dev\n",
}


@pytest.mark.parametrize("name", HELD)
def test_an_image_holds(name: str) -> None:
    text, said = HELD[name]
    assert torch(text, "Dockerfile", beside=FILES) == said


@pytest.mark.parametrize("name", OPEN)
def test_an_image_is_left_open(name: str) -> None:
    found = outcome(OPEN[name], "Dockerfile", beside=FILES)
    assert found.status in ("open", "nothing"), found


def test_a_group_names_the_stage_that_is_built() -> None:
    text = (
        "FROM python:3.12 AS cpu\n"
        f"RUN pip install torch -i {CPU}\nFROM python:3.12 AS gpu\n"
        f"RUN pip install torch -i {CU128}\n"
    )
    assert torch(text, "Dockerfile") == "2.11.0 cu128"
    assert torch(text, "Dockerfile", groups=("cpu",)) == NEWEST_CPU


BASE = "FROM pytorch/pytorch:2.5.1-cuda12.4-cudnn9-runtime\n"
COPIED = "FROM python:3.11 AS b\nRUN python -m venv /v && /v/bin/pip install torch==2.9.1\n" + BASE


def test_an_environment_of_its_own_does_not_see_the_torch_of_the_image() -> None:
    own = BASE + "RUN python -m venv /venv && /venv/bin/pip install 'torch>=2.5'\n"
    assert torch(own, "Dockerfile") == NEWEST
    assert torch(BASE + "RUN pip install 'torch>=2.5'\n", "Dockerfile") == "2.5.1 cu124"


def test_of_two_environments_the_one_that_is_started_counts() -> None:
    copied = COPIED + "COPY --from=b /v /v\n"
    assert outcome(copied, "Dockerfile").status == "open"
    assert torch(copied + 'CMD ["/v/bin/python", "x.py"]\n', "Dockerfile") == "2.9.1 cu128"
    assert torch(copied + "ENV PATH=/v/bin:$PATH\n", "Dockerfile") == "2.9.1 cu128"
