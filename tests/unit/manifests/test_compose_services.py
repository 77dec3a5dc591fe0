"""What `docker compose up` makes of its files: merged, extended, filled in, by profile."""

from __future__ import annotations

import pytest

from unit.manifests.installs import CPU, outcome, torch

FILES = {
    "Dockerfile": "FROM python:3.12\nRUN pip install torch==2.9.1\n",
    "cpu/Dockerfile": f"FROM python:3.12\nRUN pip install torch==2.9.1 -i {CPU}\n",
    "common.yaml": "services:\n  base:\n    build: ./cpu\n    gpus: all\n",
    ".env": "TAG=2.5.1-cuda12.4-cudnn9-runtime\nexport OTHER='x'\n",
}
GPU, SLIM = "2.9.1 cu128", "2.9.1 cpu"
HEAD = "services:\n  a:\n    gpus: all\n"
CASES = {
    "an anchor": ("x-gpu: &gpu\n  gpus: all\nservices:\n  a:\n    build: .\n    <<: *gpu\n", GPU),
    "a service of another file": (
        "services:\n  a:\n    extends:\n      file: common.yaml\n      service: base\n",
        SLIM,
    ),
    "a service without a profile": (
        HEAD + "    build: .\n  b:\n    build: ./cpu\n    profiles: [cpu]\n",
        GPU,
    ),
    "a value of .env": (HEAD + "    image: pytorch/pytorch:${TAG}\n", "2.5.1 cu124"),
    "a value with a default": (
        HEAD + "    image: ${IMAGE:-pytorch/pytorch:2.9.1-cuda12.8-cudnn9-runtime}\n",
        GPU,
    ),
    "a Dockerfile inside": (
        HEAD + "    build:\n      dockerfile_inline: |\n        FROM python:3.12\n"
        f"        RUN pip install torch==2.9.1 -i {CPU}\n",
        SLIM,
    ),
    "an included file": ("include: [common.yaml]\n", SLIM),
    "another processor": (HEAD + "    build: .\n    platform: linux/arm64\n", SLIM),
}


def read(text: str, **more: str):
    return torch(text, "compose.yaml", beside={**FILES, **more})


@pytest.mark.parametrize("name", CASES)
def test_the_torch_of_a_service(name: str) -> None:
    text, said = CASES[name]
    assert read(text) == said


def test_the_override_beside_counts_too() -> None:
    override = {"compose.override.yaml": "services:\n  a:\n    build: ./cpu\n"}
    assert read(HEAD + "    build: .\n", **override) == SLIM
    assert torch(HEAD + "    build: .\n", "other.compose.yml", beside={**FILES, **override}) == GPU


@pytest.mark.parametrize(
    "more",
    [
        'environment:\n      CUDA_VISIBLE_DEVICES: ""\n',
        "environment:\n      - NVIDIA_VISIBLE_DEVICES=none\n",
        "command: sh -c 'pip install torch==2.8.0 && python x.py'\n",
    ],
)
def test_what_a_service_undoes_is_not_well(more: str) -> None:
    text = HEAD + "    build: .\n    " + more
    assert outcome(text, "compose.yaml", beside=FILES).status == "open"


def test_services_that_extend_each_other_end() -> None:
    text = "services:\n  a:\n    extends: b\n    build: .\n  b:\n    extends: a\n"
    assert read(text).startswith(("2.9.1", "open"))


def test_the_line_of_a_dockerfile_inside_is_the_line_of_the_file() -> None:
    text = CASES["a Dockerfile inside"][0]
    choice = outcome(text, "compose.yaml", beside=FILES).choice("torch")
    assert choice is not None
    assert "pip install" in text.splitlines()[(choice.at.line or 0) - 1]
