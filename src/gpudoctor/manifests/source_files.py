"""The files that are read: their bytes, their text, where they lie."""

from __future__ import annotations

import codecs
import fnmatch
import glob
import os
import posixpath
import re

from gpudoctor.errors import UsageError
from gpudoctor.model.value import dataclass, field

_MAX_BYTES = 256 * 2**20
_CODING = re.compile(r"^[ \t\f]*#.*?coding[:=][ \t]*([-_.a-zA-Z0-9]+)")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file that was named: its text, and the files beside it."""

    path: str
    """As it was named; what findings show."""
    text: str
    others: dict[str, str] | None = field(default=None)
    """Instead of the disk: path → text, where the text was given and not a file."""

    @property
    def name(self) -> str:
        """`uv.lock`"""
        return self.path.replace("\\", "/").rsplit("/", 1)[-1]

    def beside(self, path: str) -> SourceFile | None:
        """A file that this one names; `None`: it cannot be read."""
        if self.others is not None:  # their names are written with `/` on every system
            target = posixpath.normpath(posixpath.join(posixpath.dirname(self.path), path))
            text = self.others.get(target)
            return None if text is None else SourceFile(target, text, self.others)
        target = os.path.normpath(os.path.join(os.path.dirname(self.path), path))
        try:
            return read(target)
        except UsageError:
            return None

    def matching(self, pattern: str) -> list[str]:
        """The files below this one's folder whose path fits a pattern (`packages/*/x.toml`)."""
        folder = os.path.dirname(self.path)
        if self.others is not None:
            folder = posixpath.dirname(self.path)
            paths = [posixpath.relpath(path, folder or ".") for path in self.others]
            return sorted(path for path in paths if fnmatch.fnmatch(path, pattern))
        try:
            found = glob.glob(pattern, root_dir=folder or ".")
            return sorted(path.replace(os.sep, "/") for path in found)
        except (OSError, ValueError):
            return []

    def place(self, path: str) -> str:
        """Where a path that this file names lies."""
        if "://" in path or os.path.isabs(path):
            return path
        return os.path.normpath(os.path.join(os.path.dirname(self.path), path))


def read(path: str) -> SourceFile:
    """Read a file.

    Raises:
        UsageError: it cannot be read, or is no text.
    """
    try:
        with open(path, "rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
    except ValueError:
        raise UsageError(f"{path!r} is no file name") from None
    if len(data) > _MAX_BYTES:
        raise UsageError(f"{path} is larger than {_MAX_BYTES // 2**20} MiB")
    return SourceFile(path, decode(data, path))


def decode(data: bytes, path: str) -> str:
    """The text of a file: UTF-8 unless a byte-order mark or a coding line says otherwise.

    Raises:
        UsageError: it is no text.
    """
    for mark, name in _MARKS:
        if data.startswith(mark):
            try:
                return _plain(data.decode(name))
            except UnicodeDecodeError:
                raise UsageError(f"{path} is no text file") from None
    if b"\0" in data:
        raise UsageError(f"{path} is no text file")
    coding = "utf-8"
    for line in data.split(b"\n", 2)[:2]:
        found = _CODING.match(line.decode("latin-1"))
        if found:
            coding = found[1]
    try:
        return _plain(data.decode(coding, "replace"))
    except LookupError:
        return _plain(data.decode("utf-8", "replace"))


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")
