"""The platforms that wheels are made for, as the knowledge base writes them."""

from __future__ import annotations

from typing import Literal

Platform = Literal[
    "linux_x86_64", "linux_aarch64", "win_amd64", "win_arm64", "macos_x86_64", "macos_arm64"
]

_PLATFORMS: dict[tuple[str, bool], Platform] = {
    ("linux", False): "linux_x86_64",
    ("linux", True): "linux_aarch64",
    ("windows", False): "win_amd64",
    ("windows", True): "win_arm64",
    ("macos", False): "macos_x86_64",
    ("macos", True): "macos_arm64",
}


def platform_of(os: str | None, arch: str | None) -> Platform | None:
    """The platform of a host; `None` where system or processor are not known, or have no wheels.

    `arch` is what the system calls the processor: `x86_64`, `AMD64`, `aarch64`, `arm64`.
    """
    processor = (arch or "").lower()
    arm = processor in ("aarch64", "arm64")
    if os is None or (not arm and processor not in ("x86_64", "amd64")):
        return None
    return _PLATFORMS.get((os, arm))
