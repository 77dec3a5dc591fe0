"""Whose code ran when the error came: torch's own, or that of a compiled extension.

A kernel without code for the GPU fails at its launch, so that the last frame above the message
names the library which has to be exchanged.
"""

from __future__ import annotations

import re
from typing import Literal

from gpudoctor.model.pattern import late_pattern
from gpudoctor.triage.text.cleaned_text import Text

Owner = Literal["torch", "extension"]

_NO_KERNEL = late_pattern(r"no kernel image|invalid device function", re.I)
# A frame behind whatever a logger, a service or a person put in front of it.
_FRAME = late_pattern(r'File "([^"\n]{1,300})", line \d{1,7}, in ')
_TORCH_CALL = late_pattern(
    r"\btorch\.(?!ops\b|_C\b|utils\b|cuda\b|compile\b|load\b)[a-z_]{2,30}\("
    r"|\.(?:cuda|to|float|half|zero_|fill_|clone|contiguous|item|tolist|normal_|uniform_)\("
)
_EXTENSION_CALL = late_pattern(
    r"\btorch\.ops\.(?!aten\b|prim\b|torchvision\b)\w|\b\w{2,40}_cuda\w{0,12}\.(?!is_|device)\w"
    r"|\b(?:_C|_ext|ext_module|ops)\.\w{2,60}\("
)
_EXTENSION_FILE = late_pattern(
    r"[/\\](?:flash_attn\w{0,20}|xformers|bitsandbytes|mamba_ssm|causal_conv1d|apex|mmcv|detectron2"
    r"|torch_(?:scatter|sparse|cluster|spline_conv)|pytorch3d|exllamav?\d?|sageattention|spconv"
    r"|MinkowskiEngine|flashinfer|transformer_engine|natten|gsplat|nerfacc|tinycudann|nvdiffrast"
    r"|kaolin|fbgemm_gpu|sgl_kernel|auto_gptq|awq|cupy)[/\\]"
)
_BEFORE = 40


def owner(text: Text) -> Owner | None:
    """Who owns the last frame above the first message of a missing kernel; `None`: unknown."""
    for number, line in enumerate(text.lines):
        if _NO_KERNEL.search(line[:2000]):
            found = _last_frame(text.lines[max(0, number - _BEFORE) : number])
            return _owner(*found) if found else None
    return None


def _last_frame(lines: tuple[str, ...]) -> tuple[str, str] | None:
    """File and source line of the last frame among `lines`."""
    for position in range(len(lines) - 1, -1, -1):
        if match := _FRAME.search(lines[position][:1000]):
            code = lines[position + 1] if position + 1 < len(lines) else ""
            return match[1], code[:400]
    return None


def _owner(file: str, code: str) -> Owner | None:
    if _EXTENSION_CALL.search(code):
        return "extension"
    if _TORCH_CALL.search(code):
        return "torch"
    return "extension" if _EXTENSION_FILE.search(file) else None
