"""What an environment is: one description that keeping, comparing and restoring share.

An environment is made of parts. The first is the folder itself; each further one is a folder that
a symbolic link of it leads to, on another disk perhaps, where an installer writes through the link:
below site-packages, in place of a folder of an installation scheme, or on the way to a file that
an installer has written down as its own.
What is not the environment's is told apart: the project in whose folder somebody ran
`python -m venv .` (`around`). gpudoctor's own state is left out where that lies inside.

Hard links, other file systems mounted inside, and links inside the environment need no part of
their own: they are files and folders like the others.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterable, Mapping

from gpudoctor.collect.long_paths import below, true_path
from gpudoctor.fix.environment import around as projects
from gpudoctor.fix.environment import tree as trees
from gpudoctor.fix.environment.installed import recorded, site_folders
from gpudoctor.fix.environment.tree import Tree, TreeEntry
from gpudoctor.model.value import dataclass, replace

# The folders of installation schemes (sysconfig), and what venv, virtualenv and uv write.
# https://docs.python.org/3/library/sysconfig.html#installation-paths (2026-11-21)
_OWN = frozenset(
    [
        "bin",
        "Scripts",
        "lib",
        "lib64",
        "Lib",
        "local",
        "include",
        "Include",
        "share",
        "etc",
        "man",
        "pyvenv.cfg",
        "CACHEDIR.TAG",
    ]
)


_MOST_LINKS = 8
"""Links of a project whose folders are kept."""
_NOTHING = TreeEntry("file", 0)

MOST_BEHIND_A_LINK = 100_000
"""Files behind a link outside site-packages, whose folder may be anybody's: what is kept of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One folder of an environment, and the files in it."""

    name: str
    """Where it is met in the environment: empty for the environment itself, else the link."""
    path: str
    """The folder itself, without links."""
    mode: int
    tree: Tree
    others: tuple[str, ...] = ()
    """Names directly in it that are not the environment's."""
    recorded: bool = True
    """Whether an installer has written down files of it as its own."""
    project: bool = False
    """Whether a person's own files lie in it, besides the environment's or alone."""
    beyond: tuple[str, ...] = ()
    """Paths of the project of which nothing is kept, nor of what is below them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """An environment as it is at one moment."""

    parts: tuple[Part, ...]
    recorded: frozenset[str]
    """Paths outside site-packages that installers have written down as theirs."""

    @property
    def prefix(self) -> str:
        """The folder of the environment, without links."""
        return self.parts[0].path


def describe(prefix: str, without: Collection[str] = ()) -> Environment:
    """The environment at `prefix`, without the folders `without`.

    Raises:
        UnreadableError: a folder of it cannot be read.
    """
    real = true_path(prefix)
    records = recorded(real)
    own = tuple(found for found in map(trees.identity, without) if found)
    others = _others(real, records)
    first = _part("", real, others or (), own)
    if others is not None:
        first = _with_project(first, others, own)
    parts = [first]
    sites = site_folders(real)
    pending = [
        (path, entry)
        for path, entry in first.tree.items()
        if entry.kind == "link" and not is_theirs(first, path)
    ]
    while pending:
        link, _ = pending.pop(0)
        known = any(path.startswith(f"{link}/") for path in records)
        packages = _holds_packages(link, sites)
        if not (packages or known or link in _OWN):
            continue
        target = _outside(below(real, link), parts)
        if target is None:
            continue
        part = _part(link, target, (), own, None if packages else MOST_BEHIND_A_LINK)
        parts.append(replace(part, recorded=known or not packages))
        pending += [(f"{link}/{p}", e) for p, e in part.tree.items() if e.kind == "link"]
    parts += _linked_projects(first, parts, own)
    outside = frozenset(path for path in records if not is_in_site(path))
    return Environment(parts=tuple(parts), recorded=outside)


def again(part: Part, without: Collection[str] = (), touched: Collection[str] = ()) -> Tree:
    """The files of a part as they are now; nothing if its folder is gone.

    Of a project only those are looked at that an installer `touched`: what the person does there
    is not the environment's.
    """
    own = tuple(found for found in map(trees.identity, without) if found)
    if not part.project:
        return trees.scan(part.path, part.others, own)
    theirs: Tree = {p: e for p, e in part.tree.items() if is_theirs(part, p)}
    if touched:
        theirs = projects.again(part.path, theirs, part.beyond, touched)
    if part.name:
        return theirs
    skip = [name for name in trees.names(part.path) if is_theirs(part, name)]
    return {**trees.scan(part.path, skip, own), **theirs}


def in_projects(before: Environment, paths: Iterable[str]) -> dict[str, set[str]]:
    """Which of these paths of the environment lie in a project: name of the part → paths in it."""
    found: dict[str, set[str]] = {part.name: set() for part in before.parts}
    projects_here = [part for part in before.parts if part.project]
    if not projects_here:
        return found
    for path in paths:
        for part in projects_here:
            if part.name and path.startswith(f"{part.name}/"):
                found[part.name].add(path[len(part.name) + 1 :])
            elif not part.name and is_theirs(part, path):
                found[""].add(path)
    return found


def recorded_in_projects(before: Environment) -> dict[str, set[str]]:
    """What installers have written down as theirs, and lies in a project."""
    if not any(part.project for part in before.parts):
        return in_projects(before, ())
    return in_projects(before, before.recorded | recorded(before.prefix))


def differences(before: Environment, without: Collection[str] = ()) -> Mapping[str, list[str]]:
    """Paths that are not as they were: name of the part → paths in it."""
    touched = recorded_in_projects(before)
    return {
        part.name: trees.changed(part.tree, again(part, without, touched[part.name]))
        for part in before.parts
    }


def is_theirs(part: Part, path: str) -> bool:
    """Whether a path of a part lies in a person's project and not in the environment."""
    if not part.project or part.name:
        return part.project
    top = path.partition("/")[0]
    return top in part.others or (top not in _OWN and top not in part.tree)


def is_in_site(path: str) -> bool:
    """Whether `path` lies where installers alone write: site-packages."""
    names = path.split("/")[:-1]
    return "site-packages" in names or "dist-packages" in names


def is_installers_place(path: str) -> bool:
    """Whether mostly installers write at `path`: site-packages, the scripts, `pyvenv.cfg`."""
    return is_in_site(path) or path.split("/")[0] in ("bin", "Scripts", "pyvenv.cfg")


def is_bytecode(path: str) -> bool:
    """Whether Python itself writes the file, whenever it imports: no part of what is compared."""
    return path.rsplit("/", 1)[-1] == "__pycache__" or "/__pycache__/" in f"/{path}"


def within(part: Part, path: str) -> str:
    """The path as it is met in the environment."""
    return f"{part.name}/{path}" if part.name else path


def _part(
    name: str,
    path: str,
    others: tuple[str, ...],
    without: Collection[trees.Identity],
    most: int | None = None,
) -> Part:
    try:
        mode = stat.S_IMODE(os.stat(path).st_mode)
    except OSError as error:
        raise trees.UnreadableError(f"{path} cannot be read: {error.strerror}") from None
    tree = trees.scan(path, others, without, None if most is None else most + 1)
    if most is not None and len(tree) > most:
        raise trees.UnreadableError(
            f"{name} leads to {path}, which holds more than {most} files: too many to be kept for "
            "an installer that could write there"
        )
    return Part(name=name, path=path, mode=mode, tree=tree, others=others)


def _others(prefix: str, records: frozenset[str]) -> tuple[str, ...] | None:
    """What else lies in the folder of a venv. `None`: a conda environment owns all of it."""
    if not os.path.exists(os.path.join(prefix, "pyvenv.cfg")) or os.path.isdir(
        os.path.join(prefix, "conda-meta")
    ):
        return None
    named = {path.partition("/")[0] for path in records}
    names = trees.names(prefix)
    return tuple(sorted(name for name in names if name not in _OWN and name not in named))


def _with_project(part: Part, names: Collection[str], own: Collection[trees.Identity]) -> Part:
    files, beyond = projects.scan(part.path, names, own)
    return replace(part, tree={**part.tree, **files}, project=True, beyond=beyond)


def _linked_projects(
    first: Part, parts: Collection[Part], own: Collection[trees.Identity]
) -> list[Part]:
    """Folders that a link in the project leads to, through which an installer would write."""
    found: list[Part] = []
    for link in first.beyond:
        if first.tree.get(link, _NOTHING).kind != "link" or len(found) == _MOST_LINKS:
            continue
        target = _outside(below(first.path, link), [*parts, *found])
        if target is None or not os.access(target, os.W_OK | os.X_OK):
            continue
        files, beyond = projects.scan(
            target, trees.names(target), own, projects.MOST_KEPT // _MOST_LINKS
        )
        mode = stat.S_IMODE(os.stat(target).st_mode)
        part = Part(name=link, path=target, mode=mode, tree=files, project=True, beyond=beyond)
        found.append(part)
    return found


def _holds_packages(link: str, sites: list[str]) -> bool:
    """Whether what a link leads to is, holds or belongs to a folder of distributions or scripts."""
    below = any(f"{link}/".startswith(f"{site}/") for site in sites)
    above = any(f"{site}/".startswith(f"{link}/") for site in sites)
    return below or above or link in ("bin", "Scripts")


def _outside(path: str, parts: list[Part]) -> str | None:
    """The folder that a link leads to, if no part holds it."""
    if not os.path.isdir(path):
        return None
    target = true_path(path)
    for part in parts:
        # A folder that holds the environment itself (a project linked into it) is no part of it.
        if _contains(part.path, target) or _contains(target, part.path):
            return None
    return target


def _contains(folder: str, path: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)
