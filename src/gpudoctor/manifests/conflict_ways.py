"""Ways out of requirements that exclude each other: the one line that has to change.

Each way is tried before it is shown: the file is read with that line changed, and the rules judge
what it installs then. Only what runs on the GPUs is a way. The line of torch is changed last, since
a file that names torch's release says what its author wants; where only another torch runs on these
GPUs, it is the first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from gpudoctor.kb.software import torch_releases
from gpudoctor.manifests.choice import Choice
from gpudoctor.manifests.install_file import InstallFile, Wish
from gpudoctor.manifests.judgement import Judged, judged
from gpudoctor.manifests.project import Installation, resolve
from gpudoctor.manifests.scene import Scene
from gpudoctor.manifests.universe import TORCH, family, is_pinned_library
from gpudoctor.model.finding import Severity
from gpudoctor.model.prescription import Alternative, Prescription, Step
from gpudoctor.model.sheet import FactSheet
from gpudoctor.model.terms.shell import command_step, sentence_step
from gpudoctor.model.terms.version import public_version
from gpudoctor.model.value import replace

_LOCKS = {"uv": ("uv", "lock"), "poetry": ("poetry", "lock"), "pdm": ("pdm", "lock"),
          "pipenv": ("pipenv", "lock")}  # fmt: skip


def out_of_conflict(found: Judged, sheet: FactSheet) -> Prescription | None:
    """The prescription of a conflict that changing one line solves; `None`: no line does."""
    document, outcome = found.installation.document, found.installation.outcome
    if outcome.reason != "conflict" or document.settled is not None or document.pinned is not None:
        return None
    if found.scene is None:
        return None
    ways = list(_ways(found.installation, found.scene, sheet))
    if not ways:
        return None
    first, *others = ways
    return Prescription(
        status="resolved",
        why=first.why,
        torch=first.torch,
        variant=first.variant,
        steps=first.steps,
        alternatives=tuple(others),
    )


def _ways(row: Installation, scene: Scene, sheet: FactSheet) -> Iterator[Alternative]:
    for changed in _changes(row):
        kept = _pinned(row.document.wishes, changed)
        wishes = tuple(new for wish in row.document.wishes if (new := _new(wish, changed, kept)))
        document = replace(row.document, wishes=wishes)
        try:
            outcome = resolve(document, scene)
        except ValueError:
            continue
        torch = outcome.choice(TORCH)
        if outcome.status != "installs" or torch is None:
            continue
        after = judged(sheet, Installation(document=document, outcome=outcome))
        if any(entry.severity is Severity.ERROR for entry in after.findings):
            continue
        said = torch.release + (f"+{torch.variant}" if torch.variant else "")
        yield Alternative(
            why=f"With {_lines(changed)} changed, {document.path} installs torch {said}, "
            "which runs on these GPUs.",
            steps=_steps(document, changed, outcome.choices),
            torch=torch.release,
            variant=torch.variant,
            risk="low",
        )


def _changes(row: Installation) -> Iterator[tuple[Wish, ...]]:
    """The lines to change, the least first: NVIDIA's libraries, one other, all others, torch."""
    at = set(row.outcome.files)
    concerned = [wish for wish in row.document.wishes if wish.at in at and wish.specifier]
    libraries = [wish for wish in concerned if is_pinned_library(wish.name)]
    others = [wish for wish in concerned if wish.name != TORCH and family(wish.name)]
    torches = tuple(wish for wish in concerned if wish.name == TORCH)
    if libraries:
        yield tuple(libraries)
    for wish in others:
        yield (wish,)
    if others[1:]:
        yield tuple(others)
    if torches:
        yield torches


def _pinned(wishes: Sequence[Wish], changed: Sequence[Wish]) -> str | None:
    """The one release of torch that stays asked for."""
    rows = [wish.specifier for wish in wishes if wish.name == TORCH and wish not in changed]
    exact = [text for text in rows if text.startswith("==") and "*" not in text]
    return public_version(exact[0].lstrip("=").strip()) if exact else None


def _new(wish: Wish, changed: Sequence[Wish], torch: str | None) -> Wish | None:
    """A line as it would be; `None`: it is gone."""
    if wish not in changed:
        return wish
    if is_pinned_library(wish.name):
        return None
    # A companion that names no torch in its metadata belongs to one all the same.
    release = torch_releases.release(torch) if torch else None
    companion = release.companions.get(wish.name) if release else None
    return replace(wish, specifier=f"=={companion.version}" if companion else "")


def _lines(changed: Iterable[Wish]) -> str:
    named = [f"`{wish.name}{wish.specifier}`" for wish in changed]
    return " and ".join(named)


def _steps(
    document: InstallFile, changed: Sequence[Wish], choices: Sequence[Choice]
) -> tuple[Step, ...]:
    made = [sentence_step("manual", _edit(wish, choices)) for wish in changed]
    lock = _LOCKS.get(document.tool)
    if lock and document.format != "requirements":
        made.append(command_step("manual", "Lock again.", lock, executable=False))
    return tuple(made)


def _edit(wish: Wish, choices: Sequence[Choice]) -> str:
    """The line as it is to be."""
    where = f"{wish.at.path}, line {wish.at.line}" if wish.at.line else wish.at.path
    line = f"`{wish.name}{wish.specifier}`"
    if is_pinned_library(wish.name):
        return f"In {where}, take {line} out: torch brings the release that it needs."
    chosen = next((choice for choice in choices if choice.name == wish.name), None)
    if chosen is None:
        return f"In {where}, write `{wish.name}` without a version in place of {line}."
    new = chosen.version if "+" in wish.specifier else public_version(chosen.version)
    return f"In {where}, write `{wish.name}=={new}` in place of {line}."
