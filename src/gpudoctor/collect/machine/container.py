"""Whether this is a container or WSL, and whether GPUs were passed into it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

from gpudoctor.collect.system.sysroot import Sysroot
from gpudoctor.model.pattern import late_pattern

_GROUPS = (
    ("kubepods", "kubernetes"),
    ("docker", "docker"),
    ("libpod", "podman"),
    ("lxc", "lxc"),
    ("containerd", "containerd"),
    ("crio", "kubernetes"),
)
# The last three are a Jetson's.
_GPU_NODE = late_pattern(
    r"(nvidia\d+|nvidiactl|dxg|kfd|nvhost-(?:ctrl-gpu|gpu)|nvgpu|nvmap)$", re.ASCII
)


def find_container(root: Sysroot, environ: Mapping[str, str]) -> str | None:
    """The kind of container; `None` outside one.

    `container` in the environment of process 1 is systemd's convention (systemd.io,
    "Container interface"); podman, LXC and systemd-nspawn follow it.
    """
    if "KUBERNETES_SERVICE_HOST" in environ:
        return "kubernetes"
    if "APPTAINER_CONTAINER" in environ or "SINGULARITY_CONTAINER" in environ:
        return "apptainer"
    if root.exists("/.dockerenv"):
        return "docker"
    if root.exists("/run/.containerenv"):
        return "podman"
    groups = root.read_or_none("/proc/1/cgroup") or ""
    for mark, kind in _GROUPS:
        if mark in groups:
            return kind
    said = environ.get("container") or root.read_or_none("/run/systemd/container")
    # An image's overlay is mounted as its root; a snapshotter's path names containerd.
    if said:
        return said
    mounts = root.read_or_none("/proc/self/mountinfo") or ""
    top = next((line for line in mounts.splitlines() if line.split()[4:5] == ["/"]), "")
    if " overlay " in top and "containerd" in top:
        return "containerd"
    return "docker" if " overlay " in top and "/docker/" in top else None


def has_gpus(root: Sysroot) -> bool:
    """Whether device nodes of a GPU are there, or driver files that a runtime mounted."""
    if any(_GPU_NODE.match(name) for name in root.names("/dev")):
        return True
    if any(name.startswith("renderD") for name in root.names("/dev/dri")):
        return True
    mounts = root.read_or_none("/proc/self/mountinfo") or ""
    return "libnvidia-ml.so" in mounts or "libcuda.so" in mounts


def wsl_version(root: Sysroot, kernel: str | None) -> Literal[1, 2] | None:
    """1 or 2 under the Windows Subsystem for Linux, else `None`.

    WSL 2 runs Microsoft's own kernel (`5.15.167.4-microsoft-standard-WSL2`), WSL 1 claims one
    (`4.4.0-19041-Microsoft`). People build their own kernels for WSL 2, which has `/dev/dxg`.
    """
    text = f"{kernel or ''} {root.read_or_none('/proc/version') or ''}".lower()
    if "microsoft" not in text and "wsl2" not in text:
        return 2 if root.exists("/dev/dxg") else None
    if "wsl2" in text or "microsoft-standard" in text or root.exists("/dev/dxg"):
        return 2
    return 1 if re.search(r"\b4\.4\.0-\d+-microsoft", text) else 2
