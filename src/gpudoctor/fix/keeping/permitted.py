"""Leave to change a path, whatever its modes and attributes say."""

from __future__ import annotations

import os
import stat

from gpudoctor.fix.environment.confined import Folder


class Permitted:
    """For a moment, what forbids the owner to change a path is lifted: modes and attributes."""

    def __init__(self, folder: Folder, path: str) -> None:
        self._folder, self._path = folder, path
        self._mode: int | None = None
        self._parent: int | None = None

    def __enter__(self) -> None:
        name, self._parent = self._folder.at(self._path)
        if self._parent is None:
            if os.path.lexists(name):
                os.chmod(name, stat.S_IWRITE | stat.S_IREAD)
            return
        self._mode = stat.S_IMODE(os.fstat(self._parent).st_mode)
        self._parent = os.dup(self._parent)
        os.fchmod(self._parent, self._mode | 0o700)

    def __exit__(self, *_: object) -> None:
        if self._parent is not None and self._mode is not None:
            try:
                os.fchmod(self._parent, self._mode)
            finally:
                os.close(self._parent)
