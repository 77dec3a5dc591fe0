"""Whether the environment is what its project's lock file says, and whether that would run here."""

from __future__ import annotations

from gpudoctor.errors import UsageError
from gpudoctor.manifests import judge
from gpudoctor.model.finding import Evidence, FileAt, Finding, Severity
from gpudoctor.model.sheet import FactSheet
from gpudoctor.model.terms.version import split_label
from gpudoctor.model.value import replace
from gpudoctor.rules.engine.wording import finding

_SYNC = {
    "uv": ("uv", "sync"),
    "poetry": ("poetry", "sync"),
    "pixi": ("pixi", "install"),
    "pipenv": ("pipenv", "sync"),
}


def differs(sheet: FactSheet) -> tuple[Finding, ...]:
    """A finding where the lock that owns the environment names another build of torch.

    Nothing where the lock leaves it open (an extra, a group) or cannot be read: what is installed
    is judged all the same.
    """
    python, torch = sheet.facts.python, sheet.facts.torch
    if python is None or python.lock_file is None or torch is None or not torch.version:
        return ()
    if sheet.why_unknown("torch.version"):
        return ()

    try:
        locked = judge(sheet, [python.lock_file])
    except UsageError:
        return ()
    choice = locked.installation.outcome.choice("torch")
    if locked.installation.outcome.status != "installs" or choice is None:
        return ()
    wanted = choice.release + (f"+{choice.variant}" if choice.variant else "")
    release, label = split_label(torch.version)
    if release == choice.release and (not label or choice.variant in (None, label)):
        return ()
    errors = [found.title for found in locked.findings if found.severity is Severity.ERROR]
    fate = (
        f"It would not run here: {errors[0]}." if errors else "It would run on the GPUs here too."
    )
    owner = python.lock_owner or "uv"
    made = finding(
        "lock-differs-from-environment",
        f"{_name(python.lock_file)} says torch {wanted}, and torch {torch.version} is installed",
        f"The next `{' '.join(_SYNC[owner])}` puts the locked build in its place. {fate}",
        evidence=[
            Evidence(fact="torch.version", value=torch.version, source=sheet.source("torch")),
            Evidence(fact="python.lock_file", value=wanted, source=python.lock_file),
        ],
        clears_with=("manual",),
    )
    return (replace(made, files=(FileAt(python.lock_file, choice.at.line),)),)


def _name(path: str) -> str:
    return path.replace("\\", "/").rsplit("/", 1)[-1]
