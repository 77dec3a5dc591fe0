"""conda's command lines, and the tools that install a whole project from its lock."""

from __future__ import annotations

import re
from collections.abc import Mapping

from gpudoctor.manifests.choice import InstallOutcome
from gpudoctor.manifests.containers.places import project_place
from gpudoctor.manifests.containers.stage import Stage
from gpudoctor.manifests.install_file import CondaSpec, InstallFile
from gpudoctor.manifests.project import installations
from gpudoctor.manifests.readers import environment_yml, pyproject
from gpudoctor.manifests.resolvers import conda as model
from gpudoctor.manifests.source_files import SourceFile
from gpudoctor.model.finding import FileAt
from gpudoctor.model.requirements.requirement_line import normal
from gpudoctor.model.value import replace

_ALL = {"--all-extras", "--all-groups", "--dev", "-d"}


def conda(
    stage: Stage, words: list[str], at: FileAt, extra: Mapping[str, str] | None = None
) -> None:
    """`conda install …`, `conda env create -f …`."""
    verb = next((w for w in words if w in ("install", "create", "update")), None)
    if verb is None:
        return
    variables = {**stage.variables, **(extra or {})}
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
                stage.take_python(document.python)
                scene = stage.scene
            stage.take(model.resolve(_built(document, variables), scene), at)
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
    document = InstallFile(
        path=at.path, format="environment.yml", tool="conda", conda=tuple(specs),
        channels=tuple(channels),
    )  # fmt: skip
    stage.take(model.resolve(_built(document, variables), stage.scene), at)


def _built(document: InstallFile, variables: Mapping[str, str]) -> InstallFile:
    """A document as it is solved in an image: no driver is there, but what a variable claims.

    Source: conda documentation, "Overriding detected packages".
    """
    claimed = variables.get("CONDA_OVERRIDE_CUDA")
    options = {**document.options, "builder": "yes", **({"cuda": claimed} if claimed else {})}
    return replace(document, options=options)


def project(stage: Stage, tool: str, words: list[str], at: FileAt) -> None:
    """`uv sync`, `poetry install` …: what the lock or the manifest in the folder says."""
    verbs = {"uv": ("sync", "run"), "poetry": ("install", "sync"), "pdm": ("install", "sync"),
             "pipenv": ("install", "sync"), "pixi": ("install",)}[tool]  # fmt: skip
    if not words or words[0] not in verbs:
        return
    extras = _values(words, ("--extra", "-E", "--extras"))
    groups = _values(words, ("--group", "--with", "-G"))
    without = _values(words, ("--no-group", "--without"))
    if set(words) & {"--no-default-groups", "--prod", "--production"}:
        without = ("*",)
    elif set(words) & {"--no-dev"}:
        without = (*without, "dev")
    if set(words) & _ALL:
        more, other = _every(stage)
        extras += more if {"--all-extras"} & set(words) else ()
        groups += other if {"--all-groups", "--dev", "-d"} & set(words) else ()
    only = _values(words, ("--only-group", "--only"))
    if only == ("main",):
        without = ("*",)
    elif only or "--only-dev" in words or "--no-install-package" in " ".join(words):
        why = f"{at.path}, line {at.line}, installs a part of the project alone"
        stage.unclear(why, at)
        return
    names = {"uv": ("uv.lock", "pyproject.toml"), "poetry": ("poetry.lock", "pyproject.toml"),
             "pdm": ("pdm.lock", "pyproject.toml"), "pipenv": ("Pipfile.lock", "Pipfile"),
             "pixi": ("pixi.lock", "pixi.toml", "pyproject.toml")}[tool]  # fmt: skip
    found = next((source for name in names if (source := stage.find(name)) is not None), None)
    if found is None:
        stage.unclear(
            f"the project that {tool} installs in {at.path}, line {at.line}, is not here", at
        )
        return
    outcome = _outcome(stage, found, extras, groups, without)
    if outcome.status != "nothing":
        stage.tool = tool
        stage.take(outcome, at, place=project_place(stage, tool))


def _every(stage: Stage) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names of all extras and groups of the project in the folder with torch in them."""
    found = stage.find("pyproject.toml")
    wishes = pyproject.read(found).wishes if found is not None else ()
    extras = {wish.extra for wish in wishes if wish.extra}
    groups = {wish.group for wish in wishes if wish.group} | {"dev"}
    return tuple(sorted(extras)), tuple(sorted(groups))


def _outcome(
    stage: Stage,
    source: SourceFile,
    extras: tuple[str, ...],
    groups: tuple[str, ...],
    without: tuple[str, ...],
) -> InstallOutcome:
    old = stage.scene
    scene = replace(
        old,
        extras=(*old.extras, *extras),
        groups=(*old.groups, *groups),
        glibc=None,
        tool=None,
        without=without,
    )
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
