"""From files to outcomes: what is installed, by whom, on one platform and Python."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from gpudoctor.errors import UsageError
from gpudoctor.manifests import formats
from gpudoctor.manifests.choice import InstallOutcome
from gpudoctor.manifests.install_file import InstallFile
from gpudoctor.manifests.resolvers import locked as lock
from gpudoctor.manifests.resolvers import pip
from gpudoctor.manifests.scene import Scene
from gpudoctor.manifests.source_files import SourceFile
from gpudoctor.model.finding import FileAt
from gpudoctor.model.lazy import later
from gpudoctor.model.requirements.specifier import allows
from gpudoctor.model.value import dataclass, replace

if TYPE_CHECKING:
    from gpudoctor.manifests.readers import pyproject
    from gpudoctor.manifests.resolvers import conda, pdm, pipenv, poetry, uv
else:  # each is loaded for its tool alone
    conda = later("gpudoctor.manifests.resolvers.conda")
    pdm = later("gpudoctor.manifests.resolvers.pdm")
    pipenv = later("gpudoctor.manifests.resolvers.pipenv")
    poetry = later("gpudoctor.manifests.resolvers.poetry")
    pyproject = later("gpudoctor.manifests.readers.pyproject")
    uv = later("gpudoctor.manifests.resolvers.uv")


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """One installation that files describe, and what comes of it."""

    document: InstallFile
    outcome: InstallOutcome


def installations(sources: Sequence[SourceFile], scene: Scene) -> tuple[Installation, ...]:
    """What each of the files installs; requirements files that are named together are one.

    Raises:
        UsageError: a file is not of its format.
    """
    documents: list[InstallFile] = []
    for source in sources:
        try:
            found = formats.document(source, _defaults(source, scene))
        except ValueError as error:  # a marker or a version that is none
            raise UsageError(f"{source.path} cannot be read: {error}") from None
        if found.format == "requirements" and documents and documents[-1].format == found.format:
            documents[-1] = _joined(documents[-1], found)
        else:
            documents.append(found)
    _declared(documents, scene)
    return tuple(_installation(document, scene) for document in documents)


def _declared(documents: Sequence[InstallFile], scene: Scene) -> None:
    """Refuse an extra or a group that no file knows: the tool would end with an error.

    Raises:
        UsageError: there is one.
    """
    for word, asked, said in (
        ("extra", scene.extras, [document.extras for document in documents]),
        ("group", scene.groups, [document.groups for document in documents]),
    ):
        if any(names is None for names in said):
            continue
        known = sorted({name for names in said if names is not None for name in names})
        for name in asked:
            if name not in known:
                have = f"has {', '.join(known)}" if known else "has none"
                raise UsageError(f"{documents[0].path} has no {word} {name}; it {have}")


def _installation(document: InstallFile, scene: Scene) -> Installation:
    try:
        return Installation(document=document, outcome=resolve(document, _scene(document, scene)))
    except ValueError as error:
        raise UsageError(f"{document.path} cannot be read: {error}") from None


def resolve(document: InstallFile, scene: Scene) -> InstallOutcome:
    """What the tool of a document makes of it."""
    if document.settled is not None:
        return document.settled
    if refused := _refused(document, scene):
        return refused
    if document.pinned is not None:
        return lock.resolve(document, scene)
    asked = document.format == "requirements" and scene.tool == "uv"
    return _MODELS.get("uv" if asked else document.tool, pip.resolve)(document, scene)


_MODELS: dict[str, Callable[[InstallFile, Scene], InstallOutcome]] = {
    "uv": lambda document, scene: uv.resolve(document, scene),
    "poetry": lambda document, scene: poetry.resolve(document, scene),
    "pdm": lambda document, scene: pdm.resolve(document, scene),
    "pipenv": lambda document, scene: pipenv.resolve(document, scene),
    "conda": lambda document, scene: conda.resolve(document, scene),
    "pixi": lambda document, scene: conda.resolve(document, scene),
}
"""How a tool chooses; all others choose as pip does."""


def _refused(document: InstallFile, scene: Scene) -> InstallOutcome | None:
    """What the tool answers where the project excludes this Python or platform."""
    if document.environments and not any(map(scene.applies, document.environments)):
        why = (
            f"{document.path} is locked for environments ({'; '.join(document.environments)}) of "
            f"which {scene.platform} with Python {scene.python} is none"
        )
        return InstallOutcome(
            status="fails", tool=document.tool, why=why, reason="platform",
            files=(FileAt(document.path),), assumption=f"with {document.tool}", at_install=True,
        )  # fmt: skip
    allowed = document.requires_python
    version = scene.python.rstrip("t")
    try:
        fits = not allowed or any(allows(allowed, f"{version}.{patch}") for patch in (0, 9))
    except ValueError:
        return None
    if fits:
        return None
    why = f"{document.path} requires Python {allowed}, and this is {scene.python}"
    return InstallOutcome(
        status="fails",
        tool=document.tool,
        why=why,
        reason="python",
        files=(FileAt(document.path),),
        assumption=f"with {document.tool}",
    )


def _joined(one: InstallFile, other: InstallFile) -> InstallFile:
    """`pip install -r one -r other`."""
    return replace(
        one,
        wishes=one.wishes + other.wishes,
        indexes=one.indexes + other.indexes,
        gaps=one.gaps + other.gaps,
        options={**one.options, **other.options},
        hashless=one.hashless + other.hashless,
        broken=one.broken + other.broken,
        gone=one.gone + other.gone,
    )


def _scene(document: InstallFile, scene: Scene) -> Scene:
    """The scene with the groups that the tool installs unasked."""
    if document.python is not None and document.python != scene.python:
        # The file installs its own Python.
        scene = replace(scene, python=document.python)
    default = document.options.get("default-groups")
    if not default:
        return scene
    names = {wish.group for wish in document.wishes if wish.group}
    more = names if default == "all" else set(default.split(","))
    return scene.with_groups(more)


def _defaults(source: SourceFile, scene: Scene) -> Scene:
    """For a uv.lock: the groups that the pyproject.toml beside it installs unasked."""
    if formats.format_of(source) != "uv.lock":
        return scene
    beside = source.beside("pyproject.toml")
    groups: tuple[str, ...] = ("dev",)
    if beside is not None:
        said = pyproject.read(beside, "uv")
        groups = _scene(said, Scene(scene.platform, scene.python)).groups
    return scene.with_groups(groups)
