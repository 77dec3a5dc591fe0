"""Windows itself: what torch needs of it and does not bring."""

from __future__ import annotations

from collections.abc import Iterator

from gpudoctor.model.fact import Unknown
from gpudoctor.model.finding import Finding
from gpudoctor.model.terms.shell import command_step, sentence_step
from gpudoctor.rules.engine.all_rules import rule
from gpudoctor.rules.engine.case import Case
from gpudoctor.rules.engine.wording import finding, several

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
    flavour = "arm64" if case.host.arch == "arm64" else "x64"
    yield finding(
        "windows-vc-runtime-missing",
        f"The Visual C++ runtime is missing: {several(python.missing_runtime)}",
        "torch's libraries need it and do not bring it, so `import torch` fails with "
        "`[WinError 126] The specified module could not be found`.",
        evidence=[case.evidence("python.missing_runtime"), case.evidence("torch.version")],
        clears_with=("environment",),
        remedies=(
            command_step(
                "environment",
                "Install the runtime of Microsoft, which all programs share.",
                ("winget", "install", f"Microsoft.VCRedist.2015+.{flavour}"),
                executable=False,
            ),
            sentence_step(
                "environment", f"Without winget: {_PAGE}.{flavour}.exe, then start Python again."
            ),
        ),
    )
