"""The public Python API: what the commands do, as functions that return values.

Keyword arguments are named as the options. They are checked first; what is wrong with one is a
`UsageError` with one sentence. Every result has `to_dict()`, what `--json` prints.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any

from gpudoctor import arguments as given
from gpudoctor import results
from gpudoctor.errors import CannotJudgeError, UsageError
from gpudoctor.examine.options import STATIC_SECONDS, SmokeLevel, VisitOptions
from gpudoctor.examine.settings.policy import Policy
from gpudoctor.model import report as model_report
from gpudoctor.model.sheet import FactSheet
from gpudoctor.model.value import replace

if TYPE_CHECKING:  # loaded by the one function that gives it
    from gpudoctor.examine.cells import JudgedCell
    from gpudoctor.fix.command import Done
    from gpudoctor.fix.undo import Undone
    from gpudoctor.fixed import Fixed
    from gpudoctor.fleet_result import Fleets
    from gpudoctor.prescribe import Options, PlanRequest
    from gpudoctor.scan_result import Scan

Say = Callable[[str], None]
Facts = str | bytes | os.PathLike[str] | Mapping[str, Any]
"""A fact sheet or a report: its path, its text, or what its JSON says."""

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
    from gpudoctor.examine import visit

    options = VisitOptions(
        python=given.text("python", python),
        smoke=level(smoke),
        policy=_policy(
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
    return results.report(visit.judge(_saved(facts, facts_name), options, saved=True))


def plan(
    *,
    gpus: Sequence[str] = (),
    driver: str | int | None = None,
    os: str | None = None,
    arch: str | None = None,
    python: str | None = None,
    torch: str | None = None,
    channel: str = "stable",
    tool: str = "auto",
    index_url: str | None = None,
    from_source: bool = False,
    requirements: Sequence[str] = (),
    extras: Sequence[str] = (),
    groups: Sequence[str] = (),
    facts: Facts | None = None,
    facts_name: str = "",
    policy: str | PathLike[str] | Mapping[str, Any] | Policy | None = None,
) -> results.Report:
    """What to install on a machine that is not at hand; with `requirements`, whether they do.

    What is not said is not known: unlike the command, this takes nothing from this machine.

    Args:
        gpus: as people write them: `"5060 ti"`, `"sm_120"`, `"12.0"`; once for each card.
        driver: `"570.172.08"`, or `"570"` for the newest of that branch.
        os: `linux`, `windows`, `wsl` or `macos`.
        arch: `x86_64`, `aarch64` or `arm64`.
        python: `"3.12"`, `"3.13t"`.
        torch: a version or a specifier.
        channel: `stable` or `nightly`.
        tool: whose commands: `auto`, `pip`, `uv`, `conda`, `pixi` or `poetry`.
        index_url: a mirror of the wheel index's root.
        from_source: how to build torch.
        requirements: requirements files, manifests, locks or folders to judge.
        extras: the extras that they install.
        groups: the dependency groups that they install.
        facts: the machine, saved; what else is said is put over it.
        facts_name: how a message calls it.
        policy: a policy file, or what one says: how the findings about the files are weighed.

    Raises:
        UsageError: an argument is wrong, or a file cannot be read.
    """
    from gpudoctor.prescribe import PlanRequest

    request = PlanRequest(
        gpus=given.texts("gpus", gpus),
        driver=given.version("driver", driver, "570.172.08"),
        os=given.text("os", os),
        arch=given.text("arch", arch),
        python=given.version("python", python, "3.12"),
        torch=given.text("torch", torch),
        channel=given.text("channel", channel) or "stable",
        tool=given.text("tool", tool) or "auto",
        index_url=given.text("index_url", index_url),
        from_source=given.flag("from_source", from_source),
    )
    files = given.texts("requirements", requirements)
    if not request.gpus and facts is None:
        raise UsageError("plan needs a GPU ('5060 ti', 'sm_120', '12.0'), or a saved machine")
    sheet = _stated(request, facts, facts_name)
    if not files:
        return results.report(_planned(request, sheet, saved=facts is not None))
    from gpudoctor.examine.preflight import preflight
    from gpudoctor.prescribe.plan import options_of

    judged = preflight(
        sheet,
        files,
        options_of(request),
        tool=request.tool,
        extras=given.texts("extras", extras),
        groups=given.texts("groups", groups),
        visit=None if policy is None else VisitOptions(policy=of_files(_policy(policy))),
    )
    return results.report(judged)


def triage(text: str | bytes, *, name: str = "", keep_private: bool = False) -> results.Diagnosis:
    """What a text says is wrong: a traceback, a log, `collect_env`, `nvidia-smi`, any mixture.

    Args:
        text: the text itself.
        name: how a message calls it.
        keep_private: leave names, paths and identifiers as they are.

    Raises:
        UsageError: it is no text.
    """
    given.readable(name or "triage", text)
    from gpudoctor.triage import report as texts

    return results.diagnosis(texts.of_string(text, keep_private=keep_private))


def smoke(
    *,
    python: str | os.PathLike[str] | None = None,
    level: str = "quick",
    device: str | int | None = None,
    policy: str | os.PathLike[str] | Mapping[str, Any] | Policy | None = None,
    timeout: float | None = None,
    progress: Say | None = None,
) -> results.Report:
    """Run kernels on this machine's GPUs, on the one numbered `device`, or on the `cpu`.

    Raises:
        UsageError: an argument is wrong, or `device` is none that can be used.
        CannotJudgeError: there is no interpreter that may be started.
    """
    full = given.one_of("level", level, ("quick", "full")) == "full"
    options = VisitOptions(
        python=given.text("python", python),
        policy=_policy(policy),
        timeout_seconds=given.seconds("timeout", timeout),
        progress=progress,
    )
    chosen = given.version("device", device, "0")
    from gpudoctor.examine.smoke_visit import smoke_visit

    return results.report(smoke_visit(options, "full" if full else "quick", chosen))


def scan(
    paths: Sequence[str | os.PathLike[str]] | str | os.PathLike[str],
    *,
    gpus: Sequence[str] | None = None,
    progress: Callable[[str, int], None] | None = None,
) -> Scan:
    """Which GPUs the device code under `paths` runs on: files, wheels, environments, folders.

    `gpus` are names as people write them; without any, the GPUs and the driver of this machine
    decide. `progress` is told which file is being read and how many bytes of it were unpacked.

    Raises:
        UsageError: a path or a GPU is not known, or a named file cannot be read.
    """
    files = given.texts("paths", paths)
    if not files:
        raise UsageError("scan needs a path")
    names = given.texts("gpus", gpus)
    from gpudoctor import scan_result
    from gpudoctor.examine.scanning import scan_paths

    table = scan_paths(files, names or None, os.environ, progress)
    return scan_result.scan(table)


def report(
    sources: Sequence[str | os.PathLike[str]] | str | os.PathLike[str],
    *,
    expect: str | Sequence[str] | None = None,
    fail_on: str = "error",
) -> Fleets:
    """One table from the saved reports and fact sheets of many machines.

    Args:
        sources: files, JSON lines, folders; `-` is stdin.
        expect: the machines that must have reported, as Slurm lists them: `n[01-48]`.
        fail_on: `error`, `warning` or `never`.

    Raises:
        UsageError: an argument is wrong, or a source is not there.
    """
    paths = given.texts("sources", sources)
    if not paths:
        raise UsageError("report needs a file, a folder, or -")
    given.one_of("fail_on", fail_on, ("error", "warning", "never"))
    from gpudoctor import fleet_result
    from gpudoctor.fleet import fleet_of
    from gpudoctor.fleet.hostlist import expand
    from gpudoctor.fleet.sources import documents

    expected = expand(",".join(given.texts("expect", expect))) if expect is not None else ()
    return fleet_result.fleet(fleet_of(documents(paths), expected, fail_on))


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
    from gpudoctor.collect import collect

    sheet = collect(chosen, limit or STATIC_SECONDS, os.getcwd(), os.environ)
    if remove:
        import platform

        from gpudoctor.model.privacy.redaction import redact as remove_private
        from gpudoctor.model.privacy.scrubber import Identity

        # Whose names are to go: the account's own, which no pattern can tell from other words.
        user = os.environ.get("USER") or os.environ.get("USERNAME")
        sheet = remove_private(sheet, Identity(os.path.expanduser("~"), user, platform.node()))
    return results.sheet(sheet)


def explain(what: str) -> results.Page:
    """The page about a finding, an error, an architecture, a variant or a GPU, as Markdown.

    Raises:
        UsageError: nobody knows it; names the nearest.
    """
    text = given.text("what", what)
    if not text or not text.strip():
        raise UsageError("explain needs a word: GPU201, sm_120, 'RTX 5060 Ti'")
    from gpudoctor.examine.explain import explain as explanation

    found = explanation(text)
    return results.page(found.kind, found.subject, found.markdown)


def fix(
    *,
    python: str | os.PathLike[str] | None = None,
    dry_run: bool = False,
    tool: str = "auto",
    torch: str | None = None,
    channel: str = "stable",
    index_url: str | None = None,
    from_source: bool = False,
    smoke: str | None = None,
    timeout: float | None = None,
    progress: Say | None = None,
) -> Fixed:
    """Cure the environment as a transaction; with `dry_run`, say what would be done.

    Calling it is the consent that the command asks for.

    Raises:
        UsageError: an argument is wrong.
        FixFailedError: it was refused or failed; the environment is as it was.
        RestoreFailedError: it failed and could not be restored.
    """
    from gpudoctor import fixed
    from gpudoctor.prescribe import Options

    options = VisitOptions(
        python=given.text("python", python),
        smoke=level(smoke),
        timeout_seconds=given.seconds("timeout", timeout),
        prescribe=Options(
            tool=given.text("tool", tool) or "auto",
            torch_spec=given.text("torch", torch),
            channel=given.text("channel", channel) or "stable",
            index_url=given.text("index_url", index_url),
            from_source=given.flag("from_source", from_source),
        ),
    )
    only_look = given.flag("dry_run", dry_run)
    before = fix_plan(options)
    if only_look:
        return fixed.looked(before)
    refuse_unfinished(before)
    if (code := fixed.without_change(before)) is not None:
        return fixed.looked(before, code)
    done = carry_out(before, options, progress or _silently)
    return fixed.done(done)


def undo(
    python: str | os.PathLike[str] | None = None,
    progress: Say | None = None,
    *,
    set_aside: bool = False,
) -> Undone:
    """Put an environment back to where it was before its last fix.

    Raises:
        UsageError: `python` is no interpreter and no environment.
        FixFailedError: undoing would lose what came after the fix; nothing was changed.
    """
    chosen = given.text("python", python)
    from gpudoctor.collect import collect
    from gpudoctor.fix.undo import has_fixes
    from gpudoctor.fix.undo import undo as put_back

    say, aside = progress or _silently, given.flag("set_aside", set_aside)
    if chosen is not None and has_fixes(chosen, os.environ):
        # A fix that was cut off may have left an environment that nobody recognises as one.
        return put_back(chosen, os.environ, say, set_aside=aside)
    found = collect(chosen, STATIC_SECONDS, os.getcwd(), os.environ).facts.python
    if found is None or not found.prefix:
        raise CannotJudgeError("no Python environment was found; name it with --python")
    return put_back(found.prefix, os.environ, say, set_aside=aside)


# What the command line needs besides


def settings(
    policy: str | os.PathLike[str] | Mapping[str, Any] | Policy | None = None,
) -> Policy:
    """The policy that is given, or that of the project in the current folder.

    Raises:
        UsageError: it cannot be read, or says something that no policy says.
    """
    return _policy(policy)


def of_files(policy: Policy) -> Policy:
    """What of a policy concerns install files: of what it requires, the version of torch alone.

    The others are asked of the machine that a job runs on.
    """
    wanted = policy.require
    if wanted is None:
        return policy
    from gpudoctor.examine.settings.requirements import Requirements

    return replace(policy, require=Requirements(torch=wanted.torch) if wanted.torch else None)


def plan_cells(
    requirements: Sequence[str],
    policy: Policy,
    *,
    driver: str | None = None,
    os: str | None = None,
    arch: str | None = None,
    python: str | None = None,
    torch: str | None = None,
    channel: str = "stable",
    tool: str = "auto",
    index_url: str | None = None,
    extras: Sequence[str] = (),
    groups: Sequence[str] = (),
) -> tuple[JudgedCell, ...]:
    """Install files judged for every machine of a project's matrix.

    Raises:
        UsageError: an argument or the matrix is wrong, or a file cannot be read.
    """
    from gpudoctor.examine.cells import cells_of, judge_cells
    from gpudoctor.prescribe import PlanRequest

    stated = {"driver": driver, "os": os, "arch": arch, "python": python}
    request = PlanRequest(torch=torch, channel=channel, tool=tool, index_url=index_url)
    return judge_cells(
        cells_of(policy.matrix, stated),
        requirements,
        request,
        VisitOptions(policy=of_files(policy)),
        extras=extras,
        groups=groups,
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
    from gpudoctor.examine.everywhere import visit_all

    options = VisitOptions(
        policy=_policy(policy, allow_cpu=allow_cpu, fail_on=fail_on, select=select, ignore=ignore),
        timeout_seconds=given.seconds("timeout", timeout),
    )
    return list(visit_all(options, os.getcwd(), os.environ))


def level(smoke: str | None) -> SmokeLevel | None:
    """The smoke level of that name; `None` for `None`.

    Raises:
        UsageError: there is none of that name.
    """
    if smoke is None:
        return None
    given.one_of("smoke", smoke, _SMOKE)
    return "off" if smoke == "off" else "quick" if smoke == "quick" else "full"


def advice_yaml(report: model_report.Report) -> str:
    """The training advice of a report as YAML that a training script can read."""
    from gpudoctor.smoke.training_advice import as_yaml

    return as_yaml(report.smoke.advice if report.smoke else ())


def fix_plan(options: VisitOptions) -> model_report.Report:
    """The machine as it is, with the prescription that `fix` would carry out."""
    from gpudoctor.fix import command

    return command.examine(options)


def refuse_unfinished(report: model_report.Report) -> None:
    """Raises `FixFailedError` if an earlier fix of the examined environment was cut off."""
    from gpudoctor.fix import command

    command.refuse_unfinished(report)


def carry_out(before: model_report.Report, options: VisitOptions, say: Say) -> Done:
    """Carry out the prescription of `before` as a transaction; raises as `fix`."""
    from gpudoctor.fix import command

    return command.carry_out(before, options, say, os.environ)


def _policy(
    base: str | os.PathLike[str] | Mapping[str, Any] | Policy | None,
    *,
    allow_cpu: bool = False,
    fail_on: str | None = None,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
) -> Policy:
    """The policy that is given, or that of the project here; overruled by what else is given."""
    from gpudoctor.examine.settings import policy as policies

    if base is None:
        found = policies.found(os.getcwd())
    elif isinstance(base, Mapping):
        found = policies.of_mapping(base)
    elif isinstance(base, Policy):
        found = base
    else:
        found = policies.read(given.text("policy", base) or "")
    if not (allow_cpu or fail_on or select or ignore):
        return found
    left_out = policies.known(_split(ignore))
    return replace(
        found,
        fail_on=found.fail_on if fail_on is None else policies.fail_on(fail_on),
        allow_cpu=allow_cpu or found.allow_cpu,
        select=policies.known(_split(select)) or found.select,
        ignore={**found.ignore, **dict.fromkeys(left_out, "ignored on the command line")},
    )


def _silently(_: str) -> None:
    """Nobody listens."""


def _split(names: Sequence[str]) -> tuple[str, ...]:
    """`--ignore GPU201,GPU305 --ignore name` → three names."""
    return tuple(n.strip() for entry in names for n in entry.split(",") if n.strip())


def _saved(facts: Facts, name: str) -> FactSheet:
    """The sheet of a saved machine, with what follows from it filled in."""
    from gpudoctor.examine.complete import complete
    from gpudoctor.model.factfile import parse_sheet

    if isinstance(facts, Mapping):
        import json

        facts = json.dumps(facts)
    elif isinstance(facts, os.PathLike) or (
        isinstance(facts, str) and not facts.lstrip("\ufeff \t\r\n").startswith("{")
    ):
        path = given.text("facts", facts) or ""
        name = name or path
        try:
            with open(path, "rb") as file:
                facts = file.read()
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or "it is no file name"
            raise UsageError(f"{path} cannot be read: {why}") from None
    elif not isinstance(facts, str | bytes):
        raise UsageError(f"facts takes a path, a text or a dict, not a {type(facts).__name__}")
    called = "standard input" if name == "-" else name or "the fact sheet"
    return complete(parse_sheet(facts, called))


def _stated(request: PlanRequest, facts: Facts | None, name: str) -> FactSheet:
    """The machine of a request, or a saved one with what the request says put over it."""
    from gpudoctor.prescribe.plan import sheet_of, stated_over

    if facts is None:
        return sheet_of(request)
    return stated_over(_saved(facts, name), request)


def _planned(request: PlanRequest, sheet: FactSheet, *, saved: bool) -> model_report.Report:
    from gpudoctor import __version__
    from gpudoctor.kb import info
    from gpudoctor.prescribe import prescribe
    from gpudoctor.prescribe.plan import nothing_fits, options_of
    from gpudoctor.prescribe.plan import plan as make

    if saved:
        options: Options = replace(options_of(request), choose=True)
        prescription = prescribe(sheet, (), options)
    else:
        sheet, prescription = make(request)
    possible = prescription.status != "impossible"
    return model_report.Report(
        version=__version__,
        knowledge=model_report.Knowledge(version=info.version(), date=info.date()),
        verdict="healthy" if possible else "broken",
        exit_code=0 if possible else 1,
        sheet=sheet,
        findings=() if possible else (nothing_fits(prescription),),
        prescription=prescription,
        about="plan",
    )


def _with_fix(report: model_report.Report) -> model_report.Report:
    """The report with the call of `gpudoctor fix` that carries its commands out, if it may."""
    prescription, python = report.prescription, report.sheet.facts.python
    if prescription is None or not prescription.steps or python is None or not python.prefix:
        return report
    from gpudoctor.examine.visit import may_start
    from gpudoctor.fix.ours import not_ours, split
    from gpudoctor.model.terms.shell import command_step

    if not split(prescription.steps)[0] or not_ours(python) is not None:
        return report
    # An environment that was merely found is changed only where it is named.
    named = python.chosen_because == "--python" or not may_start(report.sheet)
    words = ["gpudoctor", "fix", *(["--python", python.prefix] if named else [])]
    step = command_step("install", "", words, executable=False)
    return replace(report, fix=step)
