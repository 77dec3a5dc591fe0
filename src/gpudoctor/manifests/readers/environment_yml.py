"""environment.yml of conda: match specs, channels, and a nested list for pip."""

from __future__ import annotations

import re
from typing import Any

from gpudoctor.manifests.conda_builds import SUBDIRS
from gpudoctor.manifests.install_file import CondaSpec, InstallFile, line_of
from gpudoctor.manifests.readers.locks.conda_list import yaml
from gpudoctor.manifests.readers.requirements_txt import Reading, take
from gpudoctor.manifests.readers.toml_file import rows, table
from gpudoctor.manifests.source_files import SourceFile
from gpudoctor.model.finding import FileAt

_BRACKETS = re.compile(r"\[(.*)\]\s*\Z")
_KEY = re.compile(r"(version|build|channel)\s*=\s*(?:'([^']*)'|\"([^\"]*)\"|([^,\]]+))")


def read(source: SourceFile) -> InstallFile:
    """Read an environment.yml.

    Raises:
        UsageError: it is no YAML.
    """
    data = table(yaml(source))
    specs: list[CondaSpec] = []
    reading = Reading({})
    for item in rows(data.get("dependencies")):
        if isinstance(item, str):
            at = FileAt(source.path, line_of(source.text, item))
            specs.append(spec_of(item, at))
        for line in rows(table(item).get("pip")):
            if isinstance(line, str):
                place = FileAt(source.path, line_of(source.text, line))
                take(reading, line, place, source, constraint=False)
    python = next((s.version for s in specs if s.name == "python"), None)
    return InstallFile(
        path=source.path,
        format="environment.yml",
        tool="conda",
        wishes=tuple(reading.wishes),
        indexes=tuple(reading.indexes),
        gaps=tuple(reading.gaps),
        gone=tuple(reading.gone),
        options=reading.options,
        conda=tuple(specs),
        channels=_channels(data),
        python=_python(python),
    )


def _channels(data: Any) -> tuple[str, ...]:
    return tuple(
        name.rstrip("/").rsplit("/", 1)[-1]
        for name in rows(table(data).get("channels"))
        if isinstance(name, str)
    )


def spec_of(item: str, at: FileAt) -> CondaSpec:
    """A match spec: `conda-forge::pytorch=2.5.*=cuda*`, `pytorch >=2.5`, `pytorch[build=…]`."""
    channel, separator, rest = item.partition("::")
    if not separator:
        channel, rest = "", item
    inside: dict[str, str] = {}
    bracket = _BRACKETS.search(rest)
    if bracket:
        inside = {m[1]: (m[2] or m[3] or m[4] or "").strip() for m in _KEY.finditer(bracket[1])}
        rest = rest[: bracket.start()]
    found = re.match(r"\s*([A-Za-z0-9_.-]+)\s*(.*)\Z", rest)
    name, tail = (found[1].lower(), found[2].strip()) if found else (rest.strip().lower(), "")
    parts = tail.split()
    version = parts[0] if parts else ""
    build = parts[1] if len(parts) > 1 else ""
    exact = re.match(r"={1,2}([^=<>!~,|]+)=([^=]+)\Z", version)
    if exact:
        version, build = f"=={exact[1]}" if version.startswith("==") else f"={exact[1]}", exact[2]
    return CondaSpec(
        name=name,
        version=specifier(inside.get("version", version)),
        build=inside.get("build", build),
        channel=_channel(inside.get("channel", channel)),
        at=at,
    )


def _channel(text: str) -> str:
    """`conda-forge` of `https://conda.anaconda.org/conda-forge/linux-64` too."""
    steps = text.rstrip("/").split("/")
    if steps[-1] in (*SUBDIRS.values(), "noarch") and steps[1:]:
        steps.pop()
    return steps[-1]


def specifier(version: str) -> str:
    """conda's version as PEP 440 has it: `=2.5` and `2.5` → `==2.5.*`, `2.5.*` → `==2.5.*`."""
    if not version or version == "*":
        return ""
    found = []
    for part in filter(None, version.replace(" ", "").split(",")):
        if part.startswith("==") or part[:2] in (">=", "<=", "!=", "~="):
            found.append(part.removesuffix(".*") if part[:2] in (">=", "<=") else part)
        elif part[0] in "<>":
            found.append(part)
        else:
            bare = part.lstrip("=").rstrip("*").rstrip(".")
            found.append(f"=={bare}.*" if bare else "")
    return ",".join(part for part in found if part)


def _python(specifier_: str | None) -> str | None:
    """The Python that a spec fixes: `==3.11.*` → `3.11`."""
    found = re.match(r"==(\d+\.\d+)(\.|\Z)", specifier_ or "")
    return found[1] if found else None
