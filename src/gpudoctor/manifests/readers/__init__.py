"""One file a format: from its text to a `InstallFile`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from gpudoctor.manifests.install_file import InstallFile
from gpudoctor.manifests.scene import Scene
from gpudoctor.manifests.source_files import SourceFile
from gpudoctor.model.lazy import later

if TYPE_CHECKING:
    from gpudoctor.manifests.containers import compose, dockerfile
    from gpudoctor.manifests.readers import (
        environment_yml,
        pipfile,
        pixi,
        pyproject,
        requirements_txt,
        setup_cfg,
    )
    from gpudoctor.manifests.readers.locks import (
        conda_list,
        installed_list,
        pdm_lock,
        poetry_lock,
        pylock,
        uv_lock,
    )
else:  # an installation is described in one or two of these formats
    compose = later("gpudoctor.manifests.containers.compose")
    conda_list = later("gpudoctor.manifests.readers.locks.conda_list")
    dockerfile = later("gpudoctor.manifests.containers.dockerfile")
    environment_yml = later("gpudoctor.manifests.readers.environment_yml")
    installed_list = later("gpudoctor.manifests.readers.locks.installed_list")
    pdm_lock = later("gpudoctor.manifests.readers.locks.pdm_lock")
    pipfile = later("gpudoctor.manifests.readers.pipfile")
    pixi = later("gpudoctor.manifests.readers.pixi")
    poetry_lock = later("gpudoctor.manifests.readers.locks.poetry_lock")
    pylock = later("gpudoctor.manifests.readers.locks.pylock")
    pyproject = later("gpudoctor.manifests.readers.pyproject")
    requirements_txt = later("gpudoctor.manifests.readers.requirements_txt")
    setup_cfg = later("gpudoctor.manifests.readers.setup_cfg")
    uv_lock = later("gpudoctor.manifests.readers.locks.uv_lock")

Reader = Callable[[SourceFile, Scene], InstallFile]


def reader_of(format_: str) -> Reader:
    """The reader of a format; each is imported when it is needed."""
    return _READERS[format_]


_READERS: dict[str, Reader] = {
    # Environment variables of whoever asks are not those of whoever installs.
    "requirements": lambda source, _: requirements_txt.read(source, {}),
    "pyproject": lambda source, scene: pyproject.read(source, scene.tool, scene),
    "uv.lock": lambda source, scene: uv_lock.read(source, scene),
    "pylock": lambda source, scene: pylock.read(source, scene),
    "poetry.lock": lambda source, scene: poetry_lock.read(source, scene),
    "pdm.lock": lambda source, scene: pdm_lock.read(source, scene),
    "Pipfile": lambda source, _: pipfile.read(source),
    "Pipfile.lock": lambda source, scene: pipfile.read_lock(source, scene),
    "setup.cfg": lambda source, _: setup_cfg.read(source),
    "explicit": lambda source, scene: conda_list.read_explicit(source, scene),
    "list.export": lambda source, scene: installed_list.read_export(source, scene),
    "list.table": lambda source, scene: installed_list.read_table(source, scene),
    "list.json": lambda source, scene: installed_list.read_json(source, scene),
    "conda-lock": lambda source, scene: conda_list.read_conda_lock(source, scene),
    "pixi.lock": lambda source, scene: conda_list.read_pixi_lock(source, scene),
    "pixi.toml": lambda source, scene: pixi.read(source, scene),
    "environment.yml": lambda source, _: environment_yml.read(source),
    "Dockerfile": lambda source, scene: dockerfile.read(source, scene),
    "compose": lambda source, scene: compose.read(source, scene),
}
