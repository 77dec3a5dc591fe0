"""`[tool.poetry]`: dependencies in its own spelling, sources with a priority, groups.

Source: python-poetry.org/docs/dependency-specification and /docs/repositories.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from gpudoctor.manifests.install_file import Index, InstallFile, Wish, line_of
from gpudoctor.manifests.readers.toml_file import rows, table, text
from gpudoctor.manifests.scene import wheel_version
from gpudoctor.manifests.source_files import SourceFile
from gpudoctor.manifests.universe import family
from gpudoctor.model.finding import FileAt
from gpudoctor.model.requirements.requirement_line import normal
from gpudoctor.model.value import replace

_NUMBERS = re.compile(r"\d+(?:\.\d+)*")


def add(document: InstallFile, data: Mapping[str, Any], source: SourceFile) -> InstallFile:
    """The document with what `[tool.poetry]` says."""
    own = table(data, "tool", "poetry")
    indexes = [
        Index(
            url=text(table(row).get("url")) or "https://pypi.org/simple",
            name=text(table(row).get("name")) or "",
            at=FileAt(source.path, line_of(source.text, str(table(row).get("name")))),
            priority=_priority(table(row)),
        )
        for row in rows(own.get("source"))
    ]
    extras = _extras(own)
    wishes = _wishes(own.get("dependencies"), None, source, extras)
    groups = dict(table(own, "group"))
    for name, group in groups.items():
        wishes += _wishes(table(group).get("dependencies"), normal(name), source, {})
    wishes += _wishes(own.get("dev-dependencies"), "dev", source, {})
    optional = {name for name, group in groups.items() if table(group).get("optional") is True}
    listed = {*groups, *table(data, "dependency-groups"), "dev"} - optional
    python = text(table(own, "dependencies").get("python"))
    return replace(
        document,
        wishes=tuple(_merged(list(document.wishes), wishes, stated=_stated(data))),
        indexes=tuple(indexes),
        requires_python=document.requires_python or (specifier(python) if python else None),
        options={"default-groups": ",".join(sorted(normal(name) for name in listed))},
    )


def _priority(row: Mapping[str, Any]) -> str:
    if row.get("secondary") is True:
        return "supplemental"
    return text(row.get("priority")) or "primary"


def _extras(own: Mapping[str, Any]) -> dict[str, list[str]]:
    """Package → the extras that bring it."""
    found: dict[str, list[str]] = {}
    for extra, members in table(own, "extras").items():
        for member in rows(members):
            found.setdefault(normal(str(member)), []).append(normal(extra))
    return found


def _wishes(
    listed: Any, group: str | None, source: SourceFile, extras: Mapping[str, list[str]]
) -> list[Wish]:
    found = []
    for name, value in table(listed).items():
        bare = normal(name)
        if not family(bare):
            continue
        for item in value if isinstance(value, list) else [value]:
            wish = _wish(bare, name, item, group, source)
            if wish is None:
                continue
            optional = table(item).get("optional") is True
            if optional:
                found += [replace(wish, extra=extra) for extra in extras.get(bare, ["?"])]
            else:
                found.append(wish)
    return found


def _wish(name: str, written: str, item: Any, group: str | None, source: SourceFile) -> Wish | None:
    row = table(item)
    version = item if isinstance(item, str) else text(row.get("version")) or "*"
    url = text(row.get("url")) or text(row.get("path")) or text(row.get("file"))
    unread = None
    if (url and not wheel_version(url)) or "git" in row:
        unread = f"{source.path} takes {name} from no index: what that is cannot be told"
    markers = [text(row.get("markers")), _python(text(row.get("python"))), _platform(row)]
    said = [f"({marker})" for marker in markers if marker]
    return Wish(
        name=name,
        at=_place(written, version, source),
        specifier=specifier(version),
        marker=" and ".join(said) or None,
        index=text(row.get("source")),
        url=source.place(url) if url and not unread else None,
        group=group,
        unread=unread,
    )


def _place(name: str, version: str, source: SourceFile) -> FileAt:
    number = line_of(source.text, f"{name} =", version) or line_of(source.text, f"{name} =")
    return FileAt(source.path, number or line_of(source.text, name))


def _platform(row: Mapping[str, Any]) -> str | None:
    platform = text(row.get("platform"))
    return f"sys_platform == '{platform}'" if platform else None


def _python(text_: str | None) -> str | None:
    if not text_ or text_ == "*":
        return None
    parts = [part for part in specifier(text_).split(",") if part]
    said = []
    for part in parts:
        found = re.match(r"(===|==|!=|<=|>=|<|>|~=)\s*(.+)", part)
        if found:
            name = "python_version" if found[2].count(".") < 2 else "python_full_version"
            said.append(f"{name} {found[1]} '{found[2]}'")
    return " and ".join(said) or None


def _stated(data: Mapping[str, Any]) -> bool:
    """Whether `[project]` states the requirements; `[tool.poetry.dependencies]` only adds then."""
    project = table(data, "project")
    return "dependencies" in project or "optional-dependencies" in project


def _merged(standard: list[Wish], own: list[Wish], *, stated: bool) -> list[Wish]:
    """Requirements of `[project]` with what `[tool.poetry.dependencies]` adds to them."""
    result = []
    used = set()
    for wish in standard:
        more = [w for w in own if w.name == wish.name and w.group in (None, wish.group)]
        if not more or (wish.group is not None and not any(w.group == wish.group for w in more)):
            result.append(wish)
            continue
        used.add(wish.name)
        for other in more:
            markers = [m for m in (wish.marker, other.marker) if m]
            result.append(
                replace(
                    other,
                    specifier=other.specifier or wish.specifier,
                    marker=" and ".join(f"({m})" for m in markers) or None,
                    extra=wish.extra,
                    at=wish.at,
                )
            )
    rest = [wish for wish in own if wish.name not in used]
    return [*result, *(wish for wish in rest if wish.group is not None or not stated)]


def specifier(version: str) -> str:
    """Poetry's spelling of a constraint as PEP 440 has it: `^2.9` → `>=2.9,<3`.

    Alternatives (`||`) keep what all of them allow at least: the lowest bound of the first.
    """
    if "||" in version or " | " in version:
        version = version.replace("||", "|").split("|")[-1]
    found = []
    for part in re.split(r"[,\s]+(?=[\^~<>=!\d*])", version.strip()):
        bare = part.strip().rstrip(",")
        if bare in ("", "*"):
            continue
        numbers = _NUMBERS.search(bare)
        if bare.startswith("^") and numbers:
            found += [f">={numbers[0]}", f"<{_next(numbers[0], caret=True)}"]
        elif bare.startswith("~") and not bare.startswith("~=") and numbers:
            found += [f">={numbers[0]}", f"<{_next(numbers[0], caret=False)}"]
        elif bare[0].isdigit():
            found.append(f"=={bare}")
        elif bare[0] == "=" and bare[1:2] != "=":
            found.append(f"={bare}")
        else:
            found.append(bare.replace(" ", ""))
    return ",".join(found)


def _next(text_: str, *, caret: bool) -> str:
    """The first version that `^` or `~` excludes."""
    numbers = [int(part) for part in text_.split(".")]
    if not caret:
        return f"{numbers[0]}.{numbers[1] + 1}" if len(numbers) > 1 else str(numbers[0] + 1)
    for position, number in enumerate(numbers):
        if number or position == len(numbers) - 1:
            return ".".join(map(str, [*numbers[:position], number + 1]))
    return str(numbers[0] + 1)
