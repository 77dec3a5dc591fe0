"""Files of public projects, as far as they say anything of torch, each judged by hand.

The pins are facts of those projects at the commit that was read on 2026-11-21; what has nothing to
do with torch is left out. `0` it runs, `1` it does not, `3` the file leaves it open.
"""

from __future__ import annotations

import pytest

from gpudoctor.examine.preflight import preflight
from gpudoctor.manifests.source_files import SourceFile
from gpudoctor.prescribe import Options, PlanRequest
from gpudoctor.prescribe.plan import sheet_of

WHL = "https://download.pytorch.org/whl"
TRIO = ("torch", "torchvision", "torchaudio")


def uv_project(
    requirements, variant, *, marker="", names=("torch", "torchvision"), python=">=3.10"
):
    lines = ", ".join(f'"{line}"' for line in requirements)
    where = f', marker = "{marker}"' if marker else ""
    sources = "\n".join(f'{name} = {{ index = "gpu"{where} }}' for name in names)
    return (
        f'[project]\nname = "x"\nversion = "0"\nrequires-python = "{python}"\n'
        f"dependencies = [{lines}]\n[tool.uv.sources]\n{sources}\n"
        f'[[tool.uv.index]]\nname = "gpu"\nurl = "{WHL}/{variant}"\nexplicit = true\n'
    )


WHISPERX = """
[project]
name = "whisperx"
version = "3.8.4"
requires-python = ">=3.10, <3.14"
dependencies = [
    "pyannote-audio>=4.0.0",
    "torch~=2.8.0",
    "torchaudio~=2.8.0",
    "torchvision~=0.23.0",
    "triton>=3.3.0; sys_platform == 'linux' and platform_machine == 'x86_64'",
]
[tool.uv.sources]
torch = [
  { index = "pytorch-cpu", marker = "sys_platform == 'darwin'" },
  { index = "pytorch-cpu", marker = "platform_machine != 'x86_64' and sys_platform != 'darwin'" },
  { index = "pytorch", marker = "platform_machine == 'x86_64' and sys_platform != 'darwin'" },
]
[[tool.uv.index]]
name = "pytorch"
url = "https://download.pytorch.org/whl/cu128"
explicit = true
[[tool.uv.index]]
name = "pytorch-cpu"
url = "https://download.pytorch.org/whl/cpu"
explicit = true
"""
TWO_EXTRAS = """
[project]
name = "x"
version = "0"
requires-python = ">=3.10"
[project.optional-dependencies]
cpu = ["torch>=2.2"]
gpu = ["torch>=2.2"]
[tool.uv]
conflicts = [[{ extra = "cpu" }, { extra = "gpu" }]]
[tool.uv.sources]
torch = [{ index = "pytorch-cpu", extra = "cpu" }, { index = "pytorch-cu121", extra = "gpu" }]
[[tool.uv.index]]
name = "pytorch-cpu"
url = "https://download.pytorch.org/whl/cpu"
explicit = true
[[tool.uv.index]]
name = "pytorch-cu121"
url = "https://download.pytorch.org/whl/cu121"
explicit = true
"""
WEBUI = "torch\npytorch_lightning==1.9.4\ntorch\ntorchsde==0.2.5\nxformers==0.0.20\n"
FOOOCUS = (
    "torch==2.1.2\ntorchvision==0.16.2\ntorchaudio==2.1.2\ntorchtext==0.16.2\n"
    "xformers==0.0.23.post1\ntriton==2.1.0\n"
)
SGM = (
    "torch>=2.0.1\ntorchaudio>=2.0.2\ntorchvision>=0.15.2\ntriton==2.0.0\nxformers>=0.0.20\n"
    "clip @ git+https://github.com/openai/CLIP.git\n"
)
VLLM = (
    "-r common.txt\ntorch==2.13.0\ntorchaudio==2.11.0\ntorchvision==0.28.0\n"
    "--extra-index-url https://flashinfer.ai/whl/\nflashinfer-python==0.6.18.post1\n"
)
LLAVA = (
    '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
    '[project]\nname = "llava"\nversion = "1"\nrequires-python = ">=3.8"\n'
    'dependencies = ["torch", "torchvision", "bitsandbytes==0.40.1.post1"]\n'
)
OMNIFILE = (
    "channels: [pytorch, nvidia, conda-forge, defaults]\ndependencies:\n- python=3.10\n"
    "- pytorch=2.0.1\n- torchvision=0.15.2\n- torchaudio=2.0.2\n- pytorch-cuda=11.8\n"
)
EYEBENCH = (
    "channels: [pytorch, huggingface, nvidia, conda-forge, defaults]\ndependencies:\n"
    "- python=3.12.10\n- pytorch=2.5.1\n- pytorch-cuda=12.4\n"
)
LDM = (
    "channels: [pytorch, defaults]\ndependencies:\n- python>=3.9\n- cudatoolkit=11.3\n"
    "- pytorch=1.11.0\n- torchvision=0.12.0\n"
)
CORRDIFF = (
    "channels: [conda-forge, pytorch]\ndependencies:\n- pytorch\n- pytorch-cuda=12.4\n"
    "- torchvision\n- pip:\n  - nvidia-modulus==0.9.0\n"
)
ORCAS = (
    "dependencies:\n- python=3.10\n- pytorch\n- pytorch-cuda=12.1\n- pip:\n"
    "  - -r pip-requirements.txt\n"
)
GERM = "torch==2.3.0+cu118\ntorchaudio==2.3.0+cu118\n"
LIBERO = f"--extra-index-url {WHL}/cu113\ntorch==1.11.0+cu113\ntorchvision==0.12.0+cu113\n"
STYLETTS = (
    "FROM pytorch/pytorch:2.1.2-cuda11.8-cudnn8-runtime\n"
    "RUN git clone https://github.com/effusiveperiscope/StyleTTS2 /StyleTTS2\n"
    "WORKDIR /StyleTTS2\nRUN pip install -r requirements.txt\n"
)
FLASH = (
    "FROM pytorch/pytorch:2.9.0-cuda12.8-cudnn9-devel\nCOPY pkgs/ /workspace/pkgs/\n"
    "RUN pip install /workspace/pkgs/flash_attn-2.8.3+cu12torch2.9cxx11abiTRUE-cp312-cp312-"
    "linux_x86_64.whl\n"
)
BITS = (
    "FROM pytorch/pytorch:2.2.0-cuda12.1-cudnn8-runtime\nWORKDIR /app\nCOPY . /app/\n"
    "RUN pip install --no-cache-dir accelerate bitsandbytes\n"
)
WEBUI_DOCKER = (
    "FROM nvidia/cuda:12.1.1-devel-ubuntu22.04 as builder\nCOPY requirements.txt /build/\n"
    'RUN pip3 wheel -w wheels -r requirements.txt `echo "$EXTENSIONS"`\n'
    "FROM nvidia/cuda:12.1.1-runtime-ubuntu22.04\nCOPY --from=builder /build/wheels /wheels\n"
    "RUN pip3 install --no-index ./*.whl\n"
)
LABEL = (
    "FROM nvidia/cuda:12.1.1-cudnn8-runtime-ubuntu22.04\n"
    "RUN apt-get update && apt-get install -y python3.12 python3.12-dev python3-pip\n"
    "RUN ln -sf /usr/bin/python3.12 /usr/bin/python && python -m pip install --upgrade pip\n"
    "COPY requirements.txt .\nRUN pip install --no-cache-dir torch==2.2.2+cu121 "
    f"torchaudio==2.2.2+cu121 --extra-index-url {WHL}/cu121\n"
)
CHATBOT = (
    "FROM nvidia/cuda:12.4.0-runtime-ubuntu22.04\n"
    "RUN pip install vllm>=0.4.0 fastapi uvicorn httpx peft transformers loguru\n"
)
COMFY = (
    "FROM nvidia/cuda:12.4.0-devel-ubuntu22.04\n"
    "RUN git clone https://github.com/comfyanonymous/ComfyUI.git /comfyui && cd /comfyui && "
    "pip install -r requirements.txt\n"
)
LAB = (
    "FROM python:3.11\nRUN pip3 install --no-cache-dir torch torchvision torchaudio "
    f"--extra-index-url {WHL}/cpu\nRUN pip install torchtext lightning tensorboard\n"
)
QWEN = (
    "FROM pytorch/pytorch:2.11.0-cuda13.0-cudnn9-runtime@sha256:bfbb4a2b4fdba0fefdb428ea737e\n"
    "RUN pip install diffusers\n"
)
HIST = uv_project(["torch", "torchvision"], "cu128",
                  marker="sys_platform == 'linux' or sys_platform == 'win32'")  # fmt: skip
WAN = uv_project(["torch", "torchvision", "peft"], "cu118")
LORA = uv_project(["torch", "torchvision", "torchaudio"], "cu126",
                  names=TRIO)  # fmt: skip
FASTAPI = uv_project(["torch", "torchvision", "torchaudio"], "cu124",
                     names=TRIO, python=">=3.12,<3.13")  # fmt: skip
DEMUCS = uv_project(["torch==2.5.1", "torchaudio==2.5.1"], "cu124",
                    names=("torch", "torchaudio"), python=">=3.10,<3.11")  # fmt: skip

CUDA_AND_MAC = (
    '[project]\nname = "project"\nversion = "0.1.0"\nrequires-python = ">=3.12.0"\n'
    'dependencies = ["torch>=2.6.0", "torchmetrics>=1.7.1", "torchvision>=0.21.0"]\n'
    "[tool.uv.sources]\n"
    + "".join(
        f'{name} = [{{ index = "pypi", marker = "sys_platform == \'darwin\'" }}, '
        f'{{ index = "pytorch-cu124", marker = "sys_platform == \'linux\'" }}]\n'
        for name in ("torch", "torchvision")
    )
    + '[[tool.uv.index]]\nname = "pypi"\nurl = "https://pypi.org/simple"\n'
    f'[[tool.uv.index]]\nname = "pytorch-cu124"\nurl = "{WHL}/cu124"\nexplicit = true\n'
)
FIRST_UV = uv_project(
    ["accelerate>=1.6.0", "bitsandbytes>=0.45.5", "peft>=0.15.2", "torch>=2.7.0",
     "torchvision>=0.22.0", "transformers>=4.51.3"], "cu128",
    marker="sys_platform == 'linux' or sys_platform == 'win32'", python=">=3.13",
)  # fmt: skip
MASTER = (
    '[project]\nname = "master"\nversion = "0.1.0"\nrequires-python = ">=3.12"\ndependencies = ['
    "\"torch==2.6.0+cu124; sys_platform == 'linux' and platform_machine == 'x86_64'\", "
    "\"torch==2.6.0; sys_platform == 'darwin'\"]\n[tool.uv]\n"
    f'[[tool.uv.index]]\nurl = "{WHL}/cu124"\n'
)
BOXMOT = uv_project(["torch>=2.2.1,<3", "torchvision>=0.17.1,<1"], "cu121").replace(
    "explicit = true", ""
)
POETRY = (
    '[tool.poetry]\nname = "src"\nversion = "0.1.0"\n[tool.poetry.dependencies]\n'
    'python = "{}"\n{}\n'
)
EXPLICIT = (
    f'[[tool.poetry.source]]\nname = "torchcu118"\npriority = "explicit"\nurl = "{WHL}/cu118"\n'
)
THESIS = POETRY.format(
    "^3.11",
    'torch = { version = "2.5.1+cu118", source = "torchcu118" }\n'
    'torchvision = { version = "0.20.1+cu118", source = "torchcu118" }\n' + EXPLICIT,
)
PULSE = POETRY.format(
    ">=3.9,<3.13",
    'torch = { version = "2.0.1+cu118", source = "torchcu118" }\n'
    'torchvision = { version = "0.15.2", source = "torchcu118" }\n' + EXPLICIT,
)
PLATFORMS = POETRY.format(
    ">=3.11,<3.12",
    'torch = [\n  {version = "^2.5.1", source = "pypi", "platform" = "win32"},\n'
    '  {version = "^2.5.1", source = "pypi", "platform" = "linux"},\n]',
)
DAGSHUB = POETRY.format(
    "^3.10",
    'torch = {version = "^2.1.1"}\ntorchaudio = {version = "^2.1.1"}\n'
    'torchvision = {version = "^0.16.1"}\nlightning = "^2.1.2"',
)
FSA = POETRY.format(">=3.11,<3.13", 'torch = "<=2.2.2"\ntransformers = "^4.39.3"')
TEMPLATE = POETRY.format(
    "^3.9,<3.12",
    'torch = {version = "^2.3.1+cu121", source = "torch_cu121"}\n'
    '[[tool.poetry.source]]\nname = "torch_cu121"\npriority = "explicit"\n'
    f'url = "{WHL}/cu121"',
)
CU118 = f"--extra-index-url {WHL}/cu118\n"
PEFT = CU118 + (
    "torch==2.1.0+cu118\ntorchvision==0.15.2+cu118\ntorchaudio==2.1.0+cu118\n"
    "transformers>=4.32.0\naccelerate>=0.21.0\n"
)
KOHYA = CU118 + (
    "torch==2.2.0+cu118\ntorchvision==0.17.0+cu118\nonnxruntime-gpu==1.16.3\n"
    "xformers==0.0.24+cu118\nbitsandbytes==0.43.0\n"
)
KOHYA_NEWER = CU118 + (
    "torch==2.3.1+cu118\ntorchvision==0.18.1+cu118\nonnxruntime-gpu==1.18.0\n"
    "xformers==0.0.27+cu118\nbitsandbytes==0.43.3\n"
)
COMFYUI = CU118 + (
    "torch==2.2.0\ntorchvision\ntorchaudio\ntorchsde\ntransformers>=4.28.1\nkornia>=0.7.1\n"
)
STREAMLIT = CU118 + (
    "torch==2.1.0\ntorchvision==0.16.0\n"
    "xformers==0.0.22.post7; sys_platform != 'darwin' and platform_machine != 'arm64'\n"
    "diffusers==0.24.0\ntransformers==4.35.2\naccelerate==0.25.0\nnumpy==1.23.5\n"
)
LINKS = (
    f"--find-links {WHL}/cu118/torch_stable.html\ntorch==2.0.1+cu118\n"
    f"--find-links {WHL}/cu118\ntorchvision==0.15.2+cu118\ntorchmetrics==1.1.2\n"
)
NIGHTLY = (
    "channels: [nvidia, conda-forge, pytorch-nightly]\ndependencies:\n- python>=3.8\n"
    "- pytorch\n- torchaudio\n- torchvision\n- pytorch-cuda=12.1\n"
)
PYTORCH112 = (
    "channels: [pytorch, conda-forge]\ndependencies:\n- python=3.10\n- pytorch=1.12\n"
    "- torchvision\n- cudatoolkit\n"
)

CASES = [
    ("stable-diffusion-webui", "requirements.txt", WEBUI, "3.10", "RTX 4090", "570.172.08", 0),
    ("stable-diffusion-webui", "requirements.txt", WEBUI, "3.10", "RTX 5060 Ti", "570.172.08", 1),
    ("Fooocus", "requirements.txt", FOOOCUS, "3.10", "RTX 3090", "550.54.15", 0),
    ("Fooocus", "requirements.txt", FOOOCUS, "3.12", "RTX 3090", "550.54.15", 1),
    ("Fooocus", "requirements.txt", FOOOCUS, "3.10", "RTX 5090", "580.95.05", 1),
    ("generative-models", "requirements.txt", SGM, "3.10", "A100", "535.183.01", 0),
    ("generative-models", "requirements.txt", SGM, "3.10", "RTX 5090", "580.95.05", 1),
    ("vllm without common.txt", "requirements.txt", VLLM, "3.12", "H100", "580.95.05", 3),
    ("vllm", "requirements.txt", VLLM[14:], "3.12", "H100", "580.95.05", 0),
    ("vllm", "requirements.txt", VLLM[14:], "3.12", "H100", "535.183.01", 1),
    ("LLaVA", "pyproject.toml", LLAVA, "3.10", "GTX 1080", "580.95.05", 1),
    ("LLaVA", "pyproject.toml", LLAVA, "3.10", "RTX 4090", "580.95.05", 0),
    ("LLaVA", "pyproject.toml", LLAVA, "3.10", "RTX 4090", "550.54.15", 1),
    ("whisperX", "pyproject.toml", WHISPERX, "3.12", "RTX 5060 Ti", "580.95.05", 0),
    ("whisperX", "pyproject.toml", WHISPERX, "3.12", "GTX 1080", "580.95.05", 1),
    ("whisperX", "pyproject.toml", WHISPERX, "3.14", "RTX 4090", "580.95.05", 1),
    ("two extras", "pyproject.toml", TWO_EXTRAS, "3.12", "RTX 4090", "580.95.05", 3),
    ("Wan", "pyproject.toml", WAN, "3.12", "RTX 4090", "535.183.01", 0),
    ("Wan", "pyproject.toml", WAN, "3.12", "RTX 5090", "580.95.05", 1),
    ("LoRA", "pyproject.toml", LORA, "3.12", "GTX 1080", "560.35.03", 0),
    ("LoRA", "pyproject.toml", LORA, "3.12", "RTX 5060 Ti", "580.95.05", 1),
    ("FastAPI", "pyproject.toml", FASTAPI, "3.12", "RTX 3060", "550.54.15", 0),
    ("hist2mif", "pyproject.toml", HIST, "3.12", "RTX 5090", "570.172.08", 0),
    ("demucs", "pyproject.toml", DEMUCS, "3.10", "RTX 3060", "550.54.15", 0),
    ("demucs", "pyproject.toml", DEMUCS, "3.12", "RTX 3060", "550.54.15", 1),
    ("omnifile", "environment.yml", OMNIFILE, "3.10", "A100", "535.183.01", 0),
    ("omnifile", "environment.yml", OMNIFILE, "3.10", "RTX 5060 Ti", "580.95.05", 1),
    ("eyebench", "environment.yml", EYEBENCH, "3.12", "RTX 4090", "550.54.15", 0),
    ("eyebench", "environment.yml", EYEBENCH, "3.12", "B200", "580.95.05", 1),
    ("latent diffusion", "environment.yaml", LDM, "3.10", "RTX 3090", "550.54.15", 3),
    ("CorrDiff", "environment.yml", CORRDIFF, "3.11", "A100", "580.95.05", 3),
    ("orcas", "environment.yml", ORCAS, "3.10", "A100", "580.95.05", 3),
    ("a voice model", "requirements.txt", f"--extra-index-url {WHL}/cu118\n{GERM}", "3.11",
     "RTX 4060 Ti", "535.183.01", 0),
    ("a voice model without its index", "requirements.txt", GERM, "3.11", "RTX 4060 Ti",
     "535.183.01", 1),
    ("LIBERO", "requirements.txt", LIBERO, "3.8", "RTX 3090", "550.54.15", 3),
    ("StyleTTS2", "Dockerfile", STYLETTS, "3.10", "RTX 3090", "550.54.15", 3),
    ("flash-attn's wheel", "Dockerfile", FLASH, "3.12", "RTX 5090", "580.95.05", 0),
    # The newest bitsandbytes asks for torch>=2.4: pip replaces the image's 2.2.0 by PyPI's newest.
    ("bitsandbytes", "Dockerfile", BITS, "3.10", "A100", "535.183.01", 1),
    ("bitsandbytes", "Dockerfile", BITS, "3.10", "A100", "580.95.05", 1),
    ("bitsandbytes", "Dockerfile", BITS, "3.10", "RTX 5090", "580.95.05", 1),
    ("text-generation-webui", "Dockerfile", WEBUI_DOCKER, "3.10", "RTX 3090", "550.54.15", 3),
    ("a label", "Dockerfile", LABEL, "3.10", "RTX 4090", "550.54.15", 0),
    ("an unquoted bound", "Dockerfile", CHATBOT, "3.10", "H100", "550.54.15", 1),
    ("ComfyUI, cloned", "Dockerfile", COMFY, "3.10", "RTX 4090", "580.95.05", 3),
    ("the CPU's index as one more", "Dockerfile", LAB, "3.11", "RTX 4090", "580.95.05", 1),
    ("an image by its digest", "Dockerfile", QWEN, "3.12", "RTX 5090", "580.95.05", 0),
    ("an image by its digest", "Dockerfile", QWEN, "3.12", "RTX 5090", "570.172.08", 1),
    ("CUDA and Macs", "pyproject.toml", CUDA_AND_MAC, "3.12", "RTX 4090", "550.54.15", 0),
    ("CUDA and Macs", "pyproject.toml", CUDA_AND_MAC, "3.12", "RTX 5060 Ti", "580.95.05", 1),
    ("a first project with uv", "pyproject.toml", FIRST_UV, "3.13", "RTX 5090", "570.172.08", 0),
    ("labels behind markers", "pyproject.toml", MASTER, "3.12", "RTX 4090", "550.54.15", 0),
    ("labels behind markers", "pyproject.toml", MASTER, "3.12", "RTX 5090", "580.95.05", 1),
    ("BoxMOT", "pyproject.toml", BOXMOT, "3.11", "RTX 3090", "535.183.01", 0),
    ("BoxMOT", "pyproject.toml", BOXMOT, "3.11", "RTX 5060 Ti", "580.95.05", 1),
    ("a thesis", "pyproject.toml", THESIS, "3.12", "RTX 3090", "535.183.01", 0),
    ("a thesis", "pyproject.toml", THESIS, "3.12", "RTX 5090", "580.95.05", 1),
    ("pulse-from-face-pytorch", "pyproject.toml", PULSE, "3.10", "RTX 3090", "535.183.01", 0),
    ("pulse-from-face-pytorch", "pyproject.toml", PULSE, "3.12", "RTX 3090", "535.183.01", 1),
    ("a source by platform", "pyproject.toml", PLATFORMS, "3.11", "RTX 4090", "610.43.02", 0),
    ("a source by platform", "pyproject.toml", PLATFORMS, "3.11", "GTX 1080", "580.95.05", 1),
    ("a music project", "pyproject.toml", DAGSHUB, "3.10", "A100", "535.183.01", 0),
    ("a music project", "pyproject.toml", DAGSHUB, "3.10", "RTX 5090", "580.95.05", 1),
    ("dl4nlp-project-fsa", "pyproject.toml", FSA, "3.11", "A100", "535.183.01", 0),
    ("pytorch-template", "pyproject.toml", TEMPLATE, "3.11", "RTX 4090", "535.183.01", 0),
    ("two releases that exclude each other", "requirements.txt", PEFT, "3.10", "RTX 3090",
     "535.183.01", 1),
    ("a trainer", "requirements.txt", KOHYA, "3.10", "RTX 3090", "535.183.01", 0),
    ("a trainer", "requirements.txt", KOHYA, "3.10", "RTX 5060 Ti", "580.95.05", 1),
    ("the trainer, later", "requirements.txt", KOHYA_NEWER, "3.10", "RTX 4090", "535.183.01", 0),
    ("the trainer, later", "requirements.txt", KOHYA_NEWER, "3.13", "RTX 4090", "535.183.01", 1),
    ("ComfyUI for CUDA 11.8", "requirements.txt", COMFYUI, "3.10", "RTX 3090", "535.183.01", 0),
    ("ComfyUI for CUDA 11.8", "requirements.txt", COMFYUI, "3.10", "RTX 5090", "580.95.05", 1),
    ("a page that draws", "requirements.txt", STREAMLIT, "3.10", "RTX 3090", "535.183.01", 0),
    ("pages of links", "requirements.txt", LINKS, "3.10", "RTX 3090", "535.183.01", 0),
    ("pages of links", "requirements.txt", LINKS, "3.12", "RTX 3090", "535.183.01", 1),
    ("a channel of nightlies", "environment.yml", NIGHTLY, "3.10", "A100", "535.183.01", 3),
    ("pytorch112", "environment.yml", PYTORCH112, "3.10", "A100", "535.183.01", 3),
]  # fmt: skip


@pytest.mark.parametrize(("project", "name", "text", "python", "gpu", "driver", "code"), CASES)
def test_the_verdict_on(project, name, text, python, gpu, driver, code):
    request = PlanRequest(gpus=(gpu,), driver=driver, os="linux", arch="x86_64", python=python)
    report = preflight(sheet_of(request), [SourceFile(name, text, {})], Options())
    said = [*report.notes, *(finding.title for finding in report.findings)]
    assert report.exit_code == code, said


def test_an_extra_decides():
    request = PlanRequest(gpus=("RTX 4090",), driver="580.95.05", os="linux", python="3.12")
    for extra, code in (("gpu", 0), ("cpu", 1)):
        source = SourceFile("pyproject.toml", TWO_EXTRAS, {})
        report = preflight(sheet_of(request), [source], Options(), extras=[extra])
        assert report.exit_code == code
