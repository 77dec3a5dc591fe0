"""What files install, for tests: texts in, the choice out."""

from __future__ import annotations

from collections.abc import Mapping

from gpudoctor.kb.software import torch_releases
from gpudoctor.manifests.choice import InstallOutcome
from gpudoctor.manifests.formats import sources
from gpudoctor.manifests.project import installations
from gpudoctor.manifests.scene import Scene
from gpudoctor.manifests.source_files import SourceFile

CU126 = "https://download.pytorch.org/whl/cu126"
CU128 = "https://download.pytorch.org/whl/cu128"
CPU = "https://download.pytorch.org/whl/cpu"

_NEWEST = torch_releases.releases()[-1]
NEWEST = f"{_NEWEST.version} {_NEWEST.default_variants['linux_x86_64']}"
"""What plain `torch` brings on Linux."""
NEWEST_CPU = f"{_NEWEST.version} cpu"


def outcome(
    text: str,
    name: str = "requirements.txt",
    *,
    platform: str = "linux_x86_64",
    python: str = "3.12",
    tool: str | None = None,
    extras: tuple[str, ...] = (),
    groups: tuple[str, ...] = (),
    beside: Mapping[str, str] | None = None,
) -> InstallOutcome:
    """What comes of one file, with others beside it."""
    scene = Scene(platform, python, extras, groups, None, tool)
    source = SourceFile(name, text, dict(beside or {}))
    return installations(sources([source]), scene)[0].outcome


def torch(text: str, name: str = "requirements.txt", **scene: object) -> str:
    """`2.9.1 cu128`, else the status and why."""
    found = outcome(text, name, **scene)  # type: ignore[arg-type]
    choice = found.choice("torch")
    if found.status != "installs" or choice is None:
        return f"{found.status}: {found.why}"
    return f"{choice.release} {choice.variant}"
