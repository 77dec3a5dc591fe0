"""Whether the environment is what its project's lock file says, and whether that would run here."""

from __future__ import annotations

import os

from gpudoctor.errors import UsageError
from gpudoctor.kb.software.torch_releases import cuda_of_variant
from gpudoctor.manifests import Judged, judge
from gpudoctor.manifests.choice import Choice
from gpudoctor.manifests.resolvers.locked import choice_of
from gpudoctor.manifests.universe import TORCH
from gpudoctor.model.facts import Torch
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
    "pdm": ("pdm", "sync"),
    "conda-lock": ("conda-lock", "install"),
}
_MAX_CHOICES = 30


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

    # pixi keeps one environment beside the other: the folder has the name of the one that is meant.
    chosen = [os.path.basename(python.prefix or "")] if python.lock_owner == "pixi" else []
    try:
        locked = judge(sheet, [python.lock_file], groups=chosen)
    except UsageError:
        return ()
    choice = locked.installation.outcome.choice(TORCH)
    if locked.installation.outcome.status != "installs" or choice is None:
        return ()
    if _is(torch, choice, sheet) or _by_a_choice(sheet, torch, locked, python.lock_file):
        return ()
    wanted = choice.release + (f"+{choice.variant}" if choice.variant else "")
    errors = [found.title for found in locked.findings if found.severity is Severity.ERROR]
    fate = (
        f"It would not run here: {errors[0]}." if errors else "It would run on the GPUs here too."
    )
    sync = _SYNC.get(python.lock_owner or "uv")
    again = f"`{' '.join(sync)}`" if sync else "installation from it"
    made = finding(
        "lock-differs-from-environment",
        f"{_name(python.lock_file)} says torch {wanted}, and torch {torch.version} is installed",
        f"The next {again} puts the locked build in its place. {fate}",
        evidence=[
            Evidence(fact="torch.version", value=torch.version, source=sheet.source("torch")),
            Evidence(fact="python.lock_file", value=wanted, source=python.lock_file),
        ],
        clears_with=("manual",),
    )
    return (replace(made, files=(FileAt(python.lock_file, choice.at.line),)),)


def _is(torch: Torch, choice: Choice, sheet: FactSheet) -> bool:
    """Whether the installed torch is the build that a lock chooses."""
    release, label = split_label(torch.version or "")
    if release != choice.release:
        return False
    if label or choice.variant is None or sheet.why_unknown("torch.cuda"):
        return not label or choice.variant in (None, label)
    # A conda package has no label: its CUDA tells.
    if choice.variant == "cpu":
        return torch.cuda is None and torch.hip is None
    cuda = cuda_of_variant(choice.variant)
    return cuda is None or torch.cuda == cuda


def _by_a_choice(sheet: FactSheet, torch: Torch, locked: Judged, lock: str) -> bool:
    """Whether an extra or a group of the project brings the build that is installed."""
    document = locked.installation.document
    if locked.scene is not None:
        # Not every lock says what its extras are: one of its entries is enough.
        for row in document.pinned or ():
            entry = choice_of(row, locked.scene) if row.name == TORCH else None
            if isinstance(entry, Choice) and _is(torch, entry, sheet):
                return True
    extras, groups = sorted(document.extras or ()), sorted(document.groups or ())
    tries = [((name,), ()) for name in extras] + [((), (name,)) for name in groups]
    for more_extras, more_groups in tries[:_MAX_CHOICES]:
        try:
            found = judge(sheet, [lock], extras=more_extras, groups=more_groups)
        except UsageError:
            continue
        choice = found.installation.outcome.choice(TORCH)
        if choice is not None and _is(torch, choice, sheet):
            return True
    return False


def _name(path: str) -> str:
    return path.replace("\\", "/").rsplit("/", 1)[-1]
