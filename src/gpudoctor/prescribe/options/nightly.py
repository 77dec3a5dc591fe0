"""Whether the installed nightly is what is wrong."""

from __future__ import annotations

from collections.abc import Collection

from gpudoctor.kb.findings import catalogue
from gpudoctor.model.finding import Finding
from gpudoctor.model.sheet import FactSheet


def failed_nightly(sheet: FactSheet, findings: tuple[Finding, ...], names: Collection[str]) -> bool:
    """Whether a nightly is installed and its kernels failed; `names`: of what are errors."""
    torch = sheet.facts.torch
    if torch is None or "dev" not in (torch.version or ""):
        return False
    return any(catalogue.area(f.code) == "runtime" and f.name in names for f in findings)
