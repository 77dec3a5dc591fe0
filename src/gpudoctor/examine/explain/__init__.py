"""What `gpudoctor explain` answers, as Markdown: one file a kind of question."""

from __future__ import annotations

from gpudoctor.errors import UsageError
from gpudoctor.examine.explain.error import of_error
from gpudoctor.examine.explain.explain_architecture import of_architecture, of_generation
from gpudoctor.examine.explain.gpu import of_gpu
from gpudoctor.examine.explain.page import Explanation, Kind
from gpudoctor.examine.explain.release import of_release
from gpudoctor.examine.explain.variable import of_variable
from gpudoctor.examine.explain.variant import of_variant
from gpudoctor.kb.findings import catalogue, error_codes, pages
from gpudoctor.kb.hardware import nvidia_gpus as gpus

__all__ = ["Explanation", "Kind", "explain"]

_OTHERS = (of_release, of_architecture, of_error, of_variant, of_variable, of_generation, of_gpu)


def explain(what: str) -> Explanation:
    """The page about a finding, an architecture, an error, a variant, a release, or a GPU.

    `GPU201` or its name, `sm_120`, `12.0`, `803`, `CUDNN_STATUS_NOT_SUPPORTED`, `cu128`,
    `PYTORCH_CUDA_ALLOC_CONF`, `RTX 5060 Ti`, `torch 2.9.1`, `CUDA 12.8`, `driver 570`.

    Raises:
        UsageError: nobody knows it; names the nearest.
    """
    text = what.strip()
    if entry := catalogue.find(text):
        page = pages.page(entry.code) or f"# {entry.code} {entry.name}\n\n{entry.meaning}\n"
        return Explanation(kind="finding", subject=entry.code, markdown=page)
    for explain_as in _OTHERS:
        if found := explain_as(text):
            return found
    near = _nearest(text)
    hint = f"; the nearest are {', '.join(near)}" if near else ""
    raise UsageError(f"nobody knows {text!r}: it is no code, error, architecture or GPU{hint}")


def _nearest(text: str) -> tuple[str, ...]:
    import difflib

    if "_STATUS_" in text.upper() or "error" in text.lower():
        known = {name.lower(): name for name in error_codes.names()}
        close = difflib.get_close_matches(text.lower(), known, 3, 0.5)
        return tuple(known[name] for name in close)
    looks_like_code = text.upper().startswith("GPU") or "-" in text
    return (catalogue.nearest if looks_like_code else gpus.nearest)(text)
