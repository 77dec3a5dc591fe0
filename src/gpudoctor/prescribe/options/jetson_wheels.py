"""Jetson boards: the wheels that NVIDIA builds for JetPack, where no ordinary wheel serves.

Told apart from their relatives on the same processor family: GB10 (12.1) and Thor (11.0) are
served by the ordinary aarch64 wheels with CUDA 13; Orin (8.7), Xavier (7.2), TX2 (6.2) and Nano
(5.3) by none, for no desktop code is promised to run on them.
"""

from __future__ import annotations

from gpudoctor.compat.architecture import ComputeCapability
from gpudoctor.model.sheet import FactSheet
from gpudoctor.model.terms.version import numbers
from gpudoctor.prescribe.known_steps import JetsonIndex, jetson_indexes


def is_jetson(sheet: FactSheet) -> bool:
    """Whether the host is a Jetson by its device tree or its system's release."""
    host = sheet.facts.host
    return bool(host and (host.jetson or host.l4t))


def index_of(sheet: FactSheet, gpu: ComputeCapability) -> JetsonIndex | None:
    """The index for this GPU and this JetPack; without a known JetPack the newest for the GPU."""
    host = sheet.facts.host
    number = numbers(host.l4t)[:1] if host and host.l4t else ()
    release = str(number[0]) if number else None
    for row in jetson_indexes():
        if row.capability == str(gpu) and release in (None, row.l4t):
            return row
    return None
