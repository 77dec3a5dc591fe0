"""The services that `docker compose up` starts: files that are merged, `extends`, profiles, values.

Source: docs.docker.com/reference/compose-file (merge, include, extends, interpolation, profiles).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from gpudoctor.manifests.containers.run_commands import expand
from gpudoctor.manifests.readers.locks.conda_list import yaml
from gpudoctor.manifests.readers.toml_file import rows, table, text
from gpudoctor.manifests.scene import Scene
from gpudoctor.manifests.source_files import SourceFile

_NAMES = re.compile(r"(docker-)?compose\.ya?ml")
_DEEP = 10
_LINE = re.compile(r"\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(.*)")


def services(source: SourceFile, scene: Scene) -> dict[str, Mapping[str, Any]]:
    """The services that count: those that the scene's groups name, else those without a profile."""
    found = _of_file(source, 0)
    if _NAMES.fullmatch(source.name):
        stem, _, ending = source.name.rpartition(".")
        override = source.beside(f"{stem}.override.{ending}")
        for name, row in _of_file(override, 0).items() if override is not None else ():
            found[name] = _merged(found.get(name, {}), row)
    named = {name: row for name, row in found.items() if name in scene.groups}
    return named or {name: row for name, row in found.items() if not rows(row.get("profiles"))}


def _of_file(source: SourceFile, depth: int) -> dict[str, Mapping[str, Any]]:
    data = table(yaml(source))
    found: dict[str, Mapping[str, Any]] = {}
    for item in rows(data.get("include")) if depth < _DEEP else ():
        said = item if isinstance(item, str) else table(item).get("path")
        for path in [said] if isinstance(said, str) else rows(said):
            other = source.beside(str(path))
            if other is not None:
                found |= _of_file(other, depth + 1)
    own = {str(name): table(row) for name, row in table(data, "services").items()}
    values = _values(source)
    for name in own:
        found[name] = _filled(_extended(source, own, name, 0), values)
    return found


def _extended(
    source: SourceFile, own: Mapping[str, Mapping[str, Any]], name: str, depth: int
) -> Mapping[str, Any]:
    row = own.get(name, {})
    said = row.get("extends")
    base = said if isinstance(said, str) else text(table(said).get("service"))
    if base is None or depth > _DEEP:
        return row
    file = text(table(said).get("file"))
    if file is None:
        return _merged(_extended(source, own, base, depth + 1), row)
    other = source.beside(file)
    if other is None:
        return row
    theirs = {str(key): table(value) for key, value in table(yaml(other), "services").items()}
    return _merged(_extended(other, theirs, base, depth + 1), row)


def _merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> Mapping[str, Any]:
    """Mappings are merged, single values replaced; a new image takes the place of a build."""
    made = {key: value for key, value in under.items() if key != "profiles"}
    for key, value in over.items():
        both = isinstance(made.get(key), Mapping) and isinstance(value, Mapping)
        made[key] = _merged(made[key], value) if both else value
    return made


def _values(source: SourceFile) -> dict[str, str]:
    """The variables of the file .env; those of the shell are not known."""
    beside = source.beside(".env")
    found = {}
    for line in beside.text.splitlines() if beside is not None else ():
        if said := _LINE.fullmatch(line):
            found[said[1]] = said[2].strip().strip("\"'")
    return found


def _filled(value: Any, values: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return expand(value, values)[0]
    if isinstance(value, Mapping):
        return {key: _filled(item, values) for key, item in value.items()}
    return [_filled(item, values) for item in value] if isinstance(value, list) else value


def environment(row: Mapping[str, Any]) -> dict[str, str]:
    """The variables that a service sets."""
    said = row.get("environment")
    if isinstance(said, Mapping):
        return {str(key): "" if value is None else str(value) for key, value in said.items()}
    return dict(str(item).partition("=")[::2] for item in rows(said))
