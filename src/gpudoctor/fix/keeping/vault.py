"""Folders for kept files: made by us and for us alone, and looked at again before they are used.

The name is chosen at random and the folder is made, never taken over; it is private (0700) and
carries a token that the journal knows. Whoever else may write beside the environment can neither
plant such a folder nor read what is in it.
"""

from __future__ import annotations

import os
import secrets
import stat

from gpudoctor.collect.python.fix_journal import not_private
from gpudoctor.fix.environment.confined import Folder
from gpudoctor.fix.environment.parts import Part
from gpudoctor.fix.environment.tree import UnreadableError
from gpudoctor.model.value import dataclass

FILES = "files"
ASIDE = "set-aside"
_TOKEN = "token"  # noqa: S105 - the name of a file; what is in it guards against mistakes


@dataclass(frozen=True, slots=True, kw_only=True)
class Vault:
    """Where the files of one part are kept."""

    path: str
    token: str

    @property
    def files(self) -> str:
        """The folder that mirrors the part."""
        return os.path.join(self.path, FILES)

    @property
    def aside(self) -> str:
        """The folder for what a restoration took out of the way and must not lose."""
        return os.path.join(self.path, ASIDE)


def plan(part: Part, fix: str, number: int) -> Vault:
    """Where a part would be kept: within the fix's folder if that is on the same file system, else
    beside the part, where links work, else in the fix's folder all the same, by copies."""
    token = secrets.token_hex(8)
    inside = os.path.join(fix, f"kept-{number}")
    above = os.path.dirname(part.path)
    try:
        device = os.stat(part.path).st_dev
        same = os.stat(fix).st_dev == device
        beside = os.stat(above).st_dev == device and os.access(above, os.W_OK | os.X_OK)
    except OSError as error:
        raise UnreadableError(f"{part.path} cannot be read: {error.strerror}") from None
    if same or not beside:
        return Vault(path=inside, token=token)
    return Vault(path=os.path.join(above, f".gpudoctor-{token}"), token=token)


def make(vault: Vault) -> None:
    """Make the folder, with its token.

    Raises:
        OSError: it is there already, or cannot be made.
    """
    os.mkdir(vault.path, 0o700)
    with Folder(vault.path) as folder:
        descriptor = folder.create(_TOKEN)
        try:
            os.write(descriptor, vault.token.encode())
        finally:
            os.close(descriptor)
        folder.make_folder(FILES)


def trouble(vault: Vault) -> str | None:
    """Why the folder cannot be trusted or used, as a clause; `None` if it is the one we made."""
    if why := not_private(vault.path):
        return why
    try:
        with Folder(vault.path) as folder:
            descriptor = folder.open(_TOKEN)
            try:
                said = os.read(descriptor, 64)
            finally:
                os.close(descriptor)
    except OSError as error:
        return f"{vault.path} is damaged: {error.strerror}"
    return None if said == vault.token.encode() else f"{vault.path} belongs to another fix"


def remove(vault: Vault, *, keep_aside: bool = False) -> None:
    """Remove the folder if it is ours; what was set aside stays where that is wanted."""
    if not_private(vault.path) is not None:
        return
    try:
        names = os.listdir(vault.path)
    except OSError:
        return
    # A folder that was made a moment before the end has no whole token yet, and nothing in it.
    if names not in ([], [_TOKEN]) and trouble(vault) is not None:
        return
    for name in names:
        if name != _TOKEN and not (name == ASIDE and keep_aside):
            remove_tree(os.path.join(vault.path, name))
    try:
        # The token goes last: what could not be removed now is known as ours the next time.
        if os.listdir(vault.path) == [_TOKEN]:
            os.unlink(os.path.join(vault.path, _TOKEN))
        if not os.listdir(vault.path):
            os.rmdir(vault.path)
    except OSError:
        pass


def discard(folder: str) -> None:
    """Remove the folder of a fix so that no half of it is ever taken for a whole one."""
    hidden = os.path.join(os.path.dirname(folder), f".{os.path.basename(folder)}")
    try:
        os.rename(folder, hidden)
    except OSError:
        return
    remove_tree(hidden)


def remove_tree(path: str) -> None:
    """Remove a file or a folder with all that is in it, as far as that can be done."""
    try:
        status = os.lstat(path)
        if not stat.S_ISDIR(status.st_mode):
            os.unlink(path)
            return
        os.chmod(path, 0o700)
        for name in os.listdir(path):
            remove_tree(os.path.join(path, name))
        os.rmdir(path)
    except OSError:
        pass
