"""This machine or a saved one, judged: `check`, `facts`, and the settings that count."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gpudoctor import arguments as given
from gpudoctor import results
from gpudoctor.app.sheets import Facts, saved_sheet, split_names
from gpudoctor.collect import collect
from gpudoctor.examine.options import STATIC_SECONDS, SmokeLevel, VisitOptions
from gpudoctor.examine.settings import configuration
from gpudoctor.examine.settings import policy as policies
from gpudoctor.examine.settings.policy import Policy
from gpudoctor.model import report as model_report
from gpudoctor.model.lazy import later
from gpudoctor.model.value import replace

if TYPE_CHECKING:
    import platform

    from gpudoctor.examine import everywhere, visit
    from gpudoctor.examine.settings import policy_file, requirements
    from gpudoctor.fix import ours
    from gpudoctor.model.privacy import redaction, scrubber
    from gpudoctor.model.terms import shell
else:  # each is for some calls alone
    everywhere = later("gpudoctor.examine.everywhere")
    ours = later("gpudoctor.fix.ours")
    platform = later("platform")
    policy_file = later("gpudoctor.examine.settings.policy_file")
    redaction = later("gpudoctor.model.privacy.redaction")
    requirements = later("gpudoctor.examine.settings.requirements")
    scrubber = later("gpudoctor.model.privacy.scrubber")
    shell = later("gpudoctor.model.terms.shell")
    visit = later("gpudoctor.examine.visit")

Say = Callable[[str], None]

_SMOKE = ("off", "quick", "full")


def check(
    *,
    python: str | os.PathLike[str] | None = None,
    facts: Facts | None = None,
    facts_name: str = "",
    smoke: str | None = None,
    policy: str | os.PathLike[str] | Mapping[str, Any] | Policy | None = None,
    allow_cpu: bool = False,
    fail_on: str | None = None,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    timeout: float | None = None,
    progress: Say | None = None,
) -> results.Report:
    """Will PyTorch, and every CUDA extension beside it, run on the GPUs of this machine?

    Args:
        python: an interpreter or an environment folder.
        facts: judge this saved machine instead; `facts_name` is how a message calls it.
        smoke: `off`, `quick` or `full`; without it, quick where a GPU can be used.
        policy: a policy file, or what one says; without it, the settings of the project in the
            current folder (`gpudoctor.toml`, `[tool.gpudoctor]` in pyproject.toml).
        allow_cpu: having no usable GPU is no error.
        fail_on: `error`, `warning` or `never`.
        select: only these codes or names are judged.
        ignore: these are left out.
        timeout: seconds for the whole examination.
        progress: told what is being done, a line at a time.

    Raises:
        UsageError: an argument is wrong, or a file cannot be read.
    """
    options = VisitOptions(
        python=given.text("python", python),
        smoke=level(smoke),
        policy=policy_of(
            policy,
            allow_cpu=given.flag("allow_cpu", allow_cpu),
            fail_on=fail_on,
            select=given.texts("select", select),
            ignore=given.texts("ignore", ignore),
        ),
        timeout_seconds=given.seconds("timeout", timeout),
        progress=progress,
    )
    if facts is None:
        return results.report(_with_fix(visit.visit(options)))
    return results.report(visit.judge(saved_sheet(facts, facts_name), options, saved=True))


def facts(
    *,
    python: str | os.PathLike[str] | None = None,
    redact: bool = True,
    timeout: float | None = None,
) -> results.FactSheet:
    """This machine as one fact sheet; private details are removed unless `redact` is false.

    Raises:
        UsageError: an argument is wrong.
    """
    chosen, limit = given.text("python", python), given.seconds("timeout", timeout)
    remove = given.flag("redact", redact)

    sheet = collect(chosen, limit or STATIC_SECONDS, os.getcwd(), os.environ)
    if remove:
        # Whose names are to go: the account's own, which no pattern can tell from other words.
        user = os.environ.get("USER") or os.environ.get("USERNAME")
        sheet = redaction.redact(
            sheet, scrubber.Identity(os.path.expanduser("~"), user, platform.node())
        )
    return results.sheet(sheet)


def settings(
    policy: str | os.PathLike[str] | Mapping[str, Any] | Policy | None = None,
) -> Policy:
    """The policy that is given, or that of the project in the current folder.

    Raises:
        UsageError: it cannot be read, or says something that no policy says.
    """
    return policy_of(policy)


def of_files(policy: Policy) -> Policy:
    """What of a policy concerns install files: of what it requires, the version of torch alone.

    The others are asked of the machine that a job runs on.
    """
    wanted = policy.require
    if wanted is None:
        return policy

    return replace(
        policy, require=requirements.Requirements(torch=wanted.torch) if wanted.torch else None
    )


def check_all(
    *,
    policy: str | os.PathLike[str] | Mapping[str, Any] | Policy | None = None,
    allow_cpu: bool = False,
    fail_on: str | None = None,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    timeout: float | None = None,
) -> list[tuple[str, model_report.Report]]:
    """Every environment that is found on this machine, each with its report; none is started."""
    options = VisitOptions(
        policy=policy_of(
            policy, allow_cpu=allow_cpu, fail_on=fail_on, select=select, ignore=ignore
        ),
        timeout_seconds=given.seconds("timeout", timeout),
    )
    return list(everywhere.visit_all(options, os.getcwd(), os.environ))


def level(smoke: str | None) -> SmokeLevel | None:
    """The smoke level of that name; `None` for `None`.

    Raises:
        UsageError: there is none of that name.
    """
    if smoke is None:
        return None
    given.one_of("smoke", smoke, _SMOKE)
    return "off" if smoke == "off" else "quick" if smoke == "quick" else "full"


def policy_of(
    base: str | os.PathLike[str] | Mapping[str, Any] | Policy | None,
    *,
    allow_cpu: bool = False,
    fail_on: str | None = None,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
) -> Policy:
    """The policy that is given, or that of the project here; overruled by what else is given."""
    if base is None:
        path = configuration.find(os.getcwd())
        found = policy_file.of_project(path) if path is not None else Policy()
    elif isinstance(base, Mapping):
        found = policy_file.of_mapping(base)
    elif isinstance(base, Policy):
        found = base
    else:
        found = policy_file.read(given.text("policy", base) or "")
    if not (allow_cpu or fail_on or select or ignore):
        return found
    left_out = policies.known(split_names(ignore))
    return replace(
        found,
        fail_on=found.fail_on if fail_on is None else policies.fail_on(fail_on),
        allow_cpu=allow_cpu or found.allow_cpu,
        select=policies.known(split_names(select)) or found.select,
        ignore={**found.ignore, **dict.fromkeys(left_out, "ignored on the command line")},
    )


def _with_fix(report: model_report.Report) -> model_report.Report:
    """The report with the call of `gpudoctor fix` that carries its commands out, if it may."""
    prescription, python = report.prescription, report.sheet.facts.python
    if prescription is None or not prescription.steps or python is None or not python.prefix:
        return report

    if not ours.split(prescription.steps)[0] or ours.not_ours(python) is not None:
        return report
    # An environment that was merely found is changed only where it is named.
    named = python.chosen_because == "--python" or not visit.may_start(report.sheet)
    words = ["gpudoctor", "fix", *(["--python", python.prefix] if named else [])]
    step = shell.command_step("install", "", words, executable=False)
    return replace(report, fix=step)
