"""Commands and compose files that start a container: with the GPU, or without it."""

from __future__ import annotations

import re

from gpudoctor.model.pattern import late_pattern
from gpudoctor.triage.text.cleaned_text import Text

# A command goes on behind a backslash, a caret (cmd) or a backtick (PowerShell) at the line's end.
_RUN = late_pattern(
    r"\b(?P<tool>docker|podman|nvidia-docker)(?: container)? (?:run|create)\b"
    r"(?P<rest>(?:[^\n\\]|\\\n|\\(?!\n)){0,1500})"
)
_APPTAINER = late_pattern(
    r"\b(?:singularity|apptainer) (?:run|exec|shell)\b(?P<rest>(?:[^\n\\]|\\\n|\\(?!\n)){0,1500})"
)
_APPTAINER_GPU = late_pattern(r"--nv(?:ccli)?\b|--rocm\b|(?:SINGULARITY|APPTAINER)_(?:NV|ROCM)\b")
_GIVES_GPU = late_pattern(
    r"--gpus\b|--runtime[= ]nvidia|--device[= ](?:nvidia\.com/gpu|/dev/(?:nvidia|kfd|dri|dxg))"
    r"|NVIDIA_VISIBLE_DEVICES=(?!none|void|''|\"\"|\s)|--hooks-dir"
)
_COMPOSE = late_pattern(r"^services:\s*$", re.M)
_COMPOSE_GPU = late_pattern(
    r"^\s+(?:-\s+)?(?:driver: ['\"]?(?:nvidia|cdi)|runtime: ['\"]?nvidia|gpus: ?\S"
    r"|capabilities: ?\[?.{0,30}gpu"
    r"|- ['\"]?(?:gpu|/dev/kfd|/dev/dri|/dev/nvidia\d|nvidia\.com/gpu))",
    re.M,
)


def gives_gpu(text: Text) -> bool | None:
    """Whether the container is started with a GPU; `None`: the text does not show how.

    Where one command of several gives the GPU, the answer is yes.
    """
    plain = text.plain
    answers = [
        match["tool"] == "nvidia-docker" or _GIVES_GPU.search(match["rest"]) is not None
        for match in _RUN.finditer(plain)
        if match["rest"].strip()
    ]
    answers += [
        _APPTAINER_GPU.search(match["rest"]) is not None
        for match in _APPTAINER.finditer(plain)
        if match["rest"].strip()
    ]
    if _COMPOSE.search(plain) and "image:" in plain:
        answers.append(_COMPOSE_GPU.search(plain) is not None)
    return any(answers) if answers else None
