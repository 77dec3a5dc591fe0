"""Where in an image a command installs, and what of it a COPY into another stage takes along."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping, Sequence

from gpudoctor.manifests.containers.stage import Stage

SYSTEM = "/usr/local"
"""Where pip installs as root: the official Python images, Debian's and Ubuntu's Python alike."""

_STANDARD = ("/usr/local/bin", "/usr/local/sbin", "/usr/bin", "/bin", "/root/.local/bin", "/sbin")
_LIKELY = re.compile(
    r"(venv|site-packages|dist-packages|/usr/local|conda|\.local|/install|/app|pixi)"
)
_WITH_PYTHON = ("/", "/usr", "/usr/local", "/opt/conda")


def default_place(stage: Stage, variables: Mapping[str, str], tool: str) -> str | None:
    """The folder that `pip install` or `uv pip install` fills; `None`: that is not known."""
    program = stage.typed[0] if stage.typed else ""
    if "/bin/" in program:
        return placed(stage, program)
    if environment := variables.get("VIRTUAL_ENV"):
        return environment
    first = variables.get("PATH", "").split(":")[0]
    if first.endswith("/bin") and first not in _STANDARD:
        return first.removesuffix("/bin")
    if "conda" in (stage.image.image if stage.image else ""):
        return None
    if stage.image_place is not None and (tool == "pip" or variables.get("UV_SYSTEM_PYTHON")):
        return stage.image_place
    if tool == "uv" and variables.get("UV_SYSTEM_PYTHON") not in ("1", "true"):
        return placed(stage, ".venv")
    return SYSTEM


def project_place(stage: Stage, tool: str) -> str | None:
    """The folder that `uv sync` and its like fill; `None`: that is not known."""
    said = stage.variables
    if tool == "uv":
        return placed(stage, said.get("UV_PROJECT_ENVIRONMENT", ".venv"))
    if tool == "pdm":
        return placed(stage, ".venv")
    if tool == "poetry" and said.get("POETRY_VIRTUALENVS_CREATE") in ("false", "0"):
        return SYSTEM
    if tool == "poetry" and said.get("POETRY_VIRTUALENVS_IN_PROJECT") in ("true", "1"):
        return placed(stage, ".venv")
    return None


def placed(stage: Stage, path: str) -> str:
    """An environment by its folder, or by a program in it."""
    bare = re.sub(r"/bin/[^/]+\Z", "", path)
    return posixpath.normpath(posixpath.join(stage.folder, bare))


def takes_along(place: str | None, sources: Sequence[str]) -> bool:
    """Whether copying these paths takes what was installed at a place along."""
    if place is None:
        return any(_LIKELY.search(source) for source in sources)
    for source in sources:
        bare = source.rstrip("/") or "/"
        if place == bare or place.startswith(bare.rstrip("/") + "/"):
            return True
        if bare.startswith(place + "/") and "lib" in bare[len(place) :].split("/"):
            return True
    return False


def brings_python(sources: Sequence[str]) -> bool:
    """Whether the interpreter comes along."""
    return any((source.rstrip("/") or "/") in _WITH_PYTHON for source in sources)
