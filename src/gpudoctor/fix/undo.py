"""Undoing a fix: one that was cut off is put back whole, one that was finished step by step.

What people and programs did since is not the fix's: it is left alone where that can be, and where
it lies on what must be put back, undoing refuses, or moves it aside if that is asked for.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from typing import Any

from gpudoctor.collect.long_paths import below, ordinary, true_path
from gpudoctor.collect.python import fix_journal as place
from gpudoctor.errors import FixFailedError, FixInterruptedError, RestoreFailedError
from gpudoctor.fix import pulse, words
from gpudoctor.fix.environment import later as since
from gpudoctor.fix.environment import ownership
from gpudoctor.fix.environment import parts as environments
from gpudoctor.fix.environment import tree as trees
from gpudoctor.fix.environment.ownership import Plan
from gpudoctor.fix.environment.parts import Environment
from gpudoctor.fix.holders.held import held_by
from gpudoctor.fix.installing.workshop import Workshop
from gpudoctor.fix.journal import Journal
from gpudoctor.fix.keeping import beside, manifest, restore, vault
from gpudoctor.fix.keeping.beside import Beside
from gpudoctor.fix.keeping.manifest import Kept
from gpudoctor.fix.keeping.present import present
from gpudoctor.fix.keeping.restore import Restored
from gpudoctor.fix.kept import clean, remove_empty, vaults_of
from gpudoctor.fix.lock import EnvironmentLock
from gpudoctor.fix.signals import INSIST, Signals
from gpudoctor.fix.transaction import AFTER, BEFORE, forget_descriptions, forget_untouched
from gpudoctor.model.value import dataclass

WAIT_SECONDS = 900.0
"""How long undo waits for an installer that outlived its parent and still writes."""


@dataclass(frozen=True, slots=True)
class Undone:
    """What undoing did: a sentence, and how many paths were put back."""

    text: str
    paths: int = 0

    @property
    def sentence(self) -> str:
        """The text as a sentence of its own."""
        return f"{self.text[0].upper()}{self.text[1:]}."

    @property
    def exit_code(self) -> int:
        """The command's: 0, also where there was nothing to undo; all else is an exception."""
        return 0

    def to_dict(self) -> dict[str, Any]:
        """What `fix --undo --json` prints."""
        return {"schema_version": "1.0", "message": self.sentence, "paths": self.paths}

    def __str__(self) -> str:
        return self.sentence


def undo(
    prefix: str,
    environ: Mapping[str, str],
    say: Callable[[str], None],
    wait_seconds: float = WAIT_SECONDS,
    *,
    set_aside: bool = False,
) -> Undone:
    """Put the environment at `prefix` back to where it was before its last fix.

    Args:
        prefix: the environment.
        environ: tells where the journals lie.
        say: is told what happens.
        wait_seconds: how long an installer that still writes is waited for.
        set_aside: move what came after the fix out of the way where undoing would lose it.

    Raises:
        FixFailedError: it cannot be undone without losing what came after; nothing was changed.
        RestoreFailedError: something could not be put back.
        FixInterruptedError: it was interrupted before it began.
    """
    folder = place.environment_folder(prefix, environ)
    if not _kept_fixes(folder):
        return Undone("there is nothing to undo")
    with Signals(say) as signals:
        say("waiting until nothing writes into the environment any more")
        try:
            with EnvironmentLock(prefix, folder, wait_seconds):
                fix = next(
                    (f for f in reversed(_kept_fixes(folder, cleaned=True)) if _can_be_undone(f)),
                    None,
                )
                if fix is None:
                    return Undone("there is nothing to undo")
                journal = Journal(fix)
                return _Undoing(prefix, journal, signals, environ, set_aside=set_aside).run()
        finally:
            remove_empty(folder)


def _kept_fixes(folder: str, *, cleaned: bool = False) -> list[str]:
    try:
        if cleaned:
            clean(folder)
        return place.fixes(folder)
    except OSError as error:
        why = f"{folder} cannot be read: {error.strerror}"
        raise FixFailedError(f"{why}; nothing was changed") from None


def has_fixes(prefix: str, environ: Mapping[str, str]) -> bool:
    """Whether `prefix` is a folder of which fixes are kept."""
    if not os.path.isdir(prefix):
        return False
    try:
        return bool(place.fixes(place.environment_folder(prefix, environ)))
    except OSError:
        return True  # who undoes will be told


class _Undoing:
    """One undo."""

    def __init__(
        self,
        prefix: str,
        journal: Journal,
        signals: Signals,
        environ: Mapping[str, str],
        *,
        set_aside: bool,
    ) -> None:
        self._prefix, self._journal, self._signals = prefix, journal, signals
        self._reading = journal.read()
        self._without = (place.state_folder(environ),)
        self._set_aside = set_aside
        self._beside = Beside()

    def run(self) -> Undone:
        if self._reading.damage:
            raise FixFailedError(self._damaged(self._reading.damage))
        if not self._reading.last("applying"):
            return self._untouched()
        with self._signals.heard():
            try:
                kept = self._kept()
                committed = self._reading.step == "committed" or bool(
                    self._reading.last("committed")
                )
                plan = self._plan_committed(kept) if committed else self._plan_cut_off(kept)
            except KeyboardInterrupt:
                raise FixInterruptedError("interrupted; nothing was changed") from None
            except OSError as error:
                raise FixFailedError(f"{error}; nothing was changed") from None
        restored = self._restore(kept, plan, committed=committed)
        if self._journal.note("undone" if committed else "restored"):
            Workshop(self._journal.folder).clear()
            restore.remove_vaults(kept, restored)
            forget_descriptions(self._journal.folder)
        return Undone(self._said(restored, committed=committed), len(restored.paths))

    def _untouched(self) -> Undone:
        """No command was begun: the journal, which is written before each, says so."""
        if self._was_at_work():
            raise FixFailedError(self._damaged("it ends before the fix did"))
        forget_untouched(self._journal, vaults_of(self._reading))
        return Undone("the fix was interrupted before its first change: nothing was changed")

    def _kept(self) -> Kept:
        """What is kept, checked.

        Raises:
            RestoreFailedError: it is gone or damaged, so that nothing can be put back.
        """
        path = os.path.join(self._journal.folder, BEFORE)
        try:
            kept = manifest.read(path, self._reading.last("kept").get("manifest", {}))
        except FixFailedError as error:
            raise RestoreFailedError(self._lost(str(error), None)) from None
        if ordinary(true_path(self._prefix)) != ordinary(kept.environment.prefix):
            raise FixFailedError(
                f"the fix was one of {kept.environment.prefix}, and {self._prefix} leads elsewhere "
                "now; nothing was changed"
            )
        for each in kept.vaults:
            if why := vault.trouble(each):
                raise RestoreFailedError(self._lost(why, kept))
        return kept

    def _lost(self, why: str, kept: Kept | None) -> str:
        name = os.path.basename(self._journal.folder)
        text = f"the fix {name} cannot be undone: what it kept is not there ({why})"
        if kept is not None:
            differing = environments.differences(kept.environment, self._without)
            count = sum(map(len, differing.values()))
            text += f"; {count} paths of the environment differ from what they were before it"
        return (
            f"{text}. Nothing was changed now. Install what is missing, then "
            f"`gpudoctor fix --forget {name}` removes this fix from the list"
        )

    def _was_at_work(self) -> bool:
        """Whether a fix of whose commands the journal does not tell began one all the same.

        A journal that lost its last lines is sound to look at. Then what is described differs from
        what is there, and the fix has left a sign of life.
        """
        path = os.path.join(self._journal.folder, BEFORE)
        try:
            with open(path, "rb") as file:
                kept = manifest.parse(file.read(), path)
        except FileNotFoundError:
            return False  # it was written before the first command
        except (OSError, FixFailedError):
            return True
        if pulse.last_ns(kept.vaults[0].path) is None:
            return False
        return any(environments.differences(kept.environment, self._without).values())

    def _damaged(self, why: str) -> str:
        name = os.path.basename(self._journal.folder)
        return (
            f"the journal of the fix {name} is damaged ({why}), so nobody knows "
            f"what it changed; what it kept lies in {self._journal.folder} or beside the "
            f"environment; nothing was changed now. `gpudoctor fix --forget {name}` removes it"
        )

    def _plan_cut_off(self, kept: Kept) -> Plan:
        environment = kept.environment
        now = present(kept, self._without)
        self._beside = beside.changes(environment, now)
        who = ownership.owners(environment, [v.token for v in kept.vaults])
        plan = ownership.plan(environment, now, who)
        end = pulse.last_ns(kept.vaults[0].path)
        if end is None or end > time.time_ns():
            return since.losing_nothing(plan)
        late = since.after_cut(environment, plan, end)
        return self._decided(kept, plan, late, "the fix was cut off")

    def _plan_committed(self, kept: Kept) -> Plan:
        path = os.path.join(self._journal.folder, AFTER)
        try:
            after = manifest.read(path, self._reading.last("committed").get("manifest", {}))
            if len(after.environment.parts) != len(kept.environment.parts):
                raise FixFailedError(f"{path} does not hold what it should")
        except FixFailedError as error:
            raise RestoreFailedError(self._lost(str(error), kept)) from None
        now = present(kept, self._without, _differing(kept.environment, after.environment))
        who = ownership.owners(kept.environment, [v.token for v in kept.vaults])
        plan = since.of_the_fix(kept.environment, after.environment, now, who)
        late = since.after_commit(kept.environment, after.environment, now, who)
        return self._decided(kept, plan, late, "the fix")

    def _decided(self, kept: Kept, plan: Plan, late: since.Late, what: str) -> Plan:
        """The plan with what came later left alone or moved aside.

        Raises:
            FixFailedError: something of it lies in the way, and moving it was not asked for.
        """
        result = {name: dict(actions) for name, actions in plan.items()}
        for name, path in late.apart:
            result[name][path] = "leave"
        if late.in_the_way and not self._set_aside:
            part, path = late.in_the_way[0]
            root = next(p.path for p in kept.environment.parts if p.name == part)
            shown = os.path.normpath(ordinary(below(root, path)))
            raise FixFailedError(
                f"{len(late.in_the_way)} files came or changed after {what}, "
                f"{shown} among them, and undoing would lose that; nothing was "
                f"changed. `{words.undo_command(self._prefix)} --set-aside` undoes the fix and "
                "moves them aside"
            )
        for name, path in late.in_the_way:
            result[name][path] = "set aside"
        return result

    def _restore(self, kept: Kept, plan: Plan, *, committed: bool) -> Restored:
        self._journal.note("restoring")
        try:
            with self._signals.heard(after=INSIST):
                versions = () if committed else beside.set_versions_aside(kept, plan)
                restored = restore.restore(kept, plan, self._without)
        except KeyboardInterrupt:
            raise RestoreFailedError(words.given_up(kept)) from None
        except Exception as error:  # whatever it is: the environment is not proved to be whole
            raise RestoreFailedError(words.broken_off(kept, str(error))) from None
        if restored.failed:
            holder = held_by(restored.failed[0][0])
            raise RestoreFailedError(words.not_restored(kept, restored, holder))
        return restore.with_beside(restored, self._beside, versions)

    def _said(self, restored: Restored, *, committed: bool) -> str:
        count = len(restored.paths)
        if not committed:
            proved = words.as_it_was(restored)
            return f"the interrupted fix was undone: {count} paths put back; {proved}"
        alone = words.apart_from(restored)
        return f"the fix was undone: {count} paths put back{alone}{words.set_aside(restored)}"


def _differing(before: Environment, after: Environment) -> dict[str, set[str]]:
    """What a finished fix changed, part by part."""
    return {
        old.name: set(trees.changed(old.tree, new.tree))
        for old, new in zip(before.parts, after.parts, strict=True)
    }


def _can_be_undone(fix: str) -> bool:
    reading = place.read(fix)
    return reading.damage is not None or reading.step not in ("restored", "undone", "untouched")
