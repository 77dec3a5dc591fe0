"""Windows itself: what torch needs of it and does not bring."""

from __future__ import annotations

from collections.abc import Iterator

from gpudoctor.model.fact import Unknown
from gpudoctor.model.finding import Finding, Step
from gpudoctor.model.terms.shell import command_step, sentence_step
from gpudoctor.model.terms.version import numbers
from gpudoctor.rules.engine.all_rules import rule
from gpudoctor.rules.engine.case import Case
from gpudoctor.rules.engine.wording import finding, several

_OLDEST = (14, 40)
"""Since torch 2.9.0 its wheels for Windows are built with Visual Studio 17.12, whose mutexes an
older msvcp140.dll cannot lock (github.com/pytorch/pytorch, issue 169429 and pull request 196987,
github.com/microsoft/STL issue 4730; read 2026-11-22)."""
_SINCE = (2, 9)
_PAGE = "https://aka.ms/vc14/vc_redist"


@rule("windows-vc-runtime-missing", needs=("torch", "host.os"))
def windows_vc_runtime_missing(case: Case) -> Iterator[Finding | Unknown]:
    """A DLL of the Visual C++ runtime is in none of the folders where torch looks for it."""
    python, torch = case.facts.python, case.facts.torch
    if python is None or torch is None or case.host.os != "windows":
        return
    if reason := case.why_unknown("python.missing_runtime"):
        yield reason
        return
    if not python.missing_runtime:
        return
    yield finding(
        "windows-vc-runtime-missing",
        f"The Visual C++ runtime is missing: {several(python.missing_runtime)}",
        "torch's libraries need it and do not bring it, so `import torch` fails with "
        "`[WinError 126] The specified module could not be found`.",
        evidence=[case.evidence("python.missing_runtime"), case.evidence("torch.version")],
        clears_with=("environment",),
        remedies=_newest(case),
    )


@rule(
    "windows-vc-redist-outdated",
    needs=("torch", "torch.version", "host.os"),
    unless=("windows-vc-runtime-missing",),
)
def windows_vc_redist_outdated(case: Case) -> Iterator[Finding | Unknown]:
    """The interpreter loads a C++ runtime that is older than the compiler of torch needs."""
    python, torch = case.facts.python, case.facts.torch
    if python is None or torch is None or case.host.os != "windows" or not torch.version:
        return
    # Conda's packages and builds of one's own come with the runtime of their compiler, or name it.
    if numbers(torch.version)[:2] < _SINCE or python.environment == "conda":
        return
    if reason := case.why_unknown("python.runtime_version"):
        yield reason
        return
    if python.runtime_version is None or numbers(python.runtime_version)[:2] >= _OLDEST:
        return
    yield finding(
        "windows-vc-redist-outdated",
        f"The Visual C++ runtime {python.runtime_version} is older than torch {torch.version} "
        f"needs: {'.'.join(map(str, _OLDEST))}",
        "`import torch` then fails with `[WinError 1114] A dynamic link library (DLL) "
        "initialization routine failed`, and names `c10.dll` or another library of torch's.",
        evidence=[case.evidence("python.runtime_version"), case.evidence("torch.version")],
        clears_with=("environment",),
        remedies=_newest(case),
    )


def _newest(case: Case) -> tuple[Step, ...]:
    flavour = "arm64" if case.host.arch == "arm64" else "x64"
    return (
        command_step(
            "environment",
            "Install the runtime of Microsoft, which all programs share.",
            ("winget", "install", f"Microsoft.VCRedist.2015+.{flavour}"),
            executable=False,
        ),
        sentence_step(
            "environment", f"Without winget: {_PAGE}.{flavour}.exe, then start Python again."
        ),
    )
