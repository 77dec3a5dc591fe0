"""Lists of installed packages: pip list and freeze, pip show, uv, conda, poetry."""

from __future__ import annotations

import re

from gpudoctor.model.pattern import late_pattern
from gpudoctor.triage.readers.draft import Draft
from gpudoctor.triage.text.cleaned_text import Text

_PIN = late_pattern(
    r"^\s{0,8}(?:[-+*] {1,3})?([A-Za-z][A-Za-z0-9_.-]{1,60})==(\d[\w.+!-]{0,60})(?: *(?:;"
    r"|\\|#).{0,100})?$"
)
_COLUMNS = late_pattern(
    r"^\s{0,8}([A-Za-z][A-Za-z0-9_.-]{1,60}) {1,60}(\d[\w.+!-]{0,50})(?: {1,30}([\w.:/@~+-]{1,80}"
    r"))?(?: {1,20}\S{1,60})?\s*$"
)
_ANYWHERE = late_pattern(
    r"(?<![\w.-])((?:py)?torch(?:vision|audio)?|triton|xformers|bitsandbytes|flash[-_]attn"
    r"|vllm)==(\d(?:[\w.+]{0,40}\w)?)"
)
# A report in JSON: "torch": "2.4.1+cu121".
_JSON = re.compile(r"^\s{0,12}\"([A-Za-z][A-Za-z0-9_.-]{1,60})\": ?\"(\d[\w.+]{0,40})\",?$")
# What a requirement names, and pip's list of what there is, are not installed.
_ASKED_FOR = late_pattern(
    r"satisfies the requirement|No matching distribution|from versions:|\brequires? torch"
    r"|Collecting |Downloading |has requirement",
    re.I,
)
_SHOW_NAME = late_pattern(r"^Name: ([A-Za-z0-9_.-]{2,60})$")
_SHOW_VERSION = late_pattern(r"^Version: (\S{1,60})$")

# What matters to PyTorch or carries device code; other lines of a list are passed over.
_RELEVANT = late_pattern(
    r"(?:py)?torch(?:vision|audio|text|-cuda|-scatter|-sparse|-cluster|-geometric)?|nvidia-[\w-]+|"
    r"(?:pytorch-)?triton(?:-windows|-rocm|-xpu)?|xformers|flash-attn(?:-\d)?|bitsandbytes|vllm"
    r"|deepspeed|apex|"
    r"cudatoolkit|cuda-[\w-]+|cudnn|cpuonly|mamba-ssm|causal-conv1d|auto-gptq|autoawq|exllamav2|"
    r"sageattention|flashinfer[\w-]*|sgl-kernel|onnxruntime(?:-gpu)?|ctranslate2|faster-whisper|"
    r"transformers|accelerate|numpy|tensorflow|jax|jaxlib|cupy-[\w]+|mmcv|detectron2|pytorch3d|"
    r"nccl|libtorch|magma-cuda\d+|pytorch-mutex|torchao|torchcodec|spconv-cu\d+|natten|"
    r"llama-cpp-python|onnx|peft|sentence-transformers|diffusers|ultralytics|pynvml|nvidia-ml-py"
)


def read(text: Text) -> Draft:
    """The packages that matter, and torch's version from them."""
    found: dict[str, dict[str, object]] = {}
    shown: str | None = None
    for number, line in enumerate(text.lines):
        if len(line) > 240 or number in text.typed or _ASKED_FOR.search(line):
            continue
        if name := _SHOW_NAME.match(line):
            shown = name[1]
            continue
        if shown and (version := _SHOW_VERSION.match(line)):
            _add(found, package(shown, version[1]))
            shown = None
            continue
        match = _PIN.match(line) or _COLUMNS.match(line) or _JSON.match(line)
        if match:
            rest = match[3] if match.re is _COLUMNS and match[3] else ""
            _add(found, package(match[1], f"{match[2]} {rest}"))
        else:
            for name, version_text in _ANYWHERE.findall(line):
                _add(found, package(name, version_text))
    if not found:
        return {}
    draft: Draft = {"packages": list(found.values())}
    torch = found.get("torch")
    if torch:
        draft["torch"] = {"version": torch["version"]}
        if "cpu" in str(torch.get("build") or "") or "cpuonly" in found:
            draft["torch"]["cuda"] = None
    return draft


def package(name: str, version: str) -> dict[str, object] | None:
    """One package by its normalised name, if it matters; conda's build label beside it."""
    normal = re.sub(r"[-_.]+", "-", name.lower())
    if normal == "pytorch":
        normal = "torch"
    if not _RELEVANT.fullmatch(normal):
        return None
    parts = version.split()
    if not parts or not re.match(r"\d", parts[0]) or not re.search(r"[.\d]", parts[0]):
        return None
    build = parts[1] if len(parts) > 1 and re.search(r"_\d|cpu|cuda|cu\d\d", parts[1]) else None
    entry: dict[str, object] = {"name": normal, "version": parts[0].rstrip(",;")}
    if build:
        entry["build"] = build
    return entry


def _add(found: dict[str, dict[str, object]], entry: dict[str, object] | None) -> None:
    if entry is not None:
        found.setdefault(str(entry["name"]), entry)
