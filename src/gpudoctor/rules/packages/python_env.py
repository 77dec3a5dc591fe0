"""The examined Python environment: whether it has a torch, and whether it is the one meant."""

from __future__ import annotations

import os
from collections.abc import Iterator

from gpudoctor.model.fact import Unknown
from gpudoctor.model.finding import Evidence, Finding, Severity
from gpudoctor.model.terms.shell import command_step, environment_step, sentence_step
from gpudoctor.model.terms.version import public_version
from gpudoctor.rules.engine import knowledge_queries as knowledge
from gpudoctor.rules.engine.all_rules import rule
from gpudoctor.rules.engine.case import Case
from gpudoctor.rules.engine.wording import finding


@rule(
    "python-unsupported",
    uses=(
        "host.os",
        "host.arch",
        "host.libc",
        "python.version",
        "python.bits",
        "python.implementation",
    ),
    needs=("torch", "python"),
)
def python_unsupported(case: Case) -> Iterator[Finding | Unknown]:
    """No release of torch has a wheel for this interpreter, so none can be installed."""
    python = case.facts.python
    if case.facts.torch is not None or python is None or case.platform is None:
        return
    reason = _unsupported(case)
    if isinstance(reason, Unknown):
        yield reason
        return
    if reason is None:
        return
    path, why = reason
    yield finding(
        "python-unsupported",
        f"No published torch can be installed here: {why}",
        "Wheels are built for particular versions of Python and systems. Without one, an "
        "installer says `No matching distribution found for torch`.",
        evidence=[case.evidence(path), case.evidence("python.executable")],
        clears_with=("manual",),
        remedies=(
            command_step(
                "manual",
                f"Make an environment with Python {_newest(case)}.",
                ("uv", "venv", "--python", _newest(case)),
                executable=False,
            ),
        )
        if path.startswith("python.version")
        else (),
    )


def _unsupported(case: Case) -> tuple[str, str] | Unknown | None:
    """The fact that no wheel serves, and what to say of it."""
    python = case.facts.python
    if python is None:
        return None
    if python.bits == 32:
        return "python.bits", "this is a 32-bit Python, and torch needs a 64-bit one"
    if python.implementation not in (None, "cpython"):
        return (
            "python.implementation",
            f"wheels are for CPython, and this is {python.implementation}",
        )
    if case.host.libc == "musl":
        return "host.libc", "wheels need glibc, and this system has musl (Alpine and the like)"
    if python.version is None or not (known := knowledge.pythons(case.platform or "")):
        return case.why_unknown("python.version")
    version = ".".join(python.version.split(".")[:2])
    free_threaded = (python.tag or "").endswith("t")
    if version + ("t" if free_threaded else "") in known:
        return None
    kind = "free-threaded Python" if free_threaded else "Python"
    return "python.version", f"no release has a wheel for {kind} {version} on this system"


def _newest(case: Case) -> str:
    return knowledge.best_python(case.platform or "") or "3.12"


@rule("torch-missing", needs=("torch",), follows=("python-unsupported",))
def torch_missing(case: Case) -> Iterator[Finding | Unknown]:
    """The examined environment has no torch."""
    if case.facts.torch is not None:
        return
    python = case.facts.python
    if python is None:
        title = "No Python environment with torch was found"
        detail = "No environment is active, none lies in this folder, and no Python is on the PATH."
    else:
        title = f"torch is not installed in {python.prefix or python.executable or 'this Python'}"
        detail = "If it is installed elsewhere, activate that environment or name it with --python."
    yield finding(
        "torch-missing",
        title,
        detail,
        evidence=[
            case.evidence("python.executable"),
            case.evidence("python.chosen_because"),
        ],
        clears_with=("install",),
    )


@rule(
    "torch-metadata-missing",
    needs=("torch.version", "torch.metadata"),
    unless=("wrong-torch-copy-imported",),
)
def torch_metadata_missing(case: Case) -> Iterator[Finding | Unknown]:
    """A torch that no installer knows of."""
    torch = case.facts.torch
    if torch is None or torch.metadata is not False:
        return
    yield finding(
        "torch-metadata-missing",
        f"torch {torch.version} lies there without the record of an installer",
        "Installers know a package by a folder of metadata beside it, which is missing here. They "
        "can neither remove nor replace this torch, and would install another one over it.",
        evidence=[case.evidence("torch.metadata"), case.evidence("torch.version")],
        clears_with=("manual",),
        remedies=(
            sentence_step(
                "manual",
                f"Remove the folder {torch.path or 'of torch'}, then install the build that you "
                "want.",
            ),
        ),
    )


@rule(
    "wrong-torch-copy-imported",
    needs=("torch",),
    uses=("torch.copies", "torch.version", "torch.distribution_version"),
)
def wrong_torch_copy_imported(case: Case) -> Iterator[Finding | Unknown]:
    """Several copies of torch are on the path, or files of two releases are mixed in one."""
    torch = case.facts.torch
    if torch is None:
        return
    copies = torch.copies
    if len(copies) > 1 and case.knows("torch.copies"):
        yield finding(
            "wrong-torch-copy-imported",
            f"{len(copies)} copies of torch are on the path; {copies[0]} is the one imported",
            "Python imports the first copy that it finds. An installer may change another one, and "
            "then an update seems to have no effect.",
            severity=Severity.WARNING,
            evidence=[case.evidence("torch.copies"), case.evidence("torch.version")],
            clears_with=("uninstall", "install"),
            remedies=tuple(
                sentence_step("uninstall", f"Remove {copy} if it is not wanted.")
                for copy in copies[1:]
            ),
        )
    stated = torch.distribution_version
    if stated and torch.version and _public(stated) != _public(torch.version):
        yield finding(
            "wrong-torch-copy-imported",
            f"The files of torch are those of {torch.version}, but its metadata says {stated}",
            "Two releases were written over each other, or the metadata belongs to another copy. "
            "Installers believe the metadata; Python runs the files.",
            severity=Severity.WARNING,
            evidence=[case.evidence("torch.version"), case.evidence("torch.distribution_version")],
            clears_with=("uninstall", "install"),
        )


def _public(version: str) -> str:
    return public_version(version).strip().lower()


@rule(
    "user-site-leak",
    needs=("python", "torch"),
    uses=("python.user_site", "python.environment", "torch.path"),
    unless=("wrong-torch-copy-imported",),
)
def user_site_leak(case: Case) -> Iterator[Finding | Unknown]:
    """An environment of its own imports torch from the user site directory."""
    python, torch = case.facts.python, case.facts.torch
    if python is None or torch is None or python.environment in (None, "system", "portable"):
        return
    user = python.user_site
    if not user or not torch.path or not _inside(torch.path, user):
        return
    yield finding(
        "user-site-leak",
        f"This environment imports torch from the user site directory {user}",
        "`pip install --user` puts packages into a folder that other environments may see too. "
        "What is installed there wins over, or stands in for, what the environment should bring.",
        evidence=[case.evidence("torch.path"), case.evidence("python.user_site")],
        clears_with=("environment", "install"),
        remedies=(
            environment_step(
                "Keep the user's own packages out, then install torch into the environment itself.",
                {"PYTHONNOUSERSITE": "1"},
                "environment",
            ),
        ),
    )


def _inside(path: str, folder: str) -> bool:
    return os.path.normpath(path).startswith(os.path.normpath(folder) + os.sep)


@rule("environment-unreadable")
def environment_unreadable(case: Case) -> Iterator[Finding | Unknown]:
    """The operating system did not let us list what is installed."""
    entry = case.why_unknown("torch")
    if entry is None or entry.kind not in ("denied", "damaged"):
        return
    yield finding(
        "environment-unreadable",
        "The files of the examined environment cannot be read, so nothing is known of its torch",
        "The operating system refused to list them: another user owns them, or their disk is not "
        "there.",
        # Nothing is proved to be broken; what is in there is unknown.
        severity=Severity.WARNING,
        evidence=[Evidence(fact=entry.fact, value=entry.reason, source=entry.source)],
        clears_with=("manual",),
        remedies=(
            sentence_step(
                "manual",
                "Run as the user who owns the environment, or give it back to yourself.",
            ),
        ),
    )


@rule("unfinished-fix", needs=("unfinished_fix",))
def unfinished_fix(case: Case) -> Iterator[Finding | Unknown]:
    """A fix of this environment was interrupted."""
    journal = case.facts.unfinished_fix
    if not journal:
        return
    yield finding(
        "unfinished-fix",
        "An earlier fix of this environment was interrupted",
        "It was neither completed nor undone, so packages may be missing or half installed.",
        evidence=[Evidence(fact="unfinished_fix", value=journal)],
        clears_with=("install", "manual"),
        remedies=(
            command_step(
                "manual",
                "Put the environment back as it was.",
                ("gpudoctor", "fix", "--undo", *_named(case)),
                executable=False,
            ),
        ),
    )


@rule("fix-journal-damaged")
def fix_journal_damaged(case: Case) -> Iterator[Finding | Unknown]:
    """What says whether an earlier fix was finished cannot be believed."""
    entry = case.why_unknown("unfinished_fix")
    if entry is None or entry.kind != "damaged":
        return
    yield finding(
        "fix-journal-damaged",
        "The journal of an earlier fix of this environment is damaged",
        "It says of each step of a fix whether it was done. Nobody knows now whether that fix was "
        "finished or undone, so packages may be missing or half installed.",
        evidence=[Evidence(fact=entry.fact, value=entry.reason, source=entry.source)],
        clears_with=("manual",),
        remedies=(
            command_step(
                "manual",
                "See which fix it is, and where it kept the files.",
                ("gpudoctor", "fix", "--list"),
                executable=False,
            ),
            sentence_step(
                "manual",
                "When nothing of what it kept is needed any more, `gpudoctor fix --forget ID` "
                "removes it; until then no further fix of this environment begins.",
            ),
        ),
    )


def _named(case: Case) -> tuple[str, ...]:
    python = case.facts.python
    return ("--python", python.prefix) if python and python.prefix else ()
