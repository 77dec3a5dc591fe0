"""What to look at to tell look-alikes apart, and what can still be done in the process."""

from __future__ import annotations

from collections.abc import Sequence

from gpudoctor.kb import catalogue
from gpudoctor.triage.signatures.marks import Marks

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

_RAISED_ON_CPU_TOO = frozenset(
    {"gather-scatter-out-of-range", "index-out-of-range-embedding", "label-out-of-range"}
)
_ON_CPU = "The process is sound: mend the program, nothing else is broken."
_FIND = {
    "device-side-assert": (
        "Run it once with CUDA_LAUNCH_BLOCKING=1 in front of the command (or on the CPU): the "
        "traceback then ends at the line that gave the bad value."
    ),
    "label-out-of-range": (
        "Print labels.min(), labels.max() and the number of classes right before the loss; every "
        "label must lie in 0 … classes - 1, or be ignore_index."
    ),
    "index-out-of-range-embedding": (
        "Print ids.min(), ids.max() and embedding.num_embeddings right before the embedding (for a "
        "language model: len(tokenizer) and the number of positions)."
    ),
    "gather-scatter-out-of-range": (
        "Print index.min(), index.max() and the size of the indexed dimension before the call."
    ),
    "dtype-mismatch": (
        "Print .dtype of the operands of the call in the last frame; convert one of them, or run "
        "the call under torch.autocast."
    ),
    "illegal-memory-access": (
        "Run it once with CUDA_LAUNCH_BLOCKING=1 in front of the command: the traceback then ends "
        "at the call whose kernel failed."
    ),
}

_VERSIONS = 'python -c "import torch; print(torch.__version__, torch.version.cuda, torch.__file__)"'
_CODE = (
    'python -c "import torch; print(torch.cuda.get_device_capability(), '
    'torch.cuda.get_arch_list())"'
)
# Looks for causes that are facts, for which the catalogue has none.
_LOOKS = {
    "torch-lacks-arch-new-gpu": (f"{_CODE}: a capability above every sm_ in the list",),
    "torch-dropped-arch-old-gpu": (f"{_CODE}: a capability below every sm_ in the list",),
    "no-kernel-image": (f"{_CODE}; and which library the last frame lies in",),
    "cpu-only-torch": (f"{_VERSIONS}: +cpu or None for CUDA",),
    "wrong-torch-copy-imported": (f"{_VERSIONS}: a path of another environment",),
    "no-cuda-on-mac": ("uname -s: Darwin",),
    "driver-too-old": ("the driver's version in nvidia-smi beside torch.version.cuda",),
    "python-unsupported": (
        'python -c "import sys, platform; print(sys.version, platform.machine())"',
    ),
    "nonexistent-wheel": ("gpudoctor plan for this GPU, driver and Python lists what exists",),
    "platform-dropped-intel-mac": ("uname -sm: Darwin x86_64 (Rosetta counts as Intel)",),
    "device-side-assert": ("one run with CUDA_LAUNCH_BLOCKING=1 shows which kernel asserts",),
    "ptx-unsupported-toolchain": ("the driver's CUDA in nvidia-smi is older than the toolkit's",),
    "libcuda-missing": ("ldconfig -p | grep libcuda.so.1",),
    "cuda-visible-devices-hides-gpus": ("echo $CUDA_VISIBLE_DEVICES",),
    "open-kernel-module-required": ("cat /proc/driver/nvidia/version; dmesg | grep NVRM",),
    "gpu-needs-other-driver-branch": ("dmesg | grep NVRM names the branch that serves the GPU",),
    "cuda-init-failed": ("nvidia-smi, and dmesg | grep -i nvrm right after the failure",),
    "wsl1-has-no-gpu": ("wsl -l -v in PowerShell: VERSION 1",),
    "no-gpu-found": ("lspci | grep -i -e nvidia -e amd/ati -e display",),
}

# Names whose meaning in the catalogue speaks of one of several messages.
_TITLES = {
    "driver-not-loaded": "No NVIDIA kernel module answers",
    "benign-warning": "The warning is harmless",
    "vgpu-feature-not-supported": "The virtual GPU lacks a feature that the program uses",
}


def title(name: str) -> str | None:
    """The title of a cause where the catalogue's meaning is none."""
    return _TITLES.get(name)


def next_look(name: str, rivals: Sequence[str]) -> str | None:
    """The look that tells a cause from its rivals; from its look-alikes where it has none here."""
    entry = catalogue.find(name)
    if entry is None:
        return None
    others = [rival for rival in rivals if rival != name] or list(entry.looks_like)
    look = _LOOKS.get(name) or entry.confirm_by
    if not look or not others:
        return look[0] if look and name in CODE_BUGS else None
    rows = [catalogue.find(other) for other in others[:3]]
    named = [f"{row.code} ({row.name})" for row in rows if row is not None]
    return f"To tell it from {', '.join(named)}: {'; '.join(look[:3])}"


def how_to_find(name: str) -> str | None:
    """How the line of a fault of the program is found."""
    return _FIND.get(name)


def still_possible(name: str, default: str | None, marks: Marks) -> str | None:
    """What can still be done in the process; a check on the CPU leaves it sound."""
    if _raised_on_cpu(name, marks):
        return _ON_CPU
    return default or "Start the command again after the cure; nothing needs to be saved."


def is_asynchronous(name: str, marks: Marks) -> bool:
    """Whether the traceback may end at another line than the one that caused it."""
    return name in _ASYNCHRONOUS and not _raised_on_cpu(name, marks)


def _raised_on_cpu(name: str, marks: Marks) -> bool:
    return name in _RAISED_ON_CPU_TOO and not marks.holds("device-assert-text")
