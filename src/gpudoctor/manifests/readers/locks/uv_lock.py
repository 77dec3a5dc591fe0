"""uv.lock: what `uv sync` installs for one platform, with extras and groups.

The file is written by a machine: an entry begins with `[[package]]`. Only the entries that lead
from the project to torch are parsed; a lock of hundreds of packages is mostly hashes of wheels.
Source: uv's documentation of the lock file; tried with uv 0.13 (version 1, revision 5).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from gpudoctor.manifests.install_file import InstallFile, Pinned
from gpudoctor.manifests.readers.entries import LockEntry, line_of_entry, matters, split
from gpudoctor.manifests.readers.toml_file import parse, rows, table, text
from gpudoctor.manifests.scene import Scene
from gpudoctor.manifests.source_files import SourceFile
from gpudoctor.manifests.universe import TORCH
from gpudoctor.model.finding import FileAt
from gpudoctor.model.requirements.requirement_line import normal

_EDGE = re.compile(r'\{ name = "([^"]+)"')
_HERE = ('source = { virtual = "." }', 'source = { editable = "." }')
_WHEEL = re.compile(r'^    \{ (?:url|path|filename) = "([^"]+\.whl)', re.M)
_SDIST = re.compile(r"^sdist = ", re.M)
_METADATA = re.compile(r"^\[package\.metadata.*?(?=^\[\[|\Z)", re.M | re.S)


class Lock:
    """The entries of a lock, parsed when they are asked for."""

    def __init__(self, source: SourceFile) -> None:
        self.source = source
        head, self.entries, tail = split(source, "package")
        self.head = parse(source, head + tail)
        self._named: dict[str, list[LockEntry]] = {}
        for entry in self.entries:
            self._named.setdefault(entry.name, []).append(entry)
        self._parsed: dict[int, Mapping[str, Any]] = {}
        self.leading = self._leading()

    def named(self, name: str) -> list[LockEntry]:
        """The entries of a package: one for each fork of the resolution."""
        return self._named.get(name, [])

    def row(self, entry: LockEntry) -> Mapping[str, Any]:
        """An entry as tables; of packages that do not matter without their files."""
        if entry.position not in self._parsed:
            body = entry.text if matters(entry.name) else _without_files(entry.text)
            found = parse(self.source, body).get("package")
            first = rows(found)
            self._parsed[entry.position] = first[0] if first else {}
        return self._parsed[entry.position]

    def _leading(self) -> frozenset[str]:
        """The packages from which one that matters can be reached."""
        users: dict[str, set[str]] = {}
        for entry in self.entries:
            for name in _EDGE.findall(_needs(entry.text)):
                users.setdefault(name, set()).add(entry.name)
        found = {name for name in self._named if matters(name)}
        new = set(found)
        while new:
            new = {user for name in new for user in users.get(name, ())} - found
            found |= new
        return frozenset(found)


def _without_files(text_: str) -> str:
    """An entry without the list of its wheels, which is most of it."""
    start = text_.find("\nwheels = [\n")
    end = text_.find("\n]\n", start)
    return text_ if start < 0 or end < 0 else text_[: start + 1] + text_[end + 3 :]


def _needs(text_: str) -> str:
    """The part of an entry that names what it needs."""
    bare = _without_files(text_)
    return _METADATA.sub("", bare) if "[package.metadata" in bare else bare


def read(source: SourceFile, scene: Scene) -> InstallFile:
    """Read a uv.lock for a scene.

    Raises:
        UsageError: it is no TOML.
    """
    lock = Lock(source)
    roots = _roots(lock)
    if not roots:
        # A lock without its project (cut out by hand): every entry counts.
        reached = {entry.position: entry for entry in lock.entries if matters(entry.name)}
        return _document(source, lock, reached, ())
    walk = Walk(lock, scene)
    for root in roots:
        walk.project(root)
    reached = walk.follow()
    optional: tuple[str, ...] = ()
    if not any(entry.name == TORCH for entry in reached.values()):
        optional = _ways_to_torch(lock, roots, scene)
    stuck = [entry for entry in reached.values() if _without_fitting(entry, scene)]
    return _document(source, lock, reached, optional, stuck)


def _roots(lock: Lock) -> list[LockEntry]:
    """The project that lies beside the lock; the members of a workspace without a root project."""
    members = [str(name) for name in rows(table(lock.head, "manifest").get("members"))]
    found = []
    for entry in lock.entries:
        if any(line in entry.text for line in _HERE):
            return [entry]
        if entry.name in members:
            found.append(entry)
    return found


class Walk:
    """Which entries are installed: what the project needs, and what that needs."""

    def __init__(self, lock: Lock, scene: Scene) -> None:
        self.lock = lock
        self.scene = scene
        self.active: set[str] = set()
        """Names for `extra ==` in markers: `extra-4-demo-cu128`, `group-4-demo-dev`."""
        self.waiting: list[tuple[Mapping[str, Any], str]] = []
        self.reached: dict[int, LockEntry] = {}
        self.done: set[tuple[int, str]] = set()

    def project(self, root: LockEntry) -> None:
        """Start from a project with the extras and groups of the scene."""
        row = self.lock.row(root)
        name = root.name
        self.active |= {f"extra-{len(name)}-{name}-{extra}" for extra in self.scene.extras}
        self.active |= {f"group-{len(name)}-{name}-{group}" for group in self.scene.groups}
        self._add(row.get("dependencies"))
        for extra in self.scene.extras:
            self._add(table(row, "optional-dependencies").get(extra))
        for group in self.scene.groups:
            self._add(table(row, "dev-dependencies").get(group))

    def follow(self) -> dict[int, LockEntry]:
        """Every entry that is reached, by its position."""
        while self.waiting:
            edge, extra = self.waiting.pop()
            entry = self._target(edge)
            if entry is None or (entry.position, extra) in self.done:
                continue
            self.done.add((entry.position, extra))
            self.reached[entry.position] = entry
            row = self.lock.row(entry)
            if extra:
                self._add(table(row, "optional-dependencies").get(extra))
            else:
                self._add(row.get("dependencies"))
        return self.reached

    def _add(self, edges: Any) -> None:
        for edge in rows(edges):
            if not isinstance(edge, Mapping) or edge.get("name") not in self.lock.leading:
                continue
            if not self.scene.applies(text(edge.get("marker")), frozenset(self.active)):
                continue
            self.waiting.append((edge, ""))
            wanted = edge.get("extra")
            named = rows(wanted) if not isinstance(wanted, str) else [wanted]
            self.waiting += [(edge, str(extra)) for extra in named]

    def _target(self, edge: Mapping[str, Any]) -> LockEntry | None:
        """The entry that an edge leads to: version and source tell those of one name apart."""
        found = self.lock.named(str(edge.get("name")))
        for key in ("version", "source"):
            if key in edge and len(found) > 1:
                found = [entry for entry in found if self.lock.row(entry).get(key) == edge[key]]
        if len(found) > 1:
            found = [entry for entry in found if self._forked(entry)] or found
        return found[0] if found else None

    def _forked(self, entry: LockEntry) -> bool:
        markers = rows(self.lock.row(entry).get("resolution-markers"))
        active = frozenset(self.active)
        return not markers or any(self.scene.applies(str(each), active) for each in markers)


def _ways_to_torch(lock: Lock, roots: list[LockEntry], scene: Scene) -> tuple[str, ...]:
    """The extras and groups of the project that would bring torch here."""
    found = []
    for root in roots:
        row = lock.row(root)
        for word, key in (("extra", "optional-dependencies"), ("group", "dev-dependencies")):
            for name in table(row, key):
                more = (name,)
                other = Scene(
                    scene.platform,
                    scene.python,
                    scene.extras + (more if word == "extra" else ()),
                    scene.groups + (more if word == "group" else ()),
                )
                walk = Walk(lock, other)
                walk.project(root)
                if any(entry.name == TORCH for entry in walk.follow().values()):
                    found.append(f"--{word} {name}")
    return tuple(found)


def _without_fitting(entry: LockEntry, scene: Scene) -> bool:
    """Whether a package that does not matter itself cannot be installed, and stops the others."""
    if matters(entry.name) or _SDIST.search(entry.text):
        return False
    wheels = _WHEEL.findall(entry.text)
    return bool(wheels) and not any(map(scene.takes, wheels))


def _document(
    source: SourceFile,
    lock: Lock,
    reached: Mapping[int, LockEntry],
    optional: Iterable[str],
    stuck: Iterable[LockEntry] = (),
) -> InstallFile:
    pinned = [
        _pinned(source, entry, lock.row(entry)) for entry in reached.values() if matters(entry.name)
    ]
    for entry in stuck:
        whole = rows(parse(source, entry.text).get("package"))
        pinned.append(_pinned(source, entry, whole[0]))
    return InstallFile(
        path=source.path,
        format="uv.lock",
        tool="uv",
        pinned=tuple(sorted(pinned, key=lambda row: row.name)),
        requires_python=text(lock.head.get("requires-python")),
        environments=tuple(map(str, rows(lock.head.get("supported-markers")))),
        extras=_declared(lock, "optional-dependencies", "provides-extras"),
        groups=_declared(lock, "dev-dependencies", "requires-dev", frozenset({"dev"})),
        optional=tuple(optional),
    )


def _declared(
    lock: Lock, key: str, stated: str, always: frozenset[str] = frozenset()
) -> frozenset[str] | None:
    """The names of the project's extras or groups; `None`: its entry is not in the lock."""
    found = always
    roots = _roots(lock)
    for root in roots:
        row = lock.row(root)
        names = table(row, "metadata").get(stated)
        found |= {normal(str(name)) for name in (*table(row, key), *(names or ()))}
    return found if roots else None


def _pinned(source: SourceFile, entry: LockEntry, row: Mapping[str, Any]) -> Pinned:
    place = table(row, "source")
    files = []
    for wheel in rows(row.get("wheels")):
        name = table(wheel).get("url") or table(wheel).get("path") or table(wheel).get("filename")
        if isinstance(name, str):
            files.append(name)
    index = text(place.get("registry"))
    direct = text(place.get("url")) or text(place.get("path"))
    unread = None
    if direct and direct.split("#")[0].endswith(".whl"):
        files = files or [direct]
    elif entry.name == TORCH and index is None:
        what = next(iter(place), "an unknown place")
        unread = f"{source.path} takes torch from {what}: what that is cannot be told"
    return Pinned(
        name=entry.name,
        version=str(row.get("version", "")),
        at=FileAt(source.path, line_of_entry(source, entry)),
        files=tuple(files),
        listed=True,
        wheels_alone=index is not None and "sdist" not in row,
        index=index,
        default="unknown",
        unread=unread,
    )
