"""What a lock file installs: its choice is made; what is left is which build a file of it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from gpudoctor.kb.software import indexes as kb_indexes
from gpudoctor.kb.software import torch_releases
from gpudoctor.kb.software.torch_releases import Build
from gpudoctor.manifests.choice import Choice, InstallOutcome
from gpudoctor.manifests.conda_builds import choice as conda_choice
from gpudoctor.manifests.install_file import InstallFile, Pinned
from gpudoctor.manifests.scene import Scene, file_name, wheel_tags, wheel_version
from gpudoctor.manifests.universe import COMPANIONS, TORCH
from gpudoctor.model.finding import FileAt
from gpudoctor.model.requirements.specifier import version
from gpudoctor.model.terms.version import split_label
from gpudoctor.model.value import replace


def resolve(document: InstallFile, scene: Scene) -> InstallOutcome:
    """The packages of the lock for one platform and Python."""
    said = f"with {document.tool}, from {document.path} as it is"
    active = [row for row in document.pinned or () if scene.applies(row.marker)]
    torches = [row for row in active if row.name == TORCH]
    if not torches:
        return _without(document, said)
    choices: list[Choice] = []
    seen: dict[str, str] = {}
    for row in active:
        found = choice_of(row, scene)
        if row.name == TORCH:
            if isinstance(found, InstallOutcome):
                return _for(found, document.tool, said)
            if seen.setdefault(TORCH, found.version) != found.version:
                return InstallOutcome(
                    status="open",
                    tool=document.tool,
                    assumption=said,
                    why=f"{document.path} holds several builds of torch for this platform: "
                    f"{', '.join(dict.fromkeys(row.version for row in torches))}",
                    files=tuple(row.at for row in torches),
                )
        elif isinstance(found, InstallOutcome) and found.status == "fails" and _stops(row):
            return _for(found, document.tool, said)
        if isinstance(found, Choice) and not any(c.name == found.name for c in choices):
            choices.append(found)
    return InstallOutcome(
        status="installs", tool=document.tool, assumption=said, choices=tuple(choices)
    )


def _stops(row: Pinned) -> bool:
    """Whether the tool ends with an error where no wheel of an entry suits.

    Not every lock says on which platforms an entry is installed, and some entries can be built.
    """
    return row.wheels_alone or row.name in COMPANIONS


def choice_of(row: Pinned, scene: Scene) -> Choice | InstallOutcome:
    """The build that an entry of a lock stands for; else an outcome, its tool to be filled in."""
    if row.unread:
        return InstallOutcome(status="open", tool="", why=row.unread, files=(row.at,))
    if row.conda is not None:
        _, channel, cuda = row.conda
        if row.name == TORCH:
            return conda_choice(channel, row.version, cuda, row.at, scene)
        return Choice(name=row.name, version=row.version, at=row.at, index=channel)
    wheels = [file for file in row.files if wheel_tags(file)]
    fitting = [file for file in wheels if scene.takes(file)]
    if (wheels or row.listed) and not fitting:
        return _no_wheel(row, wheels, scene)
    # Of several files of one release (PDM keeps them together) the labelled one is the higher.
    file = (
        max(fitting, key=_file_version, default=None)
        if len(fitting) > 1
        else next(iter(fitting), None)
    )
    return built(row.name, row.version, file, row.index, row.default, row.at, scene)


def _file_version(name: str) -> Any:
    return version(wheel_version(name) or "0")


def built(
    name: str,
    stated: str,
    file: str | None,
    index: str | None,
    default: str,
    at: FileAt,
    scene: Scene,
) -> Choice | InstallOutcome:
    """Which build a version is: by its label, the file's, the path of its URL, or its index."""
    text = stated
    if file and "+" not in text:
        text = wheel_version(file) or text
    release, label = split_label(text)
    variant: str | None = label or None
    where = index
    if file and "://" in file and kb_indexes.carried(file).kind in ("variant", "pypi"):
        where = index or file
        found = kb_indexes.carried(file)
        variant = variant or found.variant
    if variant is None and index is not None:
        variant = kb_indexes.carried(index).variant
    if variant is None:
        kind = kb_indexes.carried(where).kind if where else default
        if kind != "pypi" and name == TORCH:
            return InstallOutcome(
                status="open",
                tool="",
                why=f"which build {name} {stated} of {shown(where) if where else 'that index'} "
                "is cannot be told: its file has no label",
                files=(at,),
            )
        variant = default_variant(name, release, scene.platform) if kind == "pypi" else None
    if variant and name == TORCH and variant[:2] == "cu" and scene.platform.startswith("macos"):
        variant = "cpu"
    build = _build(text, variant, scene) if name == TORCH else None
    return Choice(name=name, version=text, at=at, index=where, variant=variant, build=build)


def default_variant(name: str, release: str, platform: str) -> str | None:
    """The variant that PyPI's file of torch, or of a companion, is a build of."""
    if name == TORCH:
        row = torch_releases.release(release)
        return row.default_variants.get(platform) if row else None
    for row in torch_releases.releases():
        companion = row.companions.get(name)
        if companion is not None and companion.version == release:
            return row.default_variants.get(platform)
    return None


def shown(url: str) -> str:
    """A URL without what may be a password."""
    scheme, separator, rest = url.partition("://")
    return f"{scheme}{separator}{rest.rsplit('@', 1)[-1]}"


def _build(stated: str, variant: str | None, scene: Scene) -> Build | None:
    if variant is None:
        return None
    if "dev" in stated:
        return None
    found = torch_releases.build(stated, variant, scene.platform)
    return found if found is not None and found.exists else None


def _no_wheel(row: Pinned, wheels: Sequence[str], scene: Scene) -> InstallOutcome:
    """Why none of the files of an entry can be installed."""
    other = Scene(scene.platform, scene.python, glibc=None)
    pythons = sorted(
        {
            f"{tag[2]}.{tag[3:]}"
            for file in wheels
            for tags in [wheel_tags(file)]
            if tags and any(other.platform_fits(platform) for platform in tags[2])
            for tag in tags[1]
            if tag.startswith("cp")
        },
        key=lambda text: int("".join(c for c in text[2:] if c.isdigit()) or 0),
    )
    what = f"{row.name} {row.version}"
    if pythons:
        why = (
            f"{what} has no wheel for Python {scene.python} in {row.at.path}; it has them for "
            f"{', '.join(pythons)}"
        )
        return InstallOutcome(status="fails", tool="", why=why, reason="python", files=(row.at,))
    why = f"{what} has no wheel for {scene.platform} in {row.at.path}"
    if wheels:
        why += f": {_names(wheels)}"
    return InstallOutcome(status="fails", tool="", why=why, reason="platform", files=(row.at,))


def _names(files: Iterable[str]) -> str:
    names = [file_name(file) for file in files]
    return names[0] + (f" and {len(names) - 1} more" if len(names) > 1 else "")


def _without(document: InstallFile, said: str) -> InstallOutcome:
    if document.optional:
        ways = ", ".join(document.optional)
        why = f"{document.path} brings torch only with {ways}"
        return InstallOutcome(status="open", tool=document.tool, assumption=said, why=why)
    if document.gaps:
        gap = document.gaps[0]
        return InstallOutcome(
            status="open", tool=document.tool, assumption=said, why=gap.why, files=(gap.at,)
        )
    why = f"{document.path} installs no torch on this platform and Python"
    return InstallOutcome(status="nothing", tool=document.tool, assumption=said, why=why)


def _for(outcome: InstallOutcome, tool: str, said: str) -> InstallOutcome:
    return replace(outcome, tool=tool, assumption=said)
