"""One file a format: from its text to a `InstallFile`."""

from __future__ import annotations

from collections.abc import Callable

from gpudoctor.manifests.install_file import InstallFile
from gpudoctor.manifests.scene import Scene
from gpudoctor.manifests.source_files import SourceFile

Reader = Callable[[SourceFile, Scene], InstallFile]


def reader_of(format_: str) -> Reader:
    """The reader of a format; each is imported when it is needed."""
    return _READERS[format_]


def _requirements(source: SourceFile, scene: Scene) -> InstallFile:  # noqa: ARG001 - one shape for all
    from gpudoctor.manifests.readers import requirements_txt as requirements

    # Environment variables of whoever asks are not those of whoever installs.
    return requirements.read(source, {})


def _pyproject(source: SourceFile, scene: Scene) -> InstallFile:
    from gpudoctor.manifests.readers import pyproject

    return pyproject.read(source, scene.tool, scene)


def _uv_lock(source: SourceFile, scene: Scene) -> InstallFile:
    from gpudoctor.manifests.readers.locks import uv_lock

    return uv_lock.read(source, scene)


def _pylock(source: SourceFile, scene: Scene) -> InstallFile:
    from gpudoctor.manifests.readers.locks import pylock

    return pylock.read(source, scene)


def _poetry_lock(source: SourceFile, scene: Scene) -> InstallFile:
    from gpudoctor.manifests.readers.locks import poetry_lock

    return poetry_lock.read(source, scene)


def _pdm_lock(source: SourceFile, scene: Scene) -> InstallFile:
    from gpudoctor.manifests.readers.locks import pdm_lock

    return pdm_lock.read(source, scene)


def _pipfile(source: SourceFile, scene: Scene) -> InstallFile:  # noqa: ARG001 - one shape for all
    from gpudoctor.manifests.readers import pipfile

    return pipfile.read(source)


def _pipfile_lock(source: SourceFile, scene: Scene) -> InstallFile:
    from gpudoctor.manifests.readers import pipfile

    return pipfile.read_lock(source, scene)


def _setup_cfg(source: SourceFile, scene: Scene) -> InstallFile:  # noqa: ARG001 - one shape for all
    from gpudoctor.manifests.readers import setup_cfg

    return setup_cfg.read(source)


def _explicit(source: SourceFile, scene: Scene) -> InstallFile:
    from gpudoctor.manifests.readers.locks import conda_list

    return conda_list.read_explicit(source, scene)


def _list_export(source: SourceFile, scene: Scene) -> InstallFile:
    from gpudoctor.manifests.readers.locks import installed_list

    return installed_list.read_export(source, scene)


def _list_table(source: SourceFile, scene: Scene) -> InstallFile:
    from gpudoctor.manifests.readers.locks import installed_list

    return installed_list.read_table(source, scene)


def _list_json(source: SourceFile, scene: Scene) -> InstallFile:
    from gpudoctor.manifests.readers.locks import installed_list

    return installed_list.read_json(source, scene)


def _conda_lock(source: SourceFile, scene: Scene) -> InstallFile:
    from gpudoctor.manifests.readers.locks import conda_list

    return conda_list.read_conda_lock(source, scene)


def _pixi_lock(source: SourceFile, scene: Scene) -> InstallFile:
    from gpudoctor.manifests.readers.locks import conda_list

    return conda_list.read_pixi_lock(source, scene)


def _pixi_toml(source: SourceFile, scene: Scene) -> InstallFile:
    from gpudoctor.manifests.readers import pixi

    return pixi.read(source, scene)


def _environment_yml(source: SourceFile, scene: Scene) -> InstallFile:  # noqa: ARG001 - one shape for all
    from gpudoctor.manifests.readers import environment_yml

    return environment_yml.read(source)


def _dockerfile(source: SourceFile, scene: Scene) -> InstallFile:
    from gpudoctor.manifests.containers import dockerfile

    return dockerfile.read(source, scene)


def _compose(source: SourceFile, scene: Scene) -> InstallFile:
    from gpudoctor.manifests.containers import compose

    return compose.read(source, scene)


_READERS: dict[str, Reader] = {
    "requirements": _requirements,
    "pyproject": _pyproject,
    "uv.lock": _uv_lock,
    "pylock": _pylock,
    "poetry.lock": _poetry_lock,
    "pdm.lock": _pdm_lock,
    "Pipfile": _pipfile,
    "Pipfile.lock": _pipfile_lock,
    "setup.cfg": _setup_cfg,
    "explicit": _explicit,
    "list.export": _list_export,
    "list.table": _list_table,
    "list.json": _list_json,
    "conda-lock": _conda_lock,
    "pixi.lock": _pixi_lock,
    "pixi.toml": _pixi_toml,
    "environment.yml": _environment_yml,
    "Dockerfile": _dockerfile,
    "compose": _compose,
}
