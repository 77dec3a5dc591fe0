"""The folders from which an interpreter imports distributions, in the order of its path.

The order is that of Python's `site` module (https://docs.python.org/3/library/site.html): what
`PYTHONPATH` names, then the user site, then the site folders of the prefix; in a virtual
environment its own site first, then, if it includes the system's, the user site and the base's.
`.pth` files add folders behind, and editable installs map single packages elsewhere.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping

from gpudoctor.collect.long_paths import true_path
from gpudoctor.collect.python.layout import Layout
from gpudoctor.collect.python.portable import read_path_file
from gpudoctor.collect.system.files import is_folder, may_exist, names, read_text
from gpudoctor.model.value import dataclass

_PTH_LIMIT = 1 << 16
# Text, not compiled: `re` compiles and keeps it when it is first needed, which is seldom.
_FINDER = r"(?a)import (__editable___\w+_finder)\b"
_PAIR = r"""(?a)(['"])([\w.]+)\1\s*:\s*(['"])(.+?)\3"""


@dataclass(frozen=True, slots=True)
class SitePath:
    """Where imports come from."""

    site: tuple[str, ...] = ()
    """Site folders of the environment (and of its base, if it includes them), user site too."""
    extra: tuple[str, ...] = ()
    """Folders that come before them: those of `PYTHONPATH`."""
    added: tuple[str, ...] = ()
    """Folders that `.pth` files add behind them."""
    user_site: str | None = None
    editable: tuple[tuple[str, str], ...] = ()
    """Packages that an editable install maps to a folder or file elsewhere."""

    @property
    def folders(self) -> tuple[str, ...]:
        """All folders, in the order of import."""
        return (*self.extra, *self.site, *self.added)


def site_path(
    layout: Layout, base: Layout | None, environ: Mapping[str, str], home: str | None
) -> SitePath:
    """The path of an environment whose standard library is `base`'s (`None`: its own)."""
    if layout.path_file is not None:
        return _embedded(layout, layout.path_file)
    user = _user_site(layout, environ, home)
    if base is None:
        site = [*([user] if user else []), *_site_folders(layout)]
    elif layout.config.get("include-system-site-packages", "").lower() == "true":
        site = [*_site_folders(layout), *([user] if user else []), *_site_folders(base)]
    else:
        user = None
        site = _site_folders(layout)
    extra = _distinct(e for e in environ.get("PYTHONPATH", "").split(os.pathsep) if e)
    site = _distinct(site)
    added, editable = _path_files(site)
    known = set(extra) | set(site)
    return SitePath(
        site=tuple(site),
        extra=tuple(extra),
        added=tuple(folder for folder in added if folder not in known),
        user_site=user,
        editable=tuple(editable),
    )


def _embedded(layout: Layout, path_file: str) -> SitePath:
    """The path of an embeddable Python: its file says it, and no variable adds to it.

    The user site is left out: the programs that bring such a Python start it with `-s`.
    """
    said = read_path_file(path_file)
    own = os.path.join(layout.prefix, "Lib", "site-packages")
    listed = [folder for folder in said.folders if folder != layout.prefix]
    site = _distinct([folder for folder in listed if folder.endswith("-packages")])
    site += [own] if said.site and own not in site else []
    added, editable = _path_files(site) if said.site else ([], [])
    return SitePath(
        site=tuple(site),
        extra=tuple(folder for folder in listed if folder not in site),
        added=tuple(folder for folder in added if folder not in site),
        editable=tuple(editable),
    )


def _site_folders(layout: Layout) -> list[str]:
    prefix = layout.prefix
    if layout.windows:
        return [os.path.join(prefix, "Lib", "site-packages")]
    version = os.path.basename(layout.library) if layout.library else None
    # Debian and Fedora put what pip installs for the system's Python below /usr/local.
    shared = [] if layout.is_venv else [os.path.join(prefix, "local")]
    candidates = [
        os.path.join(place, lib, version, kind)
        for place in (*shared, prefix)
        for lib in ("lib", "lib64")
        for kind in ("site-packages", "dist-packages")
        if version
    ]
    debian = [] if layout.is_venv else [os.path.join(prefix, "lib", "python3", "dist-packages")]
    # PyPy before 3.8 (7.3.9) kept them at the top.
    old = [os.path.join(prefix, "site-packages")] if version is None or layout.pypy else []
    return [folder for folder in (*candidates, *debian, *old) if may_exist(folder)]


def _user_site(layout: Layout, environ: Mapping[str, str], home: str | None) -> str | None:
    """The user site, if this interpreter would put it on its path; `None` otherwise."""
    if environ.get("PYTHONNOUSERSITE") or layout.version is None:
        return None
    major, minor = layout.version
    base = environ.get("PYTHONUSERBASE")
    thread = "t" if layout.free_threaded else ""
    if layout.windows:
        roaming = environ.get("APPDATA")
        base = base or (os.path.join(roaming, "Python") if roaming else None)
        folder = (
            os.path.join(base, f"Python{major}{minor}{thread}", "site-packages") if base else ""
        )
    elif not base and home and "Python.framework" in layout.prefix:
        folder = os.path.join(
            home, "Library/Python", f"{major}.{minor}", "lib/python/site-packages"
        )
    else:
        base = base or (os.path.join(home, ".local") if home else None)
        library = f"{'pypy' if layout.pypy else 'python'}{major}.{minor}{thread}"
        folder = os.path.join(base, "lib", library, "site-packages") if base else ""
    return folder if folder and is_folder(folder) else None


def _path_files(site: Iterable[str]) -> tuple[list[str], list[tuple[str, str]]]:
    """Folders that the `.pth` files of the site folders add, and what their finders map."""
    added: list[str] = []
    editable: list[tuple[str, str]] = []
    for folder in site:
        for name in names(folder):
            if not name.endswith(".pth") or name.startswith("."):
                continue
            text = read_text(os.path.join(folder, name), _PTH_LIMIT) or ""
            for line in text.splitlines():
                if "__editable__" in line and (match := re.match(_FINDER, line)):
                    editable += _finder(os.path.join(folder, match[1] + ".py"))
                elif line.strip() and not line.startswith(("#", "import ", "import\t")):
                    added.append(os.path.normpath(os.path.join(folder, line.strip())))
    return _distinct(path for path in added if is_folder(path)), editable


def _finder(path: str) -> list[tuple[str, str]]:
    """What setuptools' finder of an editable install maps: `torch` → its source folder."""
    text = read_text(path, _PTH_LIMIT) or ""
    _, _, after = text.partition("\nMAPPING")
    mapping = after.partition("{")[2].partition("}")[0]
    return [(pair[1], pair[3]) for pair in re.findall(_PAIR, mapping)]


def _distinct(paths: Iterable[str]) -> list[str]:
    """Each folder once: `lib64` is often a link to `lib`."""
    seen: set[str] = set()
    result = []
    for path in paths:
        true = true_path(path)
        if true not in seen:
            seen.add(true)
            result.append(path)
    return result
