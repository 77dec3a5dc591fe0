"""`fix` as a whole: examine, prescribe, ask, carry out, examine again."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping

from gpudoctor.collect.long_paths import readable
from gpudoctor.collect.python import fix_journal as place
from gpudoctor.errors import CannotJudgeError, FixFailedError, FixInterruptedError
from gpudoctor.examine.options import VisitOptions
from gpudoctor.examine.visit import may_start, visit
from gpudoctor.fix import permission, transaction
from gpudoctor.fix.changes import Changes, difference, versions
from gpudoctor.fix.installing.scrub import secrets_of
from gpudoctor.fix.lock import EnvironmentLock
from gpudoctor.fix.ours import split as split
from gpudoctor.fix.verify import wrong_after
from gpudoctor.fix.words import undo_command
from gpudoctor.kb.software.torch_releases import INDEX_ROOT
from gpudoctor.model.prescription import Step
from gpudoctor.model.report import Report
from gpudoctor.model.value import dataclass, replace
from gpudoctor.prescribe.commands.mirror import index_environment

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """How a fix ended: the report after it, what changed, and what is left to do by hand."""

    report: Report
    changes: Changes = ()
    remaining: tuple[Step, ...] = ()
    outside: tuple[str, ...] = ()
    """What an installer changed that is no part of the environment, a sentence each."""


def examine(options: VisitOptions) -> Report:
    """The machine as it is, with the prescription that `fix` would carry out; no kernels run."""
    return visit(replace(options, smoke="off"))


def carry_out(before: Report, options: VisitOptions, say: Say, environ: Mapping[str, str]) -> Done:
    """Execute the prescription of `before` in its environment, as a transaction.

    Raises:
        FixFailedError: it was refused or failed; the environment is as it was.
        RestoreFailedError: it failed and could not be restored.
    """
    prescription = before.prescription
    python = before.sheet.facts.python
    if prescription is None or python is None or not python.prefix or not python.executable:
        raise CannotJudgeError("there is no environment that could be changed")
    commands, remaining = split(prescription.steps)
    if not commands:
        raise FixFailedError("the steps are yours to take; none of them installs anything")
    _refuse(before)
    _check_space(before)
    executable = os.path.abspath(python.executable)

    def verify() -> str | None:
        chosen = replace(options, python=executable, progress=None)
        return wrong_after(before, visit(chosen))

    index = options.prescribe.index_url if options.prescribe else None
    installed = versions(before.sheet)
    work = transaction.Work(
        prefix=python.prefix,
        commands=tuple(step.argv for step in commands),
        environment=_index_environment(before, options),
        secrets=secrets_of(index),
        summary={"python": executable, "packages": " ".join(prescription.packages)},
    )
    folder = place.environment_folder(python.prefix, environ)
    outside = transaction.run(work, folder, verify, say)
    try:
        after = visit(replace(options, python=executable, smoke="off"))
    except KeyboardInterrupt:
        raise FixInterruptedError(
            "interrupted when the fix was finished and verified: what it installed stays; "
            f"`{undo_command(python.prefix)}` undoes it"
        ) from None
    return Done(
        report=after,
        changes=difference(installed, versions(after.sheet)),
        remaining=remaining,
        outside=outside,
    )


def refuse_unfinished(report: Report) -> None:
    """No second fix on top of one that was cut off.

    Raises:
        FixFailedError: there is such a one in the examined environment.
    """
    python = report.sheet.facts.python
    if python is not None and python.prefix:
        folder = place.environment_folder(python.prefix, os.environ)
        try:
            if place.unfinished_in(folder) is None:
                return
        except OSError as error:
            raise FixFailedError(
                f"{folder} cannot be read: {error.strerror}; nothing was changed"
            ) from None
        with EnvironmentLock(python.prefix, folder):  # one that is at work was not cut off
            transaction.refuse_unfinished(python.prefix, folder)


def _refuse(before: Report) -> None:
    """Whatever forbids a change is found before the first one."""
    sheet = before.sheet
    if reason := permission.why_not(sheet, may_start=may_start(sheet)):
        raise FixFailedError(f"{reason}; nothing was changed")
    refuse_unfinished(before)


# A wheel lies once in the installer's cache and once unpacked, and unpacks to about twice its
# size: torch 2.9.1 is 0.9 GB packed and 1.8 GB installed (its RECORD, manylinux x86_64).
_UNPACKED = 3


def _check_space(before: Report) -> None:
    prescription, python = before.prescription, before.sheet.facts.python
    if prescription is None or not prescription.download_bytes or not python or not python.prefix:
        return
    needed = prescription.download_bytes * _UNPACKED
    free = shutil.disk_usage(readable(python.prefix)).free
    if free < needed:
        raise FixFailedError(
            f"the installation needs about {needed / 2**30:.1f} GiB and {python.prefix} has "
            f"{free / 2**30:.1f} GiB free; nothing was changed"
        )


def _index_environment(before: Report, options: VisitOptions) -> dict[str, str]:
    """A mirror's credentials travel by environment and never stand in a command line."""
    wish = options.prescribe
    if wish is None or wish.index_url is None or before.prescription is None:
        return {}

    variant = before.prescription.variant
    nightly = "nightly/" if ".dev" in (before.prescription.torch or "") else ""
    tools = {os.path.basename(step.argv[0]) for step in before.prescription.steps if step.argv}
    tool = "uv" if any(name.startswith("uv") for name in tools) else "pip"
    return index_environment(
        tool, f"{INDEX_ROOT}/{nightly}{variant}" if variant else None, wish.index_url
    )
