"""The public Python API: what the command line does, as functions that return values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

from gpudoctor.errors import UsageError
from gpudoctor.examine.options import STATIC_SECONDS, SmokeLevel, VisitOptions
from gpudoctor.examine.policy import Policy
from gpudoctor.model.report import Report
from gpudoctor.model.sheet import FactSheet
from gpudoctor.model.value import replace

if TYPE_CHECKING:  # loaded by the one function that gives it
    from gpudoctor.binaries.table import ScanTable
    from gpudoctor.fix.command import Done
    from gpudoctor.fix.undo import Undone
    from gpudoctor.prescribe import PlanRequest


def check(
    *,
    python: str | None = None,
    facts: str | bytes | None = None,
    facts_name: str = "",
    smoke: str | None = None,
    policy: Policy | None = None,
    timeout: float | None = None,
    progress: Callable[[str], None] | None = None,
) -> Report:
    """Examine this machine, or judge the fact sheet whose text is `facts`.

    Raises:
        UsageError: the fact sheet cannot be read, or `python` names nothing that can be examined.
    """
    from gpudoctor.examine import visit

    options = VisitOptions(
        python=python,
        smoke=level(smoke),
        policy=policy or Policy(),
        timeout_seconds=timeout,
        progress=progress,
    )
    if facts is None:
        return _with_fix(visit.visit(options))
    from gpudoctor.examine.complete import complete
    from gpudoctor.model.factfile import parse_sheet

    name = "standard input" if facts_name == "-" else facts_name or "the fact sheet"
    return visit.judge(complete(parse_sheet(facts, name)), options, saved=True)


def _with_fix(report: Report) -> Report:
    """The report with the call of `gpudoctor fix` that carries its commands out, if it may."""
    prescription, python = report.prescription, report.sheet.facts.python
    if prescription is None or not prescription.steps or python is None or not python.prefix:
        return report
    from gpudoctor.examine.visit import may_start
    from gpudoctor.fix.command import split
    from gpudoctor.fix.permission import not_ours
    from gpudoctor.model.shell import command_step

    if not split(prescription.steps)[0] or not_ours(python) is not None:
        return report
    # An environment that was merely found is changed only where it is named.
    named = python.chosen_because == "--python" or not may_start(report.sheet)
    words = ["gpudoctor", "fix", *(["--python", python.prefix] if named else [])]
    step = command_step("install", "", words, executable=False)
    return replace(report, fix=step)


def facts(
    *, python: str | None = None, redact: bool = True, timeout: float | None = None
) -> FactSheet:
    """This machine as one fact sheet; private details are removed unless `redact` is false."""
    import os

    from gpudoctor.collect import collect

    sheet = collect(python, timeout or STATIC_SECONDS, os.getcwd(), os.environ)
    if not redact:
        return sheet
    import platform

    from gpudoctor.model.redact import redact as remove_private
    from gpudoctor.model.scrub import Identity

    # Whose names are to go: the account's own, which no pattern can tell from other words.
    user = os.environ.get("USER") or os.environ.get("USERNAME")
    return remove_private(sheet, Identity(os.path.expanduser("~"), user, platform.node()))


def policy(
    path: str | None = None,
    *,
    fail_on: str | None = None,
    allow_cpu: bool = False,
    select: Sequence[str] | None = None,
    ignore: Sequence[str] | None = None,
) -> Policy:
    """The policy of a file (or none), overruled by what else is given.

    Raises:
        UsageError: the file cannot be read, or a name means no finding.
    """
    from gpudoctor.examine import policy as policies

    base = policies.read(path) if path else Policy()
    left_out = policies.known(tuple(_split(ignore)))
    return replace(
        base,
        fail_on=base.fail_on if fail_on is None else policies.fail_on(fail_on),
        allow_cpu=allow_cpu or base.allow_cpu,
        select=policies.known(tuple(_split(select))) or base.select,
        ignore={**base.ignore, **dict.fromkeys(left_out, "ignored on the command line")},
    )


def _split(names: Sequence[str] | None) -> list[str]:
    """`--ignore GPU201,GPU305 --ignore name` → three names."""
    return [name.strip() for entry in names or () for name in entry.split(",") if name.strip()]


def level(smoke: str | None) -> SmokeLevel | None:
    """The smoke level of that name; `None` for `None`.

    Raises:
        UsageError: there is none of that name.
    """
    levels: dict[str | None, SmokeLevel | None] = {
        None: None,
        "off": "off",
        "quick": "quick",
        "full": "full",
    }
    if smoke not in levels:
        raise UsageError(f"the smoke level is off, quick or full, not {smoke!r}")
    return levels[smoke]


def smoke(
    *,
    python: str | None = None,
    level: Literal["quick", "full"] = "quick",
    device: str | None = None,
    policy: Policy | None = None,
    timeout: float | None = None,
    progress: Callable[[str], None] | None = None,
) -> Report:
    """Run kernels on this machine's GPUs, on the one numbered `device`, or on the `cpu`.

    Raises:
        UsageError: `device` is none that can be used.
        CannotJudgeError: there is no interpreter that may be started.
    """
    from gpudoctor.examine.smoke_visit import smoke_visit

    options = VisitOptions(
        python=python,
        policy=policy or Policy(),
        timeout_seconds=timeout,
        progress=progress,
    )
    return smoke_visit(options, level, device)


def advice_yaml(report: Report) -> str:
    """The training advice of a report as YAML that a training script can read."""
    from gpudoctor.smoke.training_advice import as_yaml

    return as_yaml(report.smoke.advice if report.smoke else ())


def preflight(
    request: PlanRequest,
    requirements: Sequence[str],
    *,
    extras: Sequence[str] = (),
    groups: Sequence[str] = (),
    facts: str | bytes | None = None,
    facts_name: str = "",
) -> Report:
    """What install files bring to the machine of a request, or of the fact sheet `facts`.

    Raises:
        UsageError: a file cannot be read, or the request is wrong.
    """
    from gpudoctor.examine.preflight import preflight as judge_files
    from gpudoctor.prescribe.plan import options_of, sheet_of

    if facts is None:
        sheet = sheet_of(request)
    else:
        from gpudoctor.examine.complete import complete
        from gpudoctor.model.factfile import parse_sheet
        from gpudoctor.prescribe.plan import stated_over

        name = "standard input" if facts_name == "-" else facts_name or "the fact sheet"
        sheet = stated_over(complete(parse_sheet(facts, name)), request)
    return judge_files(
        sheet,
        requirements,
        options_of(request),
        tool=request.tool,
        extras=extras,
        groups=groups,
    )


def fix_plan(options: VisitOptions) -> Report:
    """The machine as it is, with the prescription that `fix` would carry out."""
    from gpudoctor.fix import command

    return command.examine(options)


def refuse_unfinished(report: Report) -> None:
    """Raises `FixFailedError` if an earlier fix of the examined environment was cut off."""
    from gpudoctor.fix import command

    command.refuse_unfinished(report)


def fix(before: Report, options: VisitOptions, say: Callable[[str], None]) -> Done:
    """Carry out the prescription of `before` as a transaction.

    Raises:
        FixFailedError: it was refused or failed; the environment is as it was.
        RestoreFailedError: it failed and could not be restored.
    """
    import os

    from gpudoctor.fix import command

    return command.carry_out(before, options, say, os.environ)


def undo(python: str | None, say: Callable[[str], None], *, set_aside: bool = False) -> Undone:
    """Put an environment back to where it was before its last fix.

    Raises:
        UsageError: `python` is no interpreter and no environment.
        FixFailedError: undoing would lose what came after the fix; nothing was changed.
    """
    import os

    from gpudoctor.collect import collect
    from gpudoctor.errors import CannotJudgeError
    from gpudoctor.fix.undo import undo as put_back

    found = collect(python, STATIC_SECONDS, os.getcwd(), os.environ).facts.python
    if found is None or not found.prefix:
        raise CannotJudgeError("no Python environment was found; name it with --python")
    return put_back(found.prefix, os.environ, say, set_aside=set_aside)


def scan(
    paths: Sequence[str],
    *,
    gpus: Sequence[str] | None = None,
    progress: Callable[[str, int], None] | None = None,
) -> ScanTable:
    """Which GPUs the device code under `paths` runs on: files, wheels, environments, folders.

    `gpus` are names as people write them; without any, the GPUs and the driver of this machine
    decide. `progress` is told which file is being read and how many bytes of it were unpacked.

    Raises:
        UsageError: a path or a GPU is not known, or a named file cannot be read.
    """
    import os

    from gpudoctor.examine.scanning import scan_paths

    return scan_paths(paths, gpus, os.environ, progress)
