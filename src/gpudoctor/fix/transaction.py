"""Snapshot, apply, verify, or back to where it was.

Every step stands in the journal before it begins, so whatever ends the process, the next one knows
what to do: before the first command nothing was changed; after it, everything can be put back.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from gpudoctor.collect.python import fix_journal as place
from gpudoctor.errors import FixFailedError, FixInterruptedError, RestoreFailedError
from gpudoctor.fix import journal as journals
from gpudoctor.fix import words
from gpudoctor.fix.environment import ownership
from gpudoctor.fix.environment import parts as environments
from gpudoctor.fix.environment.parts import Environment
from gpudoctor.fix.holders.held import held_by, refuse_held
from gpudoctor.fix.installing.installer_run import run_step
from gpudoctor.fix.installing.isolation import refuse_elsewhere
from gpudoctor.fix.installing.workshop import Workshop
from gpudoctor.fix.journal import Journal
from gpudoctor.fix.keeping import beside, manifest, restore, snapshot, vault
from gpudoctor.fix.keeping.manifest import Kept
from gpudoctor.fix.keeping.present import present
from gpudoctor.fix.keeping.restore import Restored
from gpudoctor.fix.keeping.vault import Vault
from gpudoctor.fix.kept import clean, forget_traces
from gpudoctor.fix.lock import EnvironmentLock
from gpudoctor.fix.pulse import Pulse
from gpudoctor.fix.signals import INSIST, Signals
from gpudoctor.model.value import dataclass, field, replace

BEFORE = "before.json"
AFTER = "after.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What a transaction does, to which environment."""

    prefix: str
    commands: tuple[tuple[str, ...], ...]
    """Argument lists, executed in this order without a shell."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables for the installer: where an index's credentials travel. Never written down."""
    secrets: tuple[str, ...] = ()
    """Texts that may not be shown or kept."""
    summary: Mapping[str, str] = field(default_factory=dict)
    """What the journal says of the fix: when, which packages."""


Verify = Callable[[], str | None]
"""Looks at the changed environment: `None` if it is cured, else what is wrong, as a clause."""

Say = Callable[[str], None]


def run(
    work: Work, folder: str, verify: Verify, say: Say, observe: Say | None = None
) -> tuple[str, ...]:
    """Carry out the work in the environment at `work.prefix`; keep everything below `folder`.

    Returns what an installer changed outside the environment, a sentence each.

    `folder` is that of the environment (`fix_journal.environment_folder`); the fix gets one of its
    own in it. `observe` hears of each step once it is in the journal.

    Raises:
        FixFailedError: it failed, and the environment is as it was.
        RestoreFailedError: it failed, and so did the restoration.
        FixInterruptedError: Ctrl-C, SIGTERM or SIGHUP; the environment is as it was.
    """
    tell = _never_failing(say)
    with Signals(tell) as signals:
        try:
            journals.make_private(folder)
        except OSError as error:
            raise FixFailedError(f"{_why(error)}; nothing was changed") from None
        with EnvironmentLock(work.prefix, folder):
            # Whoever looked before the lock may have been overtaken by a fix that was cut off.
            try:
                refuse_unfinished(work.prefix, folder)
                clean(folder)
                journal = journals.begin(folder, observe, prefix=work.prefix, **work.summary)
            except OSError as error:
                raise FixFailedError(f"{_why(error)}; nothing was changed") from None
            return _Transaction(work, journal, signals, verify, tell).run()


def refuse_unfinished(prefix: str, folder: str) -> None:
    """No second fix of the environment at `prefix`, whose fixes lie in `folder`, on top of one that
    was cut off.

    Raises:
        FixFailedError: there is such a one.
    """
    found = place.unfinished_in(folder)
    if found is None:
        return
    if found.damage:
        raise FixFailedError(
            f"the journal of an earlier fix of this environment is damaged ({found.damage}), so "
            "nobody knows whether that fix was finished; `gpudoctor fix --list` names it, "
            "`gpudoctor fix --forget ID` removes it; nothing was changed"
        )
    raise FixFailedError(
        f"an earlier fix of this environment was cut off (its journal lies in {found.folder}); "
        f"run `{words.undo_command(prefix)}` first; nothing was changed"
    )


class _Transaction:
    """One fix, from the snapshot to its end."""

    def __init__(
        self, work: Work, journal: Journal, signals: Signals, verify: Verify, say: Say
    ) -> None:
        self._work, self._journal, self._signals = work, journal, signals
        self._verify, self._say = verify, say
        self._workshop = Workshop(journal.folder)
        self._without = (os.path.dirname(os.path.dirname(os.path.dirname(journal.folder))),)

    def run(self) -> tuple[str, ...]:
        kept = self._keep()
        try:
            with Pulse(kept.vaults[0].path):
                return self._change(kept)
        finally:
            self._workshop.clear()

    def _keep(self) -> Kept:
        vaults: tuple[Vault, ...] = ()
        try:
            with self._signals.heard():
                self._say("keeping the installed files safe")
                environment = environments.describe(self._work.prefix, self._without)
                vaults = tuple(
                    vault.plan(part, self._journal.folder, number)
                    for number, part in enumerate(environment.parts)
                )
                self._journal.write("snapshot", vaults=[[v.path, v.token] for v in vaults])
                kept = snapshot.take(environment, vaults)
                written = manifest.write(kept, os.path.join(self._journal.folder, BEFORE))
                self._workshop.make()
                refuse_held(environment, self._work.commands)
                for command in self._work.commands:
                    refuse_elsewhere(command, os.environ, self._workshop)
                self._journal.write("kept", manifest=written)
        except BaseException as error:
            forget_untouched(self._journal, vaults)
            if isinstance(error, KeyboardInterrupt):
                raise FixInterruptedError("interrupted; nothing was changed") from None
            raise FixFailedError(f"{_why(error)}; nothing was changed") from None
        return kept

    def _change(self, kept: Kept) -> tuple[str, ...]:
        try:
            with self._signals.heard():
                self._apply()
                self._journal.write("verifying")
                self._say("verifying")
                wrong = self._verify()
            if wrong is not None:
                raise FixFailedError(f"the new installation did not stand the examination: {wrong}")
            after = _described_again(kept, self._without)
            written = manifest.write(after, os.path.join(self._journal.folder, AFTER))
            trees = {part.name: part.tree for part in after.environment.parts}
            changed = beside.changes(kept.environment, trees)
            self._journal.write("committed", manifest=written)
        except BaseException as error:
            said = f"{_why(error)}; {self._back(kept, _why(error))}"
            if isinstance(error, KeyboardInterrupt):
                raise FixInterruptedError(said) from None
            raise FixFailedError(said) from None
        beside.let_go(kept, trees)
        return changed.sentences

    def _apply(self) -> None:
        for number, command in enumerate(self._work.commands):
            self._journal.write("applying", number=number, of=len(self._work.commands))
            run_step(command, self._work.environment, self._work.secrets, self._say, self._workshop)
        self._journal.write("applied")

    def _back(self, kept: Kept, why: str) -> str:
        """Put everything back; what is proved of the environment then, as a clause.

        Raises:
            RestoreFailedError: something could not be put back, or it was forbidden to finish.
        """
        self._journal.note("restoring")
        self._say("putting the environment back as it was")
        try:
            with self._signals.heard(after=INSIST):
                restored = put_back(kept, self._without)
        except KeyboardInterrupt:
            raise RestoreFailedError(f"{why}; {words.given_up(kept)}") from None
        except Exception as error:  # whatever it is: the environment is not proved to be whole
            raise RestoreFailedError(f"{why}; {words.broken_off(kept, _why(error))}") from None
        if restored.failed:
            holder = held_by(restored.failed[0][0])
            raise RestoreFailedError(f"{why}; {words.not_restored(kept, restored, holder)}")
        if self._journal.note("restored"):  # what is kept is needed until the journal says so
            restore.remove_vaults(kept, restored)
            forget_descriptions(self._journal.folder)
        return words.as_it_was(restored)


def put_back(kept: Kept, without: tuple[str, ...]) -> Restored:
    """Take back all that an installer did since the environment was kept, and compare."""
    environment = kept.environment
    try:
        now = present(kept, without)
        changed = beside.changes(environment, now)
        who = ownership.owners(environment, [v.token for v in kept.vaults])
        plan = ownership.plan(environment, now, who)
        versions = beside.set_versions_aside(kept, plan)
    except OSError as error:
        return Restored(paths=(), failed=((environment.prefix, _why(error)),))
    restored = restore.restore(kept, plan, without)
    return restore.with_beside(restored, changed, versions)


def forget_untouched(journal: Journal, vaults: tuple[Vault, ...]) -> None:
    """Remove all traces of a fix that ended before its first command."""
    journal.note("untouched")  # on a full disk: it says that no command was begun, which is enough
    forget_traces(journal.folder, vaults)


def forget_descriptions(fix: str) -> None:
    """Remove the lists of files of a fix that needs them no more."""
    for name in (BEFORE, AFTER):
        vault.remove_tree(os.path.join(fix, name))


def _described_again(kept: Kept, without: tuple[str, ...]) -> Kept:
    """The environment after the fix, part by part as it was kept."""
    now = present(kept, without)
    parts = tuple(replace(part, tree=now[part.name]) for part in kept.environment.parts)
    environment = Environment(parts=parts, recorded=kept.environment.recorded)
    return Kept(environment=environment, vaults=kept.vaults, sums=tuple({} for _ in parts))


def _why(error: BaseException) -> str:
    if isinstance(error, KeyboardInterrupt):
        return "interrupted"
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error) or type(error).__name__


def _never_failing(say: Say) -> Say:
    def tell(line: str) -> None:
        try:
            say(line)
        except (OSError, ValueError, RuntimeError):  # the terminal is gone; the work goes on
            pass

    return tell
