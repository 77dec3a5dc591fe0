"""Dockerfiles as people write them: which torch is in the image of the last stage."""

from __future__ import annotations

import pytest

from gpudoctor.examine.preflight import preflight
from gpudoctor.manifests.source_files import SourceFile
from gpudoctor.prescribe import Options, PlanRequest
from gpudoctor.prescribe.plan import sheet_of
from unit.manifests.installs import CPU, CU126, CU128, NEWEST, outcome, torch

CU124 = "https://download.pytorch.org/whl/cu124"
PROJECT = (
    '[project]\nname = "demo"\nversion = "0"\ndependencies = ["torch==2.9.1"]\n'
    f'[[tool.uv.index]]\nname = "gpu"\nurl = "{CU126}"\nexplicit = true\n'
    '[tool.uv.sources]\ntorch = { index = "gpu" }\n'
)
BESIDE = {
    "requirements.txt": f"--extra-index-url {CU128}\ntorch==2.9.1\n",
    "docker/gpu.txt": f"-i {CU126}\ntorch==2.8.0\n",
    "pyproject.toml": PROJECT,
    "environment.yml": "channels: [pytorch, nvidia]\ndependencies:\n- python=3.11\n"
    "- pytorch=2.4.1\n- pytorch-cuda=12.4\n",
}
IMAGES = {
    "the base image's CUDA does not choose the wheel": (
        "FROM nvidia/cuda:12.6.3-cudnn-runtime-ubuntu22.04\nRUN pip install torch==2.9.1\n",
        "2.9.1 cu128",
    ),
    "an index on the line": (
        f"FROM python:3.12-slim\nRUN pip install --no-cache-dir torch --index-url {CU126}\n",
        "2.14.1 cu126",
    ),
    "the newest of PyPI": ("FROM python:3.12\nRUN pip install torch\n", NEWEST),
    "an old Python": ("FROM python:3.9-slim\nRUN pip install torch\n", "2.8.0 cu128"),
    "an image of PyTorch's": (
        "FROM pytorch/pytorch:2.8.0-cuda12.9-cudnn9-runtime\nCOPY . /app\n",
        "2.8.0 cu129",
    ),
    "a pin that the image satisfies": (
        "FROM pytorch/pytorch:2.8.0-cuda12.9-cudnn9-runtime\nRUN pip install torch==2.8.0\n",
        "2.8.0 cu129",
    ),
    "a bound that the image satisfies": (
        'FROM pytorch/pytorch:2.8.0-cuda12.9-cudnn9-runtime\nRUN pip install "torch>=2.5"\n',
        "2.8.0 cu129",
    ),
    "another pin replaces it": (
        "FROM pytorch/pytorch:2.8.0-cuda12.9-cudnn9-runtime\nRUN pip install torch==2.9.1\n",
        "2.9.1 cu128",
    ),
    "an upgrade replaces it": (
        "FROM pytorch/pytorch:2.8.0-cuda12.9-cudnn9-runtime\nRUN pip install -U torch\n",
        NEWEST,
    ),
    "a companion that pulls another torch": (
        "FROM pytorch/pytorch:2.8.0-cuda12.9-cudnn9-runtime\nRUN pip install torchvision==0.24.1\n",
        "2.9.1 cu128",
    ),
    "a companion that fits": (
        "FROM pytorch/pytorch:2.8.0-cuda12.9-cudnn9-runtime\nRUN pip install torchaudio==2.8.0\n",
        "2.8.0 cu129",
    ),
    "ENV decides": (
        f"FROM python:3.12\nENV PIP_INDEX_URL={CPU}\nRUN pip install torch==2.9.1\n",
        "2.9.1 cpu",
    ),
    "an extra index in ENV": (
        f"FROM python:3.12\nENV PIP_EXTRA_INDEX_URL={CU126}\nRUN pip install torch==2.9.1\n",
        "2.9.1 cu126",
    ),
    "uv's backend in ENV": (
        "FROM python:3.12\nENV UV_TORCH_BACKEND=cu126\nRUN uv pip install --system torch==2.9.1\n",
        "2.9.1 cu126",
    ),
    "auto is the CPU where nobody has a driver": (
        "FROM python:3.12\nRUN uv pip install --system --torch-backend=auto torch==2.9.1\n",
        "2.9.1 cpu",
    ),
    "ARG with a default": (
        ("ARG CUDA=cu126\nFROM python:3.12\nARG CUDA\nARG TORCH=2.9.1\n"
        "RUN pip install torch==${TORCH} --index-url https://download.pytorch.org/whl/$CUDA\n"),
        "2.9.1 cu126",
    ),
    "a default inside the expansion": (
        "FROM python:3.12\nRUN pip install torch==${TORCH:-2.9.1}\n",
        "2.9.1 cu128",
    ),
    "ARG without a value": (
        "FROM python:3.12\nARG TORCH\nRUN pip install torch==${TORCH}\n",
        "open",
    ),
    "a requirements file that is copied": (
        ("FROM python:3.12\nWORKDIR /app\nCOPY requirements.txt .\n"
        "RUN pip install -r requirements.txt\n"),
        "2.9.1 cu128",
    ),
    "a file under another name": (
        "FROM python:3.12\nCOPY docker/gpu.txt /tmp/r.txt\nRUN pip install -r /tmp/r.txt\n",
        "2.8.0 cu126",
    ),
    "a file that is not here": (
        "FROM python:3.12\nCOPY gone.txt /tmp/gone.txt\nRUN pip install -r /tmp/gone.txt\n",
        "open",
    ),
    "stages inherit": (
        "FROM python:3.12 AS base\nRUN pip install torch==2.9.1\nFROM base AS final\nCMD python\n",
        "2.9.1 cu128",
    ),
    "an environment copied from a stage": (
        ("FROM python:3.12 AS build\nRUN python -m venv /opt/venv && /opt/venv/bin/pip install "
        "torch==2.9.1\nFROM python:3.12-slim\nCOPY --from=build /opt/venv /opt/venv\n"),
        "2.9.1 cu128",
    ),
    "comments inside a continued line": (
        ("FROM python:3.12\nRUN pip install \\\n    # the one that works\n    torch==2.9.1 \\\n\n"
        f"    --extra-index-url {CU126}\n"),
        "2.9.1 cu126",
    ),
    "a heredoc": (
        f"FROM python:3.12\nRUN <<EOF\nset -e\npip install torch==2.9.1 -i {CU126}\nEOF\n",
        "2.9.1 cu126",
    ),
    "the JSON form": (
        'FROM python:3.12\nRUN ["pip", "install", "torch==2.9.1"]\n',
        "2.9.1 cu128",
    ),
    "uv sync": (
        ("FROM ghcr.io/astral-sh/uv:python3.12-bookworm-slim\nCOPY . /app\nWORKDIR /app\n"
        "RUN --mount=type=cache,target=/root/.cache uv sync --no-dev\n"),
        "2.9.1 cu126",
    ),
    "pip install of the project knows no uv sources": (
        "FROM python:3.12\nCOPY . /app\nWORKDIR /app\nRUN pip install .\n",
        "2.9.1 cu128",
    ),
    "conda's environment": (
        ("FROM continuumio/miniconda3\nCOPY environment.yml .\n"
        "RUN conda env create -f environment.yml && conda clean -a\n"),
        "2.4.1 cu124",
    ),
    "conda's channel on the line": (
        ("FROM continuumio/miniconda3\nRUN conda install -y pytorch==2.4.0 pytorch-cuda=12.1 "
        "-c pytorch -c nvidia\n"),
        "2.4.0 cu121",
    ),
    "conda-forge on a builder without GPU": (
        "FROM condaforge/miniforge3\nRUN mamba install -y pytorch=2.9.1\n",
        "2.9.1 cpu",
    ),
    "conda-forge's CUDA build on a builder without GPU": (
        "FROM condaforge/miniforge3\nRUN mamba install -y pytorch-gpu\n",
        "fails",
    ),
    "conda-forge on a builder that claims a driver": (
        ("FROM condaforge/miniforge3\n"
        "RUN CONDA_OVERRIDE_CUDA=12.9 mamba install -y pytorch=2.9.1=cuda129*\n"),
        "2.9.1 cu129",
    ),
    "conda-forge with any CUDA on a builder that claims a driver": (
        "FROM condaforge/miniforge3\nENV CONDA_OVERRIDE_CUDA=12.9\nRUN mamba install pytorch\n",
        "open",
    ),
    "NVIDIA's own torch": ("FROM nvcr.io/nvidia/pytorch:25.10-py3\nRUN true\n", "open"),
    "an image that nobody knows": ("FROM corp.example/ml:3\nRUN pip install torch\n", "open"),
    "a label over an image that nobody knows": (
        f"FROM corp.example/ml:3\nRUN pip install torch==2.9.1+cu126 --extra-index-url {CU126}\n",
        "2.9.1 cu126",
    ),
    "shell that branches": (
        "FROM python:3.12\nRUN if [ -n \"$GPU\" ]; then pip install torch; fi\n",
        "open",
    ),
    "a script": ("FROM python:3.12\nCOPY install.sh .\nRUN bash install.sh\n", "open"),
    "musl": ("FROM python:3.12-alpine\nRUN pip install torch\n", "fails"),
    "the later line wins": (
        f"FROM python:3.12\nRUN pip install torch==2.8.0 && pip install torch==2.9.1 -i {CU126}\n",
        "2.9.1 cu126",
    ),
    "an unquoted bound is a redirection": (
        "FROM python:3.10\nRUN pip install torch>=2.5\n",
        "2.14.1 cu130",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", IMAGES)
def test_the_torch_of(name):
    text, answer = IMAGES[name]
    assert torch(text, "Dockerfile", beside=BESIDE).startswith(answer)


def test_what_cannot_be_followed_is_named_with_its_line():
    found = outcome("FROM python:3.12\nRUN true\nRUN for v in 1 2; do pip install torch; done\n",
                    "Dockerfile")  # fmt: skip
    assert found.status == "open"
    assert "line 3" in found.why


COMPOSE = """
services:
  db:
    image: postgres:17
  train:
    build: {{context: ., args: {{TORCH: "2.9.1"}}}}
{gpu}
"""
BUILT = {"Dockerfile": "FROM python:3.12\nARG TORCH=2.8.0\nRUN pip install torch==$TORCH\n"}


def test_compose_builds_its_service_with_its_arguments():
    found = outcome(COMPOSE.format(gpu="    gpus: all"), "compose.yaml", beside=BUILT)
    assert (found.choices[0].version, found.without_gpu) == ("2.9.1", None)


def test_a_service_without_a_gpu_is_told():
    found = outcome(COMPOSE.format(gpu="    shm_size: 8g"), "compose.yaml", beside=BUILT)
    assert found.without_gpu.line == 5


def names(report):
    return [finding.name for finding in report.findings]


@pytest.mark.parametrize(
    ("gpu", "driver", "image", "said"),
    [
        ("RTX 4090", "535.183.01", "12.8.1-runtime-ubuntu22.04", True),
        ("RTX 4090", "570.172.08", "12.8.1-runtime-ubuntu22.04", False),
        # NVIDIA's images let older branches pass on the cards of data centres.
        ("A100", "535.183.01", "12.8.1-runtime-ubuntu22.04", False),
        ("RTX 4090", "535.183.01", "12.2.2-runtime-ubuntu22.04", False),
    ],
)
def test_an_image_may_ask_for_a_newer_driver(gpu, driver, image, said):
    text = f"FROM nvidia/cuda:{image}\nRUN pip install torch==2.5.1 -i {CU124}\n"
    request = PlanRequest(gpus=(gpu,), driver=driver, os="linux", arch="x86_64", python="3.10")
    report = preflight(sheet_of(request), [SourceFile("Dockerfile", text, {})], Options())
    assert ("image-needs-newer-driver" in names(report)) is said
    assert report.exit_code == int(said)


def test_a_service_without_a_gpu_is_a_warning_with_its_line():
    text = COMPOSE.format(gpu="    shm_size: 8g")
    request = PlanRequest(gpus=("RTX 4090",), driver="580.95.05", os="linux", python="3.12")
    report = preflight(
        sheet_of(request), [SourceFile("compose.yaml", text, dict(BUILT))], Options()
    )
    assert names(report) == ["service-without-gpu"]
    assert report.findings[0].files[0].line == 5
