"""Jetson boards: which one, and which Jetson Linux (L4T) it runs."""

from __future__ import annotations

import re

from gpudoctor.collect.system.sysroot import Sysroot
from gpudoctor.model.facts import Gpu
from gpudoctor.model.pattern import late_pattern

_RELEASE = late_pattern(r"#\s*R(\d+)\s.*?REVISION:\s*([\d.]+)", re.ASCII)


def find_board(root: Sysroot) -> str | None:
    """The board's name as its device tree has it; `None` if this is no Jetson.

    `NVIDIA Jetson Orin Nano Developer Kit`. Servers and desktops of NVIDIA (DGX Spark) have no
    Tegra in their device tree.
    """
    compatible = root.read_or_none("/proc/device-tree/compatible") or ""
    if "nvidia,tegra" not in compatible and read_l4t(root) is None:
        return None
    return root.read_or_none("/proc/device-tree/model") or "Jetson"


def read_l4t(root: Sysroot) -> str | None:
    """Jetson Linux release, `36.4.0`, from `/etc/nv_tegra_release`; `None` without the file.

    Its first line: `# R36 (release), REVISION: 4.0, GCID: 37537400, BOARD: generic, …`
    """
    match = _RELEASE.search(root.read_or_none("/etc/nv_tegra_release") or "")
    return f"{match[1]}.{match[2]}" if match else None


def read_chip(root: Sysroot) -> str | None:
    """The system on a chip, `tegra234`, from the device tree."""
    compatible = root.read_or_none("/proc/device-tree/compatible") or ""
    match = re.search(r"nvidia,(tegra\d+)", compatible)
    return match[1] if match else None


def board_gpu(root: Sysroot) -> Gpu | None:
    """The GPU inside a Jetson, from its device tree: the bus does not show it.

    For a board whose driver answers nobody, as in a container without NVIDIA's runtime.
    """
    from gpudoctor.kb.hardware import nvidia_gpus as gpus

    known = gpus.by_tegra(read_chip(root) or "")
    if known is None:
        return None
    name, capability = known
    return Gpu(
        index=0,
        name=name,
        vendor="nvidia",
        compute_capability=capability,
        sm="sm_" + capability.replace(".", ""),
        integrated=True,
    )
