"""torch's own warnings and answers: they carry a GPU's capability and the build's architectures."""

from __future__ import annotations

import re

from gpudoctor.model.pattern import late_pattern
from gpudoctor.triage.readers import draft as d
from gpudoctor.triage.readers.draft import Draft
from gpudoctor.triage.text.anchored import Near
from gpudoctor.triage.text.cleaned_text import Text

_NAME = (
    r"((?:NVIDIA |GeForce |Tesla |Quadro |TITAN |GRID |RTX |Orin|Thor|Graphics )[^\n:;,|]{0,60}?)"
)
# torch/cuda/__init__.py: incompatible_device_warn
_INCOMPATIBLE = Near(
    _NAME + r" with CUDA capability sm_(\d{2,3}) is not compatible",
    "with cuda capability sm_",
    flags=re.I,
)
# torch/cuda/__init__.py from 1.0: old_gpu_warn and its successors
_FOUND = late_pattern(
    r"Found GPU\s?(\d{1,2})\s?([^\n]{2,60}?) which is of (?:cuda|compute) capability "
    r"(?:\(CC\) )?(\d{1,2}\.\d)",
    re.I,
)
_SUPPORTS = late_pattern(
    r"(?:install supports CUDA capabilities|Supported architectures:"
    r"|get_arch_list\(\)[ \])}:=>]{0,8}|arch_list[ ']{0,2}[:=] ?)"
    r"[ \[(]{0,3}((?:['\"]?(?:sm|compute)_\d{2,3}[af]?['\"]?[ ,]{0,3}){1,40})",
    re.I,
)
_ARCH = late_pattern(r"(sm|compute)_(\d{2,3}[af]?)", re.I)
_NOT_SUPPORTED = Near(_NAME + r" \(sm_(\d{2,3})\) is not supported", "(sm_", flags=re.I)
# CUDAFunctions.cpp and torch/cuda/__init__.py: "too old (found version 12020)"
_DRIVER = late_pattern(r"(?:too old \(found version ?|driver reports CUDA ?)(\d{4,5})\b", re.I)
_RANGE = late_pattern(
    r"Minimum and Maximum cuda capability supported by this (?:version"
    r"|library) of PyTorch is \((\d{1,2})\.(\d)\) ?- ?\((\d{1,2})\.(\d)\)",
    re.I,
)
# From 2.10 (_warn_unsupported_code): one line for each capability that the build has code for.
_BUILT_FOR = late_pattern(r"- (\d{1,2})\.(\d) which supports hardware CC")
_CAPABILITY = late_pattern(
    r"get_device_capability\([^)]{0,20}\)[ )}:=>]{0,8}\(?(\d{1,2}), ?(\d)\)?"
)
_CUDNN = late_pattern(r"cudnn\.version\(\)[ )}:=>]{0,8}(\d{4,6})\b")


def read(text: Text) -> Draft:
    """GPUs with their capability, the build's architectures, the driver's CUDA."""
    draft: Draft = {}
    gpus: dict[str, dict[str, object]] = {}
    told = (*_INCOMPATIBLE.finditer(text.flat), *_NOT_SUPPORTED.finditer(text.flat))
    for name, digits in (match.groups() for match in told):
        gpus.setdefault(_trim(name), {"compute_capability": f"{digits[:-1]}.{digits[-1]}"})
    for index, name, capability in _FOUND.findall(text.flat):
        gpus.setdefault(_trim(name), {})["compute_capability"] = capability
        gpus[_trim(name)].setdefault("index", int(index))
    if gpus:
        draft["gpus"] = [{"name": name, **values} for name, values in gpus.items()]
    elif match := _CAPABILITY.search(text.flat):
        draft["gpus"] = [{"compute_capability": f"{match[1]}.{match[2]}"}]
    if match := _SUPPORTS.search(text.flat):
        found = [(kind.lower(), number.lower()) for kind, number in _ARCH.findall(match[1])]
        d.put(
            draft,
            "torch",
            sass=list(dict.fromkeys(f"sm_{number}" for kind, number in found if kind == "sm")),
            ptx=list(dict.fromkeys(f"compute_{n}" for kind, n in found if kind == "compute")),
            arch_source="torch",
        )
    if "sass" not in draft.get("torch", {}) and (built := _BUILT_FOR.findall(text.flat)):
        names = [f"sm_{major}{minor}" for major, minor in built]
        d.put(draft, "torch", sass=list(dict.fromkeys(names)), arch_source="torch")
    if "sass" not in draft.get("torch", {}) and (span := _span(text)):
        # The least and the greatest architecture of the build; the GPU lies outside of them.
        d.put(draft, "torch", sass=span, arch_source="torch")
    if (match := _DRIVER.search(text.flat)) and int(match[1]) >= 1000:
        number = int(match[1])
        d.put(draft, "driver", cuda=f"{number // 1000}.{number % 1000 // 10}")
    return draft


def _span(text: Text) -> list[str]:
    match = _RANGE.search(text.flat)
    if not match:
        return []
    return [f"sm_{match[1]}{match[2]}", f"sm_{match[3]}{match[4]}"]


def _trim(name: str) -> str:
    return " ".join(name.split()).strip(" .'\"")
