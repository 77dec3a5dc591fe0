"""Errors of CUDA and its libraries in a text, by their names, their numbers or their own words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from gpudoctor.kb.findings import error_codes
from gpudoctor.kb.findings.error_codes import ErrorCode
from gpudoctor.model.pattern import late_pattern
from gpudoctor.triage.text.cleaned_text import Text

_NAME = late_pattern(
    r"\b(?:CUDA_ERROR_[A-Z_]{3,60}|cudaError[A-Z]\w{2,60}|hipError[A-Z]\w{2,60}"
    r"|(?:CUDNN|CUBLAS|CUSOLVER)_STATUS_[A-Z_]{3,60}|CUFFT_[A-Z]{3,20}_[A-Z_]{3,30}"
    r"|NVML_ERROR_[A-Z_]{3,60}|nccl(?:Unhandled|System|Internal|Invalid|Remote)[A-Z]\w{3,30})\b"
)
# "CUDA error 803", "cuInit err 100", "cudart init failure: 35", "cudaSuccess (35 vs. 0)".
_NUMBER = late_pattern(
    r"\b(?P<library>CUDA(?: driver| runtime)?|cuInit|cudart|nvcuda|cuda driver library|HIP|cuDNN"
    r"|cuBLAS|NCCL|NVML)\b[ \w]{0,30}?"
    r"\b(?:error|err|failure|failed|status|code|returned)(?: code)?\b[ :=#(\[]{0,4}"
    r"(?P<number>\d{1,4})\b(?![.:]\d)"
    r"|cuda[Ss]uccess\)? \((?P<versus>\d{1,4}) vs\.? 0\)",
    re.I,
)
# "CUDA failed with error unknown error", "GPUassert: invalid device function": the words of
# cudaGetErrorString behind the name of the library and a word of failure.
_BEFORE = (
    r"(?:\b(?P<library>CUDA|cuda[A-Z]\w{2,40}|cu[A-Z]\w{2,40}|HIP|hip[A-Z]\w{2,40}|thrust|ROCm)\b"
    r"(?:[^.;]|\.(?! )){0,60}?"
    r"\b(?:error|err|fail(?:ed|ure)?|returned|status|exception|what\(\))(?!\w)"
    r"(?:[^.;]|\.(?! )){0,40}?[:=(\"' ]|\bGPUassert:) ?"
)
_LIBRARIES = {"hip": "HIP", "cudnn": "cuDNN", "cublas": "cuBLAS", "nccl": "NCCL", "nvml": "NVML"}
_MOST = 20


def codes(text: Text) -> Iterator[tuple[ErrorCode, int, int]]:
    """The errors that the text names, with where they stand in `text.flat`; each once."""
    seen: set[str] = set()
    for match in _NAME.finditer(text.flat):
        rows = error_codes.named(match[0])
        rows = tuple(row for row in rows if _is_fault(row))
        if rows and rows[0].names[0] not in seen and len(seen) < _MOST:
            seen.add(rows[0].names[0])
            yield rows[-1], match.start(), match.end()
    for match in _NUMBER.finditer(text.flat):
        number = int(match["number"] or match["versus"])
        library = _LIBRARIES.get((match["library"] or "").lower(), "CUDA")
        rows = tuple(row for row in error_codes.numbered(number, library) if _is_fault(row))
        if number and rows and rows[0].names[0] not in seen and len(seen) < _MOST:
            seen.add(rows[0].names[0])
            yield rows[0], match.start(), match.end()

    for match in _words().finditer(text.flat):
        on_amd = (match["library"] or "").lower().startswith(("hip", "rocm"))
        library = "HIP" if on_amd else "CUDA"
        rows = tuple(row for row in error_codes.with_text(match["text"], library) if _is_fault(row))
        if rows and rows[0].names[0] not in seen and len(seen) < _MOST:
            seen.add(rows[0].names[0])
            yield rows[0], match.start(), match.end()


@cache
def _words() -> re.Pattern[str]:
    texts = "|".join(re.escape(text) for text in error_codes.texts())
    return re.compile(rf"(?i:{_BEFORE}(?P<text>{texts})(?![\w-]| (?:if|when|unless)\b))")


def _is_fault(row: ErrorCode) -> bool:
    """Whether the error says that something is wrong; NVML's and NCCL's only with a cause."""
    return not row.harmless and (row.cause is not None or row.library not in ("NVML", "NCCL"))
