"""Installed distributions, read from their metadata folders and nothing else.

`importlib.metadata` would cost some 15 ms to import and parse every file as an e-mail. Here names
and versions come from the folders' names (`torch-2.6.0+cu124.dist-info`), and of `METADATA` only
the head is looked at, line by line, up to the first empty one.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

from gpudoctor.collect.reason import Reason
from gpudoctor.collect.system.files import is_file, may_exist, read_bytes, read_text
from gpudoctor.model.requirements.requirement_line import normal
from gpudoctor.model.value import dataclass

_HEAD_LIMIT = 1 << 18
# Text, not compiled: `re` compiles and keeps it when it is first needed, which is seldom.
_EGG_VERSION = r"(?a)-py\d\.\d+.*\Z"
_ORIGIN = r'"url"\s*:\s*"([^"]*)"'
_EDITABLE = r'"editable"\s*:\s*true'


@dataclass(frozen=True, slots=True)
class Distribution:
    """One installed distribution."""

    name: str
    """Normalised: `nvidia-cudnn-cu12`."""
    version: str | None
    site: str
    """The folder of the path in which it lies."""
    info: str
    """Its metadata folder (or file), absolute."""
    requires: tuple[str, ...] = ()
    """Its `Requires-Dist` lines, all of them."""
    extras: tuple[str, ...] = ()

    @property
    def record(self) -> str:
        """Its list of files."""
        name = "RECORD" if self.info.endswith(".dist-info") else "installed-files.txt"
        return os.path.join(self.info, name)

    @property
    def installer(self) -> str | None:
        """What installed it: `pip`, `uv`, `conda`, `Poetry 2.1.1`."""
        return (read_text(os.path.join(self.info, "INSTALLER"), 256) or "").strip() or None

    @property
    def origin(self) -> tuple[str | None, bool]:
        """URL of a direct install, and whether it is editable (PEP 610)."""
        if self.info.endswith(".egg-link"):
            return None, True
        text = read_text(os.path.join(self.info, "direct_url.json"), 1 << 14)
        if text is None:
            return None, False
        url = re.search(_ORIGIN, text)
        return (url[1] if url else None), bool(re.search(_EDITABLE, text))


def read_distributions(folders: Iterable[str]) -> tuple[list[Distribution], dict[str, Reason]]:
    """All distributions of the folders, in the order of the path.

    Returns:
        The distributions, and the folders that are there but cannot be read, with the reason.
    """
    found: list[Distribution] = []
    unreadable: dict[str, Reason] = {}
    for folder in folders:
        try:
            entries = sorted(os.listdir(folder))
        except (FileNotFoundError, NotADirectoryError) as error:
            # PYTHONPATH may name what is not there, and archives. A site folder that is a file
            # or a broken link is no empty one.
            if folder.endswith("-packages") and may_exist(folder):
                unreadable[folder] = Reason.of_error(error)
            continue
        except OSError as error:
            unreadable[folder] = Reason.of_error(error)
            continue
        for entry in entries:
            is_metadata = entry.endswith((".dist-info", ".egg-info", ".egg-link", ".egg"))
            if is_metadata and (distribution := _read(folder, entry)) is not None:
                found.append(distribution)
    return found, unreadable


def _read(folder: str, entry: str) -> Distribution | None:
    if entry.startswith("~"):
        return None  # what an interrupted pip left behind; imports do not find it
    info = os.path.join(folder, entry)
    stem, _, kind = entry.rpartition(".")
    if kind == "egg-link":
        source = (read_text(info, 4096) or "").splitlines()
        head = _head(_source_metadata(source[0].strip(), stem)) if source else []
        return _distribution(stem, None, folder, info, head)
    if kind == "egg":
        name, _, version = re.sub(_EGG_VERSION, "", stem).rpartition("-")
        head = _head(os.path.join(info, "EGG-INFO", "PKG-INFO"))
    elif kind == "egg-info":
        name, _, version = re.sub(_EGG_VERSION, "", stem).rpartition("-")
        folder_like = os.path.isdir(info)
        head = _head(os.path.join(info, "PKG-INFO") if folder_like else info)
        if folder_like and not any(line.startswith(b"Requires-Dist:") for line in head):
            head += _requires_txt(os.path.join(info, "requires.txt"))
    else:
        name, _, version = stem.rpartition("-")
        head = _head(os.path.join(info, "METADATA"))
    return _distribution(name or stem, version if name else None, folder, info, head)


def _distribution(
    name: str, version: str | None, folder: str, info: str, head: list[bytes]
) -> Distribution:
    requires, extras = [], []
    for line in head:
        if line.startswith(b"Requires-Dist:"):
            requires.append(line[14:].strip().decode("utf-8", "replace"))
        elif version is None and line.startswith(b"Version:"):
            version = line[8:].strip().decode("utf-8", "replace")
        elif line.startswith(b"Provides-Extra:"):
            extras.append(line[15:].strip().decode("utf-8", "replace"))
    return Distribution(
        name=normal(name),
        version=version,
        site=folder,
        info=info,
        requires=tuple(requires),
        extras=tuple(extras),
    )


def _head(path: str | None) -> list[bytes]:
    """The header lines of a metadata file; none if it cannot be read."""
    data = read_bytes(path, 1 << 14) if path else None
    if data is None:
        return []
    end = _head_end(data)
    if end < 0 and len(data) == 1 << 14:
        data = read_bytes(path or "", _HEAD_LIMIT) or data
        end = _head_end(data)
    return (data if end < 0 else data[:end]).splitlines()


def _head_end(data: bytes) -> int:
    ends = [end for end in (data.find(b"\n\n"), data.find(b"\r\n\r\n")) if end >= 0]
    return min(ends, default=-1)


def _source_metadata(source: str, name: str) -> str | None:
    """`PKG-INFO` of a source folder that `setup.py develop` linked."""
    for stem in (name, name.replace("-", "_")):
        path = os.path.join(source, f"{stem}.egg-info", "PKG-INFO")
        if is_file(path):
            return path
    return None


def _requires_txt(path: str) -> list[bytes]:
    """Unconditional requirements of an old-style egg (those before the first section)."""
    text = (read_bytes(path, 1 << 16) or b"").partition(b"\n[")[0]
    if text.startswith(b"["):
        return []
    return [b"Requires-Dist: " + line for line in text.splitlines() if line.strip()]
