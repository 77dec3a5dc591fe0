"""requirements.txt as pip reads it: lines, options, files that it includes.

Source: pip documentation, "Requirements File Format"; tried with pip.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator, Mapping

from gpudoctor.manifests.install_file import Index, InstallFile, UnreadPart, Wish
from gpudoctor.manifests.scene import wheel_version
from gpudoctor.manifests.source_files import SourceFile
from gpudoctor.manifests.universe import family, is_pinned_library
from gpudoctor.model.finding import FileAt
from gpudoctor.model.requirements.requirement_line import normal, read_line

_COMMENT = re.compile(r"(^|\s+)#.*$")
_VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)\}", re.ASCII)
_LATER = re.compile(r"\s--?(?=[A-Za-z])")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*", re.ASCII)
_VALUED = {
    "-i": "index", "--index-url": "index", "--pypi-url": "index", "--extra-index-url": "extra",
    "-f": "links", "--find-links": "links", "-r": "file", "--requirement": "file",
    "-c": "constraint", "--constraint": "constraint", "-e": "editable", "--editable": "editable",
    "--no-binary": "no-binary", "--only-binary": "only-binary",
}  # fmt: skip
_FLAGS = {"--pre": "pre", "--no-index": "no-index", "--require-hashes": "hashes"}
_LOCAL = re.compile(r"[\w.-]+(?:\[[^\]]*\])?\s*@\s*(file:///[^\s;]+)", re.ASCII)
_CONDA_BUILT = re.compile(
    r"/(croots?|feedstock_root|conda-bld|build/80754af9|ci_?\w*|task_\d+|bld|abs_\w+|recipes/ci"
    r"|io/mkl\w*)/",
    re.ASCII | re.IGNORECASE,
)
"""Folders in which conda's builders have made packages: they are on no other machine. They stand in
the `direct_url.json` of conda's packages, which `pip freeze` repeats (pip issue 8176)."""
_HASH = re.compile(r"\s--hash[= ]")
_MAX_DEPTH = 20
_MAX_LINES = 50_000


class Reading:
    """What has been read so far, over all files that include one another."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self.variables = variables
        self.wishes: list[Wish] = []
        self.indexes: list[Index] = []
        self.gaps: list[UnreadPart] = []
        self.options: dict[str, str] = {}
        self.open: list[str] = []
        self.bare: list[tuple[str, FileAt]] = []
        """Requirements without a hash."""
        self.broken: list[FileAt] = []
        """Lines that a backslash breaks within a requirement."""
        self.gone: list[tuple[str, FileAt]] = []
        """Requirements from a folder that only the builder of a package had."""

    def document(self, path: str, tool: str) -> InstallFile:
        """Everything as one document."""
        return InstallFile(
            path=path,
            format="requirements",
            tool=tool,
            wishes=tuple(self.wishes),
            indexes=tuple(self.indexes),
            gaps=tuple(self.gaps),
            options=self.options,
            hashless=tuple(self.bare) if "hashes" in self.options else (),
            broken=tuple(self.broken),
            gone=tuple(self.gone),
        )


def read(source: SourceFile, variables: Mapping[str, str] | None = None) -> InstallFile:
    """Read a requirements file and what it includes."""
    reading = Reading(variables or {})
    add(reading, source, constraint=False)
    return reading.document(source.path, "pip")


def add(reading: Reading, source: SourceFile, *, constraint: bool) -> None:
    """Read one file into what has been read so far."""
    if source.path in reading.open or len(reading.open) >= _MAX_DEPTH:
        return
    reading.open.append(source.path)
    for number, line, is_broken in logical_lines(source.text):
        at = FileAt(source.path, number)
        if is_broken:
            reading.broken.append(at)
        take(reading, line, at, source, constraint=constraint)
    reading.open.pop()


def logical_lines(text: str) -> Iterator[tuple[int, str, bool]]:
    """Lines with the number of the first of those that a backslash joins; comments are gone.

    The third value: whether something else than an option stands behind the first backslash.
    """
    joined = ""
    first = 0
    at: int | None = None
    for number, raw in enumerate(text.split("\n"), 1):
        if number > _MAX_LINES:
            return
        first = first or number
        comment = raw.lstrip().startswith("#")
        if raw.endswith("\\") and not comment:
            joined += raw[:-1]
            at = len(joined) if at is None else at
            continue
        # A comment line ends what was continued, and stands for itself.
        whole = _COMMENT.sub("", joined + (" " + raw if comment else raw))
        if whole.strip():
            yield first, whole.strip(), at is not None and not whole[at:].lstrip().startswith("-")
        joined, first, at = "", 0, None
    if joined.strip():
        yield first, _COMMENT.sub("", joined).strip(), True


def take(reading: Reading, line: str, at: FileAt, source: SourceFile, *, constraint: bool) -> None:
    """Read one logical line."""
    unset = [name for name in _VARIABLE.findall(line) if name not in reading.variables]
    line = _VARIABLE.sub(lambda m: reading.variables.get(m[1], m[0]), line)
    if line.startswith("-"):
        _options(reading, line, at, source, unset)
        return
    requirement = _LATER.split(line, maxsplit=1)[0].strip()
    wish = wish_of(requirement, at, source, constraint=constraint)
    if _HASH.search(line):
        reading.options["hashes"] = "yes"
    elif not constraint:
        reading.bare.append((requirement, at))
    _local(reading, requirement, at, source)
    if wish is None:
        return
    if unset:
        from gpudoctor.model.value import replace

        why = f"{source.path} takes {wish.name} from ${{{unset[0]}}}, which is not set here"
        wish = replace(wish, unread=why)
    reading.wishes.append(wish)


def _local(reading: Reading, requirement: str, at: FileAt, source: SourceFile) -> None:
    """Note a package of a folder that is not here; it hinders torch as well."""
    found = _LOCAL.match(requirement)
    if found is None:
        return
    if _CONDA_BUILT.search(found[1]):
        reading.gone.append((requirement, at))
    elif source.others is None and not os.path.exists(found[1].removeprefix("file://")):
        why = f"{source.path} takes a package from {found[1]}, which is not here"
        reading.gaps.append(UnreadPart(why=why, at=at))


def _options(reading: Reading, line: str, at: FileAt, source: SourceFile, unset: list[str]) -> None:
    try:
        words = shlex.split(line, comments=False)
    except ValueError:
        words = line.split()
    position = 0
    while position < len(words):
        word = words[position]
        position += 1
        name, separator, value = word.partition("=")
        if not word.startswith("--") and len(word) > 2 and word[:2] in _VALUED:
            name, separator, value = word[:2], "=", word[2:].lstrip("=")
        if name in _FLAGS:
            reading.options[_FLAGS[name]] = "yes"
            continue
        kind = _VALUED.get(name)
        if kind is None:
            continue
        if not separator:
            value = words[position] if position < len(words) else ""
            position += 1
        option(reading, kind, value, at, source, unset)


def option(
    reading: Reading, kind: str, value: str, at: FileAt, source: SourceFile, unset: list[str]
) -> None:
    """Take one option of pip with its value."""
    if unset and kind in ("index", "extra", "links"):
        why = f"{source.path} names an index by ${{{unset[0]}}}, which is not set here"
        reading.gaps.append(UnreadPart(why=why, at=at))
        return
    if kind in ("no-binary", "only-binary"):
        no_binary(reading.options, kind, value)
    elif kind in ("index", "extra"):
        if value:
            reading.indexes.append(Index(url=value, at=at, default=kind == "index"))
    elif kind == "links":
        reading.indexes.append(Index(url=source.place(value), at=at, links=True))
    elif kind in ("file", "constraint"):
        other = source.beside(value)
        if other is None:
            reading.gaps.append(
                UnreadPart(why=f"{value}, which {source.path} includes, is not here", at=at)
            )
        else:
            add(reading, other, constraint=kind == "constraint")
    elif kind == "editable":
        wish = wish_of(value, at, source, constraint=False)
        if wish is not None:
            reading.wishes.append(wish)


def no_binary(options: dict[str, str], kind: str, value: str) -> None:
    """Take `--no-binary` or `--only-binary`; what is kept is `all,torch,-numpy`.

    A name counts before `:all:`, whatever came first (pip documentation, --no-binary; tried).
    """
    said = [part for part in options.get("no-binary", "").split(",") if part]
    for name in filter(None, (part.strip() for part in value.split(","))):
        bare = "all" if name == ":all:" else normal(name)
        if name == ":none:":
            said = [part for part in said if part.startswith("-") is (kind == "no-binary")]
        elif kind == "no-binary":
            said = [*(part for part in said if part != f"-{bare}"), bare]
        else:
            kept = [part for part in said if part != bare]
            said = kept if bare == "all" else [*kept, f"-{bare}"]
    options["no-binary"] = ",".join(said)


def wish_of(text: str, at: FileAt, source: SourceFile | None, *, constraint: bool) -> Wish | None:
    """The wish of a requirement line; `None` for one that says nothing of torch's family."""
    name_only = _NAME.match(text)
    if not name_only:
        return _path(text, at, source, constraint=constraint)
    found = read_line(text)
    if found is None:
        named = normal(name_only[0])
        if family(named):
            why = f"{at.path}, line {at.line}, is no requirement: {text[:60]}"
            return Wish(name=named, at=at, unread=why, constraint=constraint)
        return _path(text, at, source, constraint=constraint)
    name = found.name
    if not (family(name) or is_pinned_library(name)):
        return None
    url, unread = found.url, None
    if url is not None and wheel_version(url) is None:
        unread = f"{at.path} takes {name} from {_shown(url)}: what that is cannot be told"
    return Wish(
        name=name,
        at=at,
        specifier=found.specifier,
        marker=found.marker or None,
        url=None if unread else url,
        extras=found.extras,
        constraint=constraint,
        unread=unread,
    )


def _path(text: str, at: FileAt, source: SourceFile | None, *, constraint: bool) -> Wish | None:
    """A file or URL without a name before it: `https://….whl`, `./wheels/torch-….whl`."""
    bare, _, marker = text.partition(" ;")
    bare = bare.strip().strip("'\"")
    name = normal(os.path.basename(bare.split("#", 1)[0]).split("-", 1)[0])
    egg = re.search(r"#(?:.*&)?egg=([A-Za-z0-9._-]+)", bare)
    if wheel_version(bare) is not None and family(name):
        place = bare if source is None else source.place(bare)
        return Wish(name=name, at=at, url=place, marker=marker.strip() or None)
    named = normal(egg[1]) if egg else ""
    if not named and re.search(r"/pytorch(\.git)?([@#/]|$)", bare):
        named = "torch"
    if named and family(named):
        why = f"{at.path} takes {named} from {_shown(bare)}: what that is cannot be told"
        return Wish(name=named, at=at, unread=why, constraint=constraint)
    return None


def _shown(url: str) -> str:
    return re.sub(r"//[^/@]*@", "//", url)
