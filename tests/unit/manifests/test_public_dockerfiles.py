"""Dockerfiles of public projects, as far as they say anything of torch, each judged by hand.

What each does is a fact of that project when it was read on 2026-11-21; what has nothing to do with
torch is left out. `0` it runs, `1` it does not, `3` the file leaves it open.
"""

from __future__ import annotations

import pytest

from gpudoctor.examine.preflight import preflight
from gpudoctor.manifests.source_files import SourceFile
from gpudoctor.prescribe import Options, PlanRequest
from gpudoctor.prescribe.plan import sheet_of

WHL = "https://download.pytorch.org/whl"
TRIO = "torch torchvision torchaudio"
APT = "RUN apt-get update && apt-get install -y python3 python3-pip\n"
UV = "COPY --from=ghcr.io/astral-sh/uv:latest /uv /uvx /bin/\n"
PROJECT = (
    '[project]\nname = "app"\nversion = "0"\nrequires-python = ">=3.10"\n'
    'dependencies = ["torch==2.9.1"]\n[dependency-groups]\nprod = ["gunicorn"]\n[tool.uv]\n'
)

KHLAM = (
    "FROM nvidia/cuda:11.6.0-base-ubuntu20.04 as base\n"
    "RUN apt-get update && apt-get install -y python3-pip && \\\n"
    f"    pip3 install torch==1.10.1+cu113 -f {WHL}/cu113/torch_stable.html\n"
)
ALUFIA = (
    "FROM nvidia/cuda:12.1.1-cudnn8-runtime-ubuntu22.04\n"
    "RUN apt-get update && apt-get install -y python3.10 python3.10-venv python3-pip \\\n"
    "    && rm -rf /var/lib/apt/lists/*\n"
    "RUN update-alternatives --install /usr/bin/python python /usr/bin/python3.10 1\n"
    f"RUN python -m pip install --upgrade pip\nRUN pip install {TRIO} --index-url {WHL}/cu121\n"
)
TESSERA = (
    "FROM nvidia/cuda:12.1.1-devel-ubuntu22.04\nRUN ln -s /usr/bin/python3.10 /usr/bin/python\n"
    f"RUN pip install {TRIO} --index-url {WHL}/cu121\n"
    "RUN pip install packaging ninja transformers ray[default] numpy\n"
)
FOCAL = (
    "FROM nvidia/cuda:12.4.1-cudnn-devel-ubuntu20.04\nCOPY . /app\nWORKDIR /app\n"
    f"RUN pip3 install torch==2.6.0 --index-url {WHL}/cu124\n"
)
JAMMY = f"FROM nvidia/cuda:12.2.0-devel-ubuntu22.04\n{APT}RUN pip3 install torch torchvision\n"
LAZAREV = (
    f"FROM nvidia/cuda:12.4.1-devel-ubuntu22.04\n{APT}RUN pip3 install torch --no-cache-dir\n"
    "RUN pip3 install packaging ninja\n"
)
YU = (
    "FROM nvidia/cuda:12.4.1-cudnn-devel-ubuntu20.04\nRUN set -xe \\\n    && apt-get update \\\n"
    "    && apt-get install python3-pip -y\nRUN pip install --upgrade pip\n"
    "RUN pip install torch==2.2.1 torchvision==0.17.1 torchaudio==2.2.1\n"
)
BARTOLOME = (
    "FROM nvidia/cuda:12.3.0-base-ubuntu22.04 AS build\n"
    'RUN ln -s /usr/bin/python3 /usr/bin/python\nARG TORCH="2.2.0"\n'
    "RUN python -m pip install --no-cache-dir --upgrade pip && \\\n"
    "    python -m pip install --no-cache-dir torch==${TORCH}\n"
)
DEADSNAKES = (
    "FROM nvidia/cuda:11.7.1-cudnn8-devel-ubuntu20.04\n"
    "RUN  --mount=type=cache,target=/root/.cache/pip pip install torch\n"
    "WORKDIR /mnt/lib\nCOPY . .\nRUN pip install .\n"
)
FORCED = (
    f"FROM nvidia/cuda:12.4.1-runtime-ubuntu22.04\n{APT}WORKDIR /app\nCOPY requirements.txt .\n"
    "RUN pip3 install --no-cache-dir --upgrade pip && \\\n"
    "    pip3 install --no-cache-dir -r requirements.txt && \\\n"
    f"    pip3 install --no-cache-dir --force-reinstall --index-url {WHL}/cu124 torch\n"
)
ANIMEGAN = (
    "FROM pytorch/pytorch:1.10.0-cuda11.3-cudnn8-runtime\nWORKDIR /training\n"
    "COPY requirements.txt  /training\nRUN pip install --no-cache-dir -r requirements.txt\n"
)
MTEB = ANIMEGAN.replace("1.10.0-cuda11.3-cudnn8-runtime", "2.1.0-cuda12.1-cudnn8-devel")
TRAINING = ANIMEGAN.replace("1.10.0-cuda11.3", "2.2.2-cuda11.8")
ARGUMENT = (
    "ARG FROM_IMAGE_NAME=pytorch/pytorch:1.3-cuda10.1-cudnn7-runtime\nFROM ${FROM_IMAGE_NAME}\n"
    "ADD requirements.txt .\nRUN pip install -r requirements.txt\n"
)
WHILE = (
    "FROM pytorch/pytorch:1.3-cuda10.1-cudnn7-runtime\nCOPY requirements.txt .\n"
    "RUN while read requirement; do pip install $requirement; done < requirements.txt\n"
)
JL = (
    f"FROM nvidia/cuda:12.9.1-devel-ubuntu22.04 AS build\n{UV}WORKDIR /build\nRUN uv venv\n"
    'RUN uv pip install torch "pip<25.3" wheel\n'
)
FASTAPI = (
    f"FROM pytorch/pytorch:2.7.1-cuda12.6-cudnn9-devel AS builder\n{UV}WORKDIR /opt\n"
    "COPY uv.lock uv.lock\nCOPY pyproject.toml pyproject.toml\n"
    "RUN uv sync --locked --no-install-project --no-editable --group prod\n"
    "FROM pytorch/pytorch:2.7.1-cuda12.6-cudnn9-runtime\nWORKDIR /opt\n"
    "COPY --from=builder /opt/.venv /opt/.venv\n"
    'CMD ["/opt/.venv/bin/uvicorn", "app:app", "--host", "0.0.0.0"]\n'
)
SCARLET = (
    f"FROM nvidia/cuda:12.8.1-devel-ubuntu24.04\n{UV}WORKDIR /app\nCOPY . .\n"
    "ENV UV_LINK_MODE=copy\nRUN --mount=type=cache,target=/root/.cache/uv \\\n    uv sync\n"
)
FIRE = (
    f"FROM nvidia/cuda:12.6.2-cudnn-runtime-ubuntu22.04\n{UV}WORKDIR /app\n"
    "RUN --mount=type=cache,target=/root/.cache/uv \\\n"
    "    --mount=type=bind,source=uv.lock,target=uv.lock \\\n"
    "    --mount=type=bind,source=pyproject.toml,target=pyproject.toml \\\n"
    "    uv sync --frozen --no-install-project\nADD . /app\n"
)
VENV = (
    f"FROM nvidia/cuda:13.1.0-runtime-ubuntu24.04 AS builder\n{UV}WORKDIR /app\n"
    "COPY pyproject.toml uv.lock ./\nRUN uv sync --frozen --no-install-project --no-dev\n"
    "FROM nvidia/cuda:13.1.0-runtime-ubuntu24.04 AS runtime\nWORKDIR /app\n"
    'COPY --from=builder /app/.venv /app/.venv\nENV PATH="/app/.venv/bin:$PATH"\n'
)
SWAPPED = (
    f"FROM nvidia/cuda:12.8.1-devel-ubuntu22.04 AS builder\nWORKDIR /app\n{UV}"
    "COPY pyproject.toml /app/\nRUN  uv venv && uv pip install setuptools torch\n"
    "RUN  uv sync --no-build-isolation --frozen --no-cache --no-install-project\n"
    "FROM python:3.13-slim-bookworm\nWORKDIR /app\nCOPY --from=builder /app /app\n"
)
CHOSEN = (
    "FROM nvidia/cuda:11.8.0-base-ubuntu22.04\nWORKDIR /app\n"
    "RUN --mount=from=ghcr.io/astral-sh/uv,source=/uv,target=/bin/uv \\\n"
    "    --mount=type=bind,source=pyproject.toml,target=pyproject.toml \\\n"
    "    uv sync --python 3.10.15 --frozen --no-install-project --dev\n"
)
ACTIVATED = (
    "FROM nvidia/cuda:11.8.0-cudnn8-devel-ubuntu20.04\n"
    "RUN wget --quiet https://repo.anaconda.com/miniconda/x.sh -O ~/miniconda.sh && \\\n"
    "    /bin/bash ~/miniconda.sh -b -p /opt/conda\n"
    'RUN /bin/bash -c "source activate my_env && \\\n'
    f'    pip3 install torch torchvision --index-url {WHL}/cu118"\n'
)
SOPH = (
    "FROM local0state/base:basic-conda\n"
    "RUN /opt/conda/bin/conda install -qy pytorch cudatoolkit=11.1 -c pytorch -c conda-forge\n"
)

CASES = [
    ("khlam/docker-pytorch", KHLAM, "RTX 3090", "550.54.15", 3),
    ("alufia/test", ALUFIA, "RTX 4090", "550.54.15", 0),
    ("alufia/test", ALUFIA, "RTX 5060 Ti", "580.95.05", 1),
    ("beachcities/Tessera", TESSERA, "RTX 4090", "550.54.15", 0),
    ("Ubuntu 20.04 has Python 3.8", FOCAL, "A100", "550.54.15", 1),
    ("PyPI's newest", JAMMY, "RTX 4090", "580.95.05", 0),
    ("PyPI's newest", JAMMY, "RTX 4090", "550.54.15", 1),
    ("PyPI's newest", LAZAREV, "GTX 1080", "580.95.05", 1),
    ("three pins", YU, "A100", "550.54.15", 0),
    ("three pins", YU, "RTX 5090", "580.95.05", 1),
    ("an ARG", BARTOLOME, "A100", "535.183.01", 0),
    ("an ARG", BARTOLOME, "RTX 5090", "580.95.05", 1),
    ("a project that is not here", DEADSNAKES, "RTX 3090", "580.95.05", 3),
    ("forced at the end", FORCED, "RTX 4090", "550.54.15", 0),
    ("forced at the end", FORCED, "RTX 5090", "580.95.05", 1),
    ("rapidrabbit76/AnimeGAN", ANIMEGAN, "RTX 3090", "550.54.15", 3),
    ("embeddings-benchmark/mteb", MTEB, "RTX 3090", "550.54.15", 3),
    ("a training image", TRAINING, "RTX 3090", "550.54.15", 3),
    ("an image by an ARG", ARGUMENT, "RTX 3090", "550.54.15", 3),
    ("a loop", WHILE, "RTX 3090", "550.54.15", 3),
    ("dwahdany/fast-jl-binary", JL, "RTX 4090", "580.95.05", 0),
    ("dwahdany/fast-jl-binary", JL, "RTX 4090", "550.54.15", 1),
    ("yifan/fastapi-uv", FASTAPI, "RTX 5090", "580.95.05", 0),
    ("kitsuyaazuma/SCARLET", SCARLET, "RTX 5090", "580.95.05", 0),
    ("zeithrold/dut-fire-detect", FIRE, "GTX 1080", "580.95.05", 1),
    ("the environment alone", VENV, "H100", "580.95.05", 0),
    ("another Python at the end", SWAPPED, "H100", "580.95.05", 3),
    ("a Python that uv brings", CHOSEN, "H100", "580.95.05", 0),
    ("hwi0lee/2023-1_DL_TeamProject_t5", ACTIVATED, "RTX 3090", "550.54.15", 0),
    ("hwi0lee/2023-1_DL_TeamProject_t5", ACTIVATED, "RTX 5090", "580.95.05", 1),
    ("ain-soph/base", SOPH, "RTX 3090", "550.54.15", 3),
]


@pytest.mark.parametrize(("project", "text", "gpu", "driver", "code"), CASES)
def test_the_verdict_on(project: str, text: str, gpu: str, driver: str, code: int) -> None:
    request = PlanRequest(gpus=(gpu,), driver=driver, os="linux", arch="x86_64", python="3.10")
    files = {} if "pip install ." in text else {"pyproject.toml": PROJECT}
    report = preflight(sheet_of(request), [SourceFile("Dockerfile", text, files)], Options())
    said = [*report.notes, *(finding.title for finding in report.findings)]
    assert report.exit_code == code, said
