"""conda's command lines, and the tools that install a whole project from its lock."""

from __future__ import annotations

import re

from gpudoctor.manifests.containers.stage import Stage, with_python
from gpudoctor.manifests.document import CondaSpec, Document, normal
from gpudoctor.manifests.outcome import Outcome
from gpudoctor.manifests.source import Source
from gpudoctor.model.finding import FileAt


def conda(stage: Stage, words: list[str], at: FileAt) -> None:
    """`conda install …`, `conda env create -f …`."""
    from gpudoctor.manifests.readers import environment_yml
    from gpudoctor.manifests.resolvers import conda as model

    verb = next((w for w in words if w in ("install", "create", "update")), None)
    if verb is None:
        return
    channels: list[str] = []
    specs: list[CondaSpec] = []
    position = words.index(verb) + 1
    while position < len(words):
        word = words[position]
        position += 1
        if word in ("-f", "--file") or word.startswith("--file="):
            name = word.partition("=")[2] or (words[position] if position < len(words) else "")
            position += 0 if "=" in word else 1
            found = stage.find(name)
            if found is None:
                stage.unclear(f"{name}, which {at.path} installs, is not here", at)
                return
            document = environment_yml.read(found)
            scene = stage.scene
            if document.python:
                scene = stage.scene = with_python(scene, document.python)
            stage.take(model.resolve(document, scene), at)
            return
        if word in ("-c", "--channel", "-n", "--name", "-p", "--prefix"):
            value = words[position] if position < len(words) else ""
            position += 1
            if word in ("-c", "--channel"):
                channels.append(value.rstrip("/").rsplit("/", 1)[-1])
        elif not word.startswith("-"):
            specs.append(environment_yml.spec_of(word, at))
    if not any(spec.name.startswith("pytorch") for spec in specs):
        return
    document = Document(
        path=at.path, format="environment.yml", tool="conda", conda=tuple(specs),
        channels=tuple(channels),
    )  # fmt: skip
    stage.take(model.resolve(document, stage.scene), at)


def project(stage: Stage, tool: str, words: list[str], at: FileAt) -> None:
    """`uv sync`, `poetry install` …: what the lock or the manifest in the folder says."""
    verbs = {"uv": ("sync", "run"), "poetry": ("install", "sync"), "pdm": ("install", "sync"),
             "pipenv": ("install", "sync"), "pixi": ("install",)}[tool]  # fmt: skip
    if not words or words[0] not in verbs:
        return
    extras = _values(words, ("--extra", "-E", "--extras"))
    groups = _values(words, ("--group", "--with", "--only-group", "-G"))
    names = {"uv": ("uv.lock", "pyproject.toml"), "poetry": ("poetry.lock", "pyproject.toml"),
             "pdm": ("pdm.lock", "pyproject.toml"), "pipenv": ("Pipfile.lock", "Pipfile"),
             "pixi": ("pixi.lock", "pixi.toml", "pyproject.toml")}[tool]  # fmt: skip
    found = next((source for name in names if (source := stage.find(name)) is not None), None)
    if found is None:
        stage.unclear(
            f"the project that {tool} installs in {at.path}, line {at.line}, is not here", at
        )
        return
    outcome = _outcome(stage, found, extras, groups)
    if outcome.status != "nothing":
        stage.tool = tool
        stage.take(outcome, at)


def _outcome(
    stage: Stage, source: Source, extras: tuple[str, ...], groups: tuple[str, ...]
) -> Outcome:
    from gpudoctor.manifests.project import installations
    from gpudoctor.manifests.scene import Scene

    old = stage.scene
    scene = Scene(old.platform, old.python, (*old.extras, *extras), (*old.groups, *groups))
    return installations([source], scene)[0].outcome


def _values(words: list[str], names: tuple[str, ...]) -> tuple[str, ...]:
    found = []
    for position, word in enumerate(words):
        name, separator, value = word.partition("=")
        if name in names:
            said = value if separator else words[position + 1 : position + 2]
            text = said if isinstance(said, str) else " ".join(said)
            found += [normal(part) for part in re.split(r"[,\s]+", text) if part]
    return tuple(found)
