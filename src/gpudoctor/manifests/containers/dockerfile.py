"""A Dockerfile: its stages in order, the last one's torch, and the lines that brought it."""

from __future__ import annotations

import posixpath
import re

from gpudoctor.manifests.choice import InstallOutcome
from gpudoctor.manifests.containers.install_line import concerns
from gpudoctor.manifests.containers.installers import run
from gpudoctor.manifests.containers.instructions import Instruction, instructions
from gpudoctor.manifests.containers.pip_settings import (
    is_settings,
    read_settings,
    unread_settings,
)
from gpudoctor.manifests.containers.places import brings_python, takes_along
from gpudoctor.manifests.containers.run_commands import branches, expand, heredoc_kind
from gpudoctor.manifests.containers.stage import Stage, document_of
from gpudoctor.manifests.install_file import InstallFile
from gpudoctor.manifests.scene import Scene
from gpudoctor.manifests.source_files import SourceFile
from gpudoctor.manifests.universe import TORCH
from gpudoctor.model.finding import FileAt
from gpudoctor.model.value import replace

_PAIR = re.compile(r'([A-Za-z_][A-Za-z0-9_]*)=("(?:[^"\\]|\\.)*"|\'[^\']*\'|\S*)')


def read(source: SourceFile, scene: Scene) -> InstallFile:
    """Read a Dockerfile for a scene; a target stage may be named by `--group`."""
    named = re.findall(r"(?im)^\s*FROM\s.*\sAS\s+(\S+)", source.text)
    target = next((name for name in named if name.lower() in scene.groups), None)
    return document_of(source.path, outcome_of(source, scene, target=target))


def outcome_of(
    source: SourceFile,
    scene: Scene,
    *,
    target: str | None = None,
    given: dict[str, str] | None = None,
) -> InstallOutcome:
    """What the last stage, or the target, holds."""
    stages: dict[str, Stage] = {}
    current: Stage | None = None
    arguments = {**_automatic(scene), **(given or {})}
    position = 0
    for item in instructions(source.text):
        at = FileAt(source.path, item.line)
        if item.word == "ARG" and current is None:
            name, _, value = item.text.partition("=")
            if value:
                arguments.setdefault(name.strip(), expand(value.strip().strip("\"'"), arguments)[0])
        elif item.word == "FROM":
            current = _begin(source, scene, item, at, stages, arguments)
            words = item.text.split()
            name = words[2].lower() if len(words) > 2 and words[1].lower() == "as" else ""
            stages[str(position)] = current
            stages[name or f"#{position}"] = current
            position += 1
            if target is not None and name == target.lower():
                # The rest of this stage follows; what comes after it does not count.
                stages["*target"] = current
        elif current is not None:
            _follow(current, item, at, stages, arguments)
    chosen = stages.get("*target") or current
    if chosen is None:
        return InstallOutcome(
            status="open", tool="docker", why=f"{source.path} has no FROM line",
            files=(FileAt(source.path),),
        )  # fmt: skip
    return chosen.outcome(source.path)


def _automatic(scene: Scene) -> dict[str, str]:
    """What docker sets itself (docs.docker.com, "Automatic platform ARGs in the global scope")."""
    machine = "arm64" if scene.platform.endswith(("aarch64", "arm64")) else "amd64"
    return {
        "TARGETPLATFORM": f"linux/{machine}",
        "BUILDPLATFORM": f"linux/{machine}",
        "TARGETOS": "linux",
        "TARGETARCH": machine,
    }


def _begin(
    source: SourceFile,
    scene: Scene,
    item: Instruction,
    at: FileAt,
    stages: dict[str, Stage],
    arguments: dict[str, str],
) -> Stage:
    platform = expand(item.flag("platform") or "", arguments)[0]
    if machine := {"linux/arm64": "aarch64", "linux/amd64": "x86_64"}.get(
        platform.removesuffix("/v8")
    ):
        scene = replace(scene, platform=f"linux_{machine}")
    stage = Stage(source, scene)
    words = item.text.split()
    reference, missing = expand(words[0] if words else "", arguments)
    known = stages.get(reference.lower())
    if known is not None:
        stage.inherit(known)
    elif missing:
        stage.unclear(f"the base image depends on {missing[0]}, which has no value here", at)
    else:
        stage.begin(reference, at)
    return stage


def _follow(
    stage: Stage,
    item: Instruction,
    at: FileAt,
    stages: dict[str, Stage],
    arguments: dict[str, str],
) -> None:
    if item.word == "ENV":
        _environment(stage, item.text)
    elif item.word == "ARG":
        name, separator, value = item.text.partition("=")
        bare = name.strip()
        if bare in arguments:
            stage.variables[bare] = arguments[bare]
        elif separator:
            stage.variables[bare] = expand(value.strip().strip("\"'"), stage.variables)[0]
    elif item.word == "WORKDIR":
        folder = expand(item.text.strip(), stage.variables)[0]
        stage.folder = posixpath.normpath(posixpath.join(stage.folder, folder))
    elif item.word in ("COPY", "ADD"):
        _copy(stage, item, stages, at)
    elif item.word in ("CMD", "ENTRYPOINT"):
        stage.started += item.text
    elif item.word == "RUN":
        _run(stage, item, at)


def _environment(stage: Stage, text: str) -> None:
    pairs = _PAIR.findall(text)
    if not pairs and " " in text:
        name, _, value = text.partition(" ")
        pairs = [(name, value.strip())]
    for name, value in pairs:
        stage.variables[name] = expand(value.strip("\"'"), stage.variables)[0]


def _copy_from(stage: Stage, other: Stage, words: list[str], at: FileAt) -> None:
    """What was installed in another stage, where these paths hold it."""
    *sources, target = (expand(word, stage.variables)[0] for word in words)
    if not takes_along(other.place, sources):
        return
    one, two = other.installed.get(TORCH), stage.installed.get(TORCH)
    if one is not None and two is not None and one != two and other.place in sources:
        stage.second = (target.rstrip("/"), dict(other.installed))
        stage.brought = {**other.brought, **stage.brought}
        return
    for name, choice in other.installed.items():
        stage.installed.setdefault(name, choice)
    stage.brought = {**other.brought, **stage.brought}
    stage.open = stage.open or (None if stage.installed else other.open)
    stage.failed = stage.failed or other.failed
    stage.tool = other.tool
    stage.place = target.rstrip("/") if other.place in sources else None
    here, there = stage.scene.python, other.scene.python
    if brings_python(sources):
        stage.managed = other.managed
    stated = other.python_stated and stage.python_stated
    if stated and here != there and other.installed and not brings_python(sources):
        why = (
            f"{at.path}, line {at.line}, copies what was installed for Python {there} into an "
            f"image with Python {here}"
        )
        stage.unclear(why, at)


def _copy(stage: Stage, item: Instruction, stages: dict[str, Stage], at: FileAt) -> None:
    words = list(item.words or item.text.split())
    if len(words) < 2:
        return
    origin = item.flag("from")
    if origin is not None:
        other = stages.get(expand(origin, stage.variables)[0].lower())
        if other is None:
            other = Stage(stage.source, stage.scene)
            other.begin(expand(origin, stage.variables)[0], at)
            if not other.installed:
                return
        _copy_from(stage, other, words, at)
        return
    target = expand(words[-1], stage.variables)[0]
    folder = target.endswith("/") or len(words) > 2 or target in (".", "./")
    place = posixpath.normpath(posixpath.join(stage.folder, target))
    for name in words[:-1]:
        there = posixpath.join(place, posixpath.basename(name)) if folder else place
        if is_settings(there):
            read_settings(stage, stage.source.beside(name), there)
        here = name.removeprefix("./") or "."
        if folder and here not in (".", "./"):
            stage.copied[posixpath.join(place, posixpath.basename(here))] = here
        else:
            stage.copied[place] = here


def _mount(stage: Stage, item: Instruction) -> None:
    """What `--mount=type=bind,source=uv.lock,target=uv.lock` puts into the image for one line."""
    for name, value in item.flags:
        parts = dict(part.partition("=")[::2] for part in value.split(","))
        if name == "mount" and parts.get("type") == "bind" and "from" not in parts:
            target = parts.get("target") or parts.get("dst") or parts.get("destination") or ""
            here = parts.get("source") or parts.get("src") or "."
            stage.copied[posixpath.normpath(posixpath.join(stage.folder, target))] = here


def _run(stage: Stage, item: Instruction, at: FileAt) -> None:
    _mount(stage, item)
    if item.heredoc:
        kind = heredoc_kind(item.text)
        if kind != "shell":
            if kind == "program" and concerns("\n".join(item.heredoc)):
                stage.unclear(f"the program in {at.path}, line {at.line}, is not read", at)
            elif is_settings(kind):
                unread_settings(stage, kind)
            return
        joined = ""
        for offset, line in enumerate(item.heredoc):
            if line.lstrip().startswith("#"):
                continue
            if not joined and branches(line):
                if concerns("\n".join(item.heredoc[offset:])):
                    place = FileAt(at.path, item.heredoc_line + offset)
                    said = f"the shell in {at.path}, line {place.line}, cannot be followed"
                    stage.unclear(said, place)
                break
            joined += line.rstrip().removesuffix("\\") + " "
            if not line.rstrip().endswith("\\"):
                place = FileAt(at.path, item.heredoc_line + offset)
                run(stage, expand(joined, stage.variables)[0], place)
                joined = ""
        return
    words = item.words
    if words is not None:
        import shlex

        if len(words) > 2 and words[0].endswith("sh") and words[1] == "-c":
            run(stage, expand(words[2], stage.variables)[0], at)
        else:
            run(stage, shlex.join(words), at)
        return
    run(stage, expand(item.text, stage.variables)[0], at)
