"""The command lines of pip, uv, conda, poetry and their like in a RUN line."""

from __future__ import annotations

import posixpath
import re

from gpudoctor.manifests.containers.conda_lines import conda, project
from gpudoctor.manifests.containers.install_line import concerns, install
from gpudoctor.manifests.containers.pip_settings import (
    configure,
    is_settings,
    unread_settings,
)
from gpudoctor.manifests.containers.run_commands import ShellCommand, commands
from gpudoctor.manifests.containers.stage import Stage
from gpudoctor.manifests.universe import TORCH
from gpudoctor.model.finding import FileAt
from gpudoctor.model.requirements.requirement_line import normal

_PIP = re.compile(r"(?:.*/)?pip(?:3(?:\.\d+)?)?\Z")
_PYTHON = re.compile(r"(?:.*/)?python(?:3(?:\.\d+)?)?\Z")
_CONDA = ("conda", "mamba", "micromamba")
_INSTALLER = re.compile(
    r"(?i)((miniconda|miniforge|mambaforge|anaconda)[^/]*|uv[-_]?install(er)?|rustup[^/]*)\.sh\Z"
)
_TOOLS_SCRIPT = re.compile(
    r"https?://(astral\.sh/uv|sh\.rustup\.rs|deb\.nodesource\.com|install\.python-poetry\.org"
    r"|pdm-project\.org|micro\.mamba\.pm|pixi\.sh|bootstrap\.pypa\.io|get\.docker\.com"
    r"|packagecloud\.io|ollama\.com/install|dotenvx\.sh|just\.systems|get\.helm\.sh)"
)
"""Installers of one tool each, which are piped into a shell: none of them brings torch."""
_SCRIPT = re.compile(r"(?:\./|/)?[\w./-]+\.(sh|py)\Z")


def run(stage: Stage, line: str, at: FileAt) -> None:
    """Follow one shell line."""
    found = commands(line)
    if found is None:
        if concerns(line):
            stage.unclear(f"the shell in {at.path}, line {at.line}, cannot be followed", at)
        return
    active = stage.variables.get("VIRTUAL_ENV")
    before: Stage | None = None
    fetched = False
    for command in found:
        if command.alternative:
            failed = stage.failed is not None and before is not None and before.failed is None
            if not failed or command.words[:1] in (("exit",), ("false",), ("return",)):
                continue
            if before is not None:
                stage.inherit(before)
        before = Stage(stage.source, stage.scene)
        before.inherit(stage)
        piped = fetched and command.words[:1] in (("sh",), ("bash",), ("sudo",))
        if not piped:
            follow(stage, command, at)
        fetched = command.words[:1] in (("curl",), ("wget",)) and any(
            map(_TOOLS_SCRIPT.search, command.words)
        )
    # An environment is active for its line alone.
    if active is None:
        stage.variables.pop("VIRTUAL_ENV", None)
    else:
        stage.variables["VIRTUAL_ENV"] = active


def follow(stage: Stage, command: ShellCommand, at: FileAt) -> None:
    """Follow one simple command."""
    words = list(command.words)
    while words and words[0] in ("sudo", "exec", "time", "env", "command"):
        words.pop(0)
    if is_settings(command.writes):
        unread_settings(stage, command.writes)
    if not words:
        stage.variables.update(dict(command.variables))
        return
    extra = dict(command.variables)
    stage.typed = tuple(words)
    name = words[0].rsplit("/", 1)[-1]
    if found := _chosen_python(name, words):
        stage.take_python(found)
    if name == "export":
        pairs = (word.partition("=") for word in words[1:] if "=" in word)
        stage.variables.update({key: value for key, _, value in pairs})
    elif name in (".", "source") and words[-1].endswith("/bin/activate"):
        folder = words[-1].removesuffix("/bin/activate")
        stage.variables["VIRTUAL_ENV"] = posixpath.normpath(posixpath.join(stage.folder, folder))
    elif name == "cd" and len(words) > 1:
        stage.folder = words[1] if words[1].startswith("/") else f"{stage.folder}/{words[1]}"
    elif name in ("sh", "bash") and len(words) > 2 and words[1] in ("-c", "-lc", "-ec", "-exc"):
        run(stage, words[2], at)
    elif _PIP.match(words[0]):
        pip(stage, words[1:], at, extra)
    elif _PYTHON.match(words[0]) and words[1:3] == ["-m", "pip"]:
        pip(stage, words[3:], at, extra)
    elif _PYTHON.match(words[0]) and words[1:3] == ["-m", "uv"]:
        uv(stage, words[3:], at, extra)
    elif name == "uv":
        uv(stage, words[1:], at, extra)
    elif name in _CONDA and words[1:2] == ["run"]:
        follow(stage, ShellCommand(_without_options(words[2:])), at)
    elif name in _CONDA:
        conda(stage, words[1:], at, extra)
    elif name in ("poetry", "pdm", "pipenv", "pixi"):
        project(stage, name, words[1:], at)
    elif any(map(_INSTALLER.search, words)):
        return  # conda alone: none of its installers brings torch
    elif name in ("sh", "bash") or (_SCRIPT.match(words[0])):
        stage.unclear(
            f"{at.path}, line {at.line}, runs {' '.join(words)[:60]}, which is not read", at
        )


def pip(stage: Stage, words: list[str], at: FileAt, extra: dict[str, str]) -> None:
    """`pip install …` and `pip uninstall …`."""
    while words and words[0].startswith("-"):
        words = words[1:]
    if words[:1] == ["uninstall"]:
        for word in words[1:]:
            if stage.installed.pop(normal(word), None) and normal(word) == TORCH:
                stage.open = None
    elif words[:1] == ["install"]:
        install(stage, words[1:], at, "pip", {**stage.variables, **extra})
    elif words[:1] == ["config"]:
        configure(stage, words[1:])


def uv(stage: Stage, words: list[str], at: FileAt, extra: dict[str, str]) -> None:
    """`uv pip install …`, `uv sync`, `uv add …`."""
    variables = {**stage.variables, **extra}
    if words[:1] == ["pip"] and words[1:2] in (["install"], ["sync"]):
        rest = words[2:]
        if words[1] == "sync":
            rest = [
                w for word in rest for w in (("-r", word) if word.endswith(".txt") else (word,))
            ]
        install(stage, rest, at, "uv", variables)
    elif words[:2] == ["pip", "uninstall"]:
        pip(stage, words[1:], at, extra)
    elif words[:1] in (["sync"], ["run"]):
        project(stage, "uv", words, at)
    elif words[:1] == ["add"] and concerns(" ".join(words)):
        install(stage, words[1:], at, "uv", variables)


def _chosen_python(name: str, words: list[str]) -> str | None:
    """The Python that a command makes the one in use: `python3.11 -m venv`, `ln -s …`."""
    if found := re.fullmatch(r"(?:python|pip)(3\.\d+)", name):
        return found[1]
    text = " ".join(words)
    if name in ("ln", "update-alternatives"):
        link = re.search(r"python(3\.\d+)\b.*/python3?\Z|/python3?\b.*python(3\.\d+)", text)
        return (link[1] or link[2]) if link else None
    if name == "uv" and words[1:2] in (["venv"], ["python"]):
        said = re.search(r"(?:--python|-p|install|pin)[ =](3\.\d+)", text)
        return said[1] if said else None
    return None


def _without_options(words: list[str]) -> tuple[str, ...]:
    """The command in `conda run -n env python …`."""
    rest = list(words)
    while rest and rest[0].startswith("-"):
        valued = rest[0] in ("-n", "-p", "--name", "--prefix")
        rest = rest[2 if valued else 1 :]
    return tuple(rest)
