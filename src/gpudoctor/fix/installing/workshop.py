"""Where an installer works: an empty folder of its own, and one for its temporary files.

An installer reads what lies in the folder it is started in: uv its `uv.toml` and `pyproject.toml`
there and above, Python any module of a name that it imports. Started in an empty folder of ours it
finds nothing. Temporary files go into a folder that is removed with the fix, also after a kill.
"""

from __future__ import annotations

import os
import secrets
import tempfile

from gpudoctor.collect.python.fix_journal import not_private
from gpudoctor.fix.keeping.vault import remove_tree

_CONFIGURATIONS = ("uv.toml", "pyproject.toml")


class Workshop:
    """The two folders of one fix."""

    def __init__(self, fix: str) -> None:
        self.folder = os.path.join(fix, "work")
        """The current folder of installers."""
        self._note = os.path.join(fix, "temporary")
        self.temporary = os.path.join(self.folder, "tmp")

    def make(self) -> None:
        """Make them.

        Raises:
            OSError: the first cannot be made. Without the second, the first holds it.
        """
        os.mkdir(self.folder, 0o700)
        name = f"gpudoctor-{secrets.token_hex(8)}"
        try:
            chosen = os.path.join(os.path.abspath(tempfile.gettempdir()), name)
            # Written down first: whoever cleans up after a kill knows of it.
            with open(self._note, "w", encoding="utf-8", errors="surrogateescape") as file:
                file.write(chosen)
            os.mkdir(chosen, 0o700)
            self.temporary = chosen
        except OSError:
            self.temporary = self.folder

    @property
    def is_clean(self) -> bool:
        """Whether no folder above holds the configuration of a project."""
        folder = self.folder
        while (above := os.path.dirname(folder)) != folder:
            folder = above
            if any(os.path.lexists(os.path.join(folder, name)) for name in _CONFIGURATIONS):
                return False
        return True

    def clear(self) -> bool:
        """Remove them, as far as they are there and ours; whether nothing of them is left."""
        temporary = self.temporary
        try:
            with open(self._note, encoding="utf-8", errors="surrogateescape") as file:
                temporary = file.read()
        except FileNotFoundError:
            pass
        except OSError:
            return False  # nobody knows now where it is
        named = os.path.basename(temporary).startswith("gpudoctor-")
        if named and os.path.isabs(temporary) and not_private(temporary) is None:
            remove_tree(temporary)
        remove_tree(self.folder)
        if os.path.lexists(temporary) or os.path.lexists(self.folder):
            return False  # the next fix tries again
        remove_tree(self._note)
        return True
