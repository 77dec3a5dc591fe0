"""Reading `/sys`, `/proc`, `/dev` and `/etc` of this machine, or of one that lies in a folder.

With `GPUDOCTOR_SYSROOT=DIR` every path is looked up below DIR, and symbolic links too: an
absolute link starts again at DIR, and `..` stops there. Nothing of the real machine shows
through.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping

from gpudoctor.model.value import dataclass

VARIABLE = "GPUDOCTOR_SYSROOT"
_MAX_LINKS = 40
_READ_LIMIT = 1 << 20


def whole_number(text: str | None) -> int | None:
    """A number of at most 18 digits, as the kernel prints it; `None` for anything else."""
    plain = text is not None and text.isascii() and text.isdecimal() and len(text) <= 18
    return int(text) if text is not None and plain else None


@dataclass(frozen=True, slots=True)
class Sysroot:
    """A view of a machine's files; `folder` is empty for the machine itself."""

    folder: str = ""

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Sysroot:
        """The view that `GPUDOCTOR_SYSROOT` asks for."""
        folder = environ.get(VARIABLE, "")
        return cls(os.path.abspath(folder) if folder else "")

    @property
    def is_real(self) -> bool:
        """Whether it is the machine itself that is looked at."""
        return not self.folder

    def place(self, path: str) -> str:
        """Where `path` really lies, every link followed inside the sysroot.

        Parts that do not exist are appended as they are.
        """
        return path if not self.folder else self.folder + self._resolve(path)

    def realpath(self, path: str) -> str:
        """`path` with its links followed, as the machine that is looked at would name it."""
        return os.path.realpath(path) if not self.folder else self._resolve(path)

    def read(self, path: str, limit: int = _READ_LIMIT) -> str | None:
        """The file's text without surrounding white space; `None` if there is no such file.

        Raises:
            OSError: it is there and cannot be read.
        """
        data = self.read_bytes(path, limit)
        return None if data is None else data.decode("utf-8", "replace").strip("\0 \t\r\n")

    def read_bytes(self, path: str, limit: int = _READ_LIMIT) -> bytes | None:
        """The file's first `limit` bytes; `None` if there is no such file.

        Raises:
            OSError: it is there and cannot be read.
        """
        try:
            descriptor = os.open(self.place(path), os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        except (FileNotFoundError, NotADirectoryError):
            return None
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return None
            pieces = []
            while limit > 0 and (piece := os.read(descriptor, min(limit, 1 << 16))):
                pieces.append(piece)
                limit -= len(piece)
            return b"".join(pieces)
        finally:
            os.close(descriptor)

    def read_or_none(self, path: str) -> str | None:
        """As `read`, but a file that cannot be read counts as none: for facts of no weight."""
        try:
            return self.read(path)
        except OSError:
            return None

    def names(self, path: str) -> list[str]:
        """The sorted names in a folder; empty if there is no such folder, or none may look."""
        try:
            return sorted(os.listdir(self.place(path)))
        except OSError:
            return []

    def exists(self, path: str) -> bool:
        """Whether there is such a file or folder, links followed."""
        return os.path.exists(self.place(path))

    def is_dir(self, path: str) -> bool:
        """Whether there is such a folder."""
        return os.path.isdir(self.place(path))

    def stat(self, path: str) -> os.stat_result | None:
        """The file's status, links followed; `None` if it cannot be had."""
        try:
            return os.stat(self.place(path))
        except OSError:
            return None

    def _resolve(self, path: str) -> str:
        done: list[str] = []
        todo = [part for part in reversed(path.split("/")) if part not in ("", ".")]
        links = 0
        while todo:
            part = todo.pop()
            if part == "..":
                if done:
                    done.pop()
                continue
            here = self.folder + "/" + "/".join([*done, part])
            try:
                target = os.readlink(here)
            except OSError:
                done.append(part)
                continue
            links += 1
            if links > _MAX_LINKS:
                return "/" + "/".join([*done, part, *reversed(todo)])
            if target.startswith("/"):
                done = []
            todo += [step for step in reversed(target.split("/")) if step not in ("", ".")]
        return "/" + "/".join(done)
