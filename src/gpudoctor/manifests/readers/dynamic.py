"""Requirements that a pyproject.toml leaves to its build backend: `dynamic = ["dependencies"]`.

Source: setuptools, "Dynamic metadata"; hatch-requirements-txt. What a setup.py computes is not run.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gpudoctor.manifests.install_file import UnreadPart, Wish, line_of
from gpudoctor.manifests.readers.requirements_txt import Reading, add
from gpudoctor.manifests.readers.toml_file import rows, table
from gpudoctor.manifests.source_files import SourceFile
from gpudoctor.model.finding import FileAt
from gpudoctor.model.requirements.requirement_line import normal
from gpudoctor.model.value import replace


def read(data: Mapping[str, Any], source: SourceFile) -> tuple[list[Wish], list[UnreadPart]]:
    """The requirements that other files hold, and a gap for those that are computed."""
    asked = rows(table(data, "project").get("dynamic"))
    wishes: list[Wish] = []
    gaps: list[UnreadPart] = []
    own = table(data, "tool", "setuptools", "dynamic")
    hook = table(data, "tool", "hatch", "metadata", "hooks", "requirements_txt")
    if "dependencies" in asked:
        files = _files(own.get("dependencies")) or _files(hook.get("files"))
        _take(wishes, gaps, files, None, source)
    if "optional-dependencies" in asked:
        parts = {**table(own, "optional-dependencies"), **table(hook, "optional-dependencies")}
        for extra, said in parts.items():
            _take(wishes, gaps, _files(said), normal(extra), source)
        if not parts:
            _take(wishes, gaps, [], None, source)
    return wishes, gaps


def _files(said: Any) -> list[str]:
    found = said if isinstance(said, list | str) else table(said).get("file")
    return [found] if isinstance(found, str) else [str(name) for name in rows(found)]


def _take(
    wishes: list[Wish],
    gaps: list[UnreadPart],
    files: list[str],
    extra: str | None,
    source: SourceFile,
) -> None:
    at = FileAt(source.path, line_of(source.text, "dynamic"))
    if not files:
        why = f"{source.path} leaves its requirements to the build backend, which is not run"
        gaps.append(UnreadPart(why=why, at=at))
    for name in files:
        other = source.beside(name)
        if other is None:
            gaps.append(UnreadPart(why=f"{name}, which {source.path} includes, is not here", at=at))
            continue
        reading = Reading({})
        add(reading, other, constraint=False)
        # setuptools takes the requirements alone, and no options of pip.
        wishes += [replace(wish, extra=extra) for wish in reading.wishes]
        gaps += reading.gaps
