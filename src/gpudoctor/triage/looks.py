"""What to look at to tell look-alikes apart, and what can still be done in the process."""

from __future__ import annotations

from collections.abc import Sequence

from gpudoctor.kb import catalogue
from gpudoctor.triage.marks import Marks

CODE_BUGS = frozenset(
    {
        "device-side-assert",
        "dtype-mismatch",
        "gather-scatter-out-of-range",
        "index-out-of-range-embedding",
        "label-out-of-range",
        "cuda-after-fork",
    }
)
"""Faults of the program, which no installation cures."""

_ASYNCHRONOUS = frozenset(
    {
        "device-side-assert",
        "gather-scatter-out-of-range",
        "index-out-of-range-embedding",
        "label-out-of-range",
        "illegal-memory-access",
        "cuda-error-unclassified",
    }
)

_ON_CPU = "The process is sound: mend the program, nothing else is broken."
_FIND = {
    "device-side-assert": "Run it once with CUDA_LAUNCH_BLOCKING=1 in front of the command (or on the CPU): the traceback then ends at the line that gave the bad value.",
    "label-out-of-range": "Print labels.min(), labels.max() and the number of classes right before the loss; every label must lie in 0 … classes - 1, or be ignore_index.",
    "index-out-of-range-embedding": "Print ids.min(), ids.max() and embedding.num_embeddings right before the embedding (for a language model: len(tokenizer) and the number of positions).",
    "gather-scatter-out-of-range": "Print index.min(), index.max() and the size of the indexed dimension right before the call.",
    "dtype-mismatch": "Print .dtype of the operands of the call in the last frame; convert one of them, or run the call under torch.autocast.",
    "illegal-memory-access": "Run it once with CUDA_LAUNCH_BLOCKING=1 in front of the command: the traceback then ends at the call whose kernel failed.",
}


def next_look(name: str, rivals: Sequence[str]) -> str | None:
    """The look that tells a cause from its rivals; from its look-alikes where it has none here."""
    entry = catalogue.find(name)
    if entry is None:
        return None
    others = [rival for rival in rivals if rival != name] or list(entry.looks_like)
    if not entry.confirm_by or not others:
        return entry.confirm_by[0] if entry.confirm_by and name in CODE_BUGS else None
    shown = ", ".join(others[:3])
    return f"To tell it from {shown}: {'; '.join(entry.confirm_by[:3])}"


def how_to_find(name: str) -> str | None:
    """How the line of a fault of the program is found."""
    return _FIND.get(name)


def still_possible(name: str, default: str | None, marks: Marks) -> str | None:
    """What can still be done in the process; a check on the CPU leaves it sound."""
    on_gpu = marks.holds("device-assert-text")
    if name in ("gather-scatter-out-of-range", "index-out-of-range-embedding", "label-out-of-range") and not on_gpu:
        return _ON_CPU
    return default or "Start the command again after the cure; nothing needs to be saved."


def is_asynchronous(name: str) -> bool:
    """Whether the traceback may end at another line than the one that caused it."""
    return name in _ASYNCHRONOUS
