"""The computer and its operating system."""

from __future__ import annotations

from typing import Literal

from gpudoctor.model.value import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowsSystem:
    """Settings of Windows; a field is `None` where Windows does not say it."""

    long_paths: bool | None = None
    """Whether programs may open paths of more than 259 characters (`LongPathsEnabled`)."""
    native_arch: str | None = None
    """The processor's own architecture, `x86_64` or `arm64`; where the host's `arch` is another,
    the examining process is emulated."""
    gpu_scheduling: bool | None = None
    """Hardware-accelerated GPU scheduling."""
    commit_limit_bytes: int | None = None
    """How much memory may be promised to programs: main memory and page files together."""
    commit_free_bytes: int | None = None
    """How much of it was not promised when it was asked."""
    wsl: tuple[str, ...] = ()
    """Linux distributions that this user has beside it, `Ubuntu-24.04 (WSL 2)`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """The computer and its operating system."""

    os: Literal["linux", "windows", "macos"] | None = None
    arch: Literal["x86_64", "aarch64", "arm64"] | str | None = None
    """`aarch64` on Linux, `arm64` on macOS and Windows, as the wheels' tags say."""
    distribution: str | None = None
    """As `/etc/os-release` prints it: `Ubuntu 24.04.1 LTS`."""
    distribution_id: str | None = None
    """`ID` of `/etc/os-release`: `ubuntu`, `debian`, `fedora`, `rhel`, `arch` …"""
    distribution_version: str | None = None
    kernel: str | None = None
    glibc: str | None = None
    """Version of the C library, `2.39`; `None` with musl and outside Linux."""
    libc: Literal["glibc", "musl"] | None = None
    wsl: bool = False
    wsl_version: Literal[1, 2] | None = None
    container: str | None = None
    """`docker`, `podman`, `kubernetes`, `lxc`, `apptainer`, `containerd` …"""
    container_gpus: bool | None = None
    """In a container: whether GPU devices or driver files were passed into it."""
    jetson: str | None = None
    """The board of a Jetson, as its device tree names it."""
    rosetta: bool = False
    """On a Mac with Apple silicon: whether this Python is one for Intel, run by Rosetta."""
    l4t: str | None = None
    """Jetson Linux release, `36.4.0`."""
    secure_boot: bool | None = None
    cpu_model: str | None = None
    cpu_count: int | None = None
    memory_bytes: int | None = None
    shm_bytes: int | None = None
    """Size of `/dev/shm`."""
    windows: WindowsSystem | None = None
