"""Kernel log lines and the files that show the kernel's side of the driver."""

from __future__ import annotations

import re

from gpudoctor.model.pattern import late_pattern
from gpudoctor.triage.readers import draft as d
from gpudoctor.triage.readers.draft import Draft
from gpudoctor.triage.text.cleaned_text import Text

_LINE = late_pattern(r"NVRM:|\bXid\b|nvidia: |nvidia-modeset:|nouveau \d{4}:|nvidia-nvlink|AER:")
_MODULE = late_pattern(
    r"NVRM(?: version)?: (?:loading )?NVIDIA UNIX (Open )?(?:Kernel Module for )?(?:x86_64"
    r"|aarch64)\s{0,3}(?:Kernel Module\s{1,4})?(?:for )?\s{0,4}(\d{3}\.\d{1,3}(?:\.\d{1,3})?)"
)
_LSMOD = late_pattern(r"^(nouveau|nvidia)\s{1,20}\d{5,9}\s{1,4}\d", re.M)
_FROM_LOADER = 40


def read(text: Text) -> Draft:
    """The log lines about GPUs (at most 40), the module's version and flavour, nouveau."""
    draft: Draft = {}
    lines = [line.strip()[:300] for line in text.lines if len(line) < 2000 and _LINE.search(line)]
    if lines:
        draft["log"] = list(dict.fromkeys(lines))[:_FROM_LOADER]
    if match := _MODULE.search(text.flat):
        d.put(
            draft,
            "kernel_module",
            version=match[2],
            flavour="open" if match[1] or "Open Kernel Module" in match[0] else "proprietary",
        )
    loaded = set(_LSMOD.findall(text.plain))
    if "nouveau" in loaded:
        d.put(draft, "kernel_module", nouveau_loaded=True)
    return draft
