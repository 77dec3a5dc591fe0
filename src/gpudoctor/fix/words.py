"""What may be said after a restoration: only what its comparison has proved."""

from __future__ import annotations

import os
import re
import shlex

from gpudoctor.collect.long_paths import ordinary
from gpudoctor.fix.keeping.manifest import Kept
from gpudoctor.fix.keeping.restore import Restored

_PLAIN = re.compile(r"[\w:\\./-]+\Z")
_EXPANDS = re.compile(r"[$`]")


def as_it_was(restored: Restored) -> str:
    """That the environment is as it was, as a clause, with what differs all the same."""
    return (
        f"the environment is as it was{outside(restored)}{apart_from(restored)}"
        f"{set_aside(restored)}"
    )


def outside(restored: Restored) -> str:
    """What of the person's own the installer had changed, as a further clause; else nothing."""
    said = ""
    if changed := restored.beside.changed:
        said += f", and so {_are(changed)} beside it that the installer had changed ({changed[0]})"
    if lost := restored.beside.lost:
        said += (
            f", apart from {_count(len(lost))} outside it that the installer wrote and of which "
            f"nothing was kept ({lost[0]})"
        )
    if versions := restored.versions:
        said += (
            f"; {_are(versions)} beside it that changed meanwhile, nobody knows by whom, and that "
            f"{_were(versions)} left alone ({versions[0]}): what {_were(versions)} there before "
            "is set aside"
        )
    return said


def apart_from(restored: Restored) -> str:
    """What differs and was left alone, as a further clause; else nothing."""
    if not restored.left:
        return ""
    return (
        f", apart from {_count(len(restored.left))} that others wrote meanwhile and that "
        f"{_were(restored.left)} left alone ({restored.left[0]})"
    )


def set_aside(restored: Restored) -> str:
    """Where that lies which was moved out of the way, as a further clause; else nothing."""
    if not restored.aside:
        return ""
    return f"; what was moved out of the way lies in {', '.join(restored.aside)}"


def not_restored(kept: Kept, restored: Restored, holder: str = "") -> str:
    """What is left to do after a restoration that could not do all, with the commands."""
    path, why = restored.failed[0]
    more = f", and {len(restored.failed) - 1} more" if len(restored.failed) > 1 else ""
    done = f"{_count(len(restored.paths))} put back, " if restored.paths else ""
    return (
        f"the environment is not as it was: {done}{len(restored.failed)} not ({path}: {why}"
        f"{more}){holder}{set_aside(restored)}. Once the obstacle is gone, run "
        f"`{undo_command(kept.environment.prefix)}`; "
        f"or by hand: {'; '.join(by_hand(kept))}"
    )


def given_up(kept: Kept) -> str:
    """What is left to do after a restoration that was not allowed to end."""
    return f"interrupted while the environment was put back: it is not as it was; {_ways(kept)}"


def broken_off(kept: Kept, why: str) -> str:
    """What is left to do after a restoration that ended in a way that nobody foresaw."""
    return f"the environment may not be as it was ({why}); {_ways(kept)}"


def _ways(kept: Kept) -> str:
    undo = undo_command(kept.environment.prefix)
    return f"run `{undo}`; or by hand: {'; '.join(by_hand(kept))}"


def by_hand(kept: Kept) -> list[str]:
    """Commands for this machine's shell that copy the kept files over the environment."""
    return [
        _copy_command(vault.files, part.path)
        for part, vault in zip(kept.environment.parts, kept.vaults, strict=True)
    ]


def undo_command(prefix: str) -> str:
    """The command that undoes the last fix of an environment, for this machine's shell."""
    return f"gpudoctor fix --undo --python {_quoted(prefix)}"


def _copy_command(source: str, target: str) -> str:
    if os.name == "nt":  # robocopy knows of no limit to a path's length
        return f"robocopy {_quoted(source)} {_quoted(target)} /E /COPY:DAT"
    return f"cp -a -- {_quoted(source + '/.')} {_quoted(target + '/')}"


def _quoted(path: str) -> str:
    if os.name != "nt":
        return shlex.quote(path)
    path = ordinary(path)
    if _EXPANDS.search(path):  # between double quotes PowerShell reads these, cmd does not
        return "'" + path.replace("'", "''") + "'"
    return path if _PLAIN.match(path) else f'"{path}"'


def _are(paths: tuple[str, ...]) -> str:
    return f"{'is' if len(paths) == 1 else 'are'} {_count(len(paths))}"


def _were(paths: tuple[str, ...]) -> str:
    return "was" if len(paths) == 1 else "were"


def _count(number: int) -> str:
    return "1 path" if number == 1 else f"{number} paths"
