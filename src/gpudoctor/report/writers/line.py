"""The report as one short line, for a prompt, a node's drain reason, a table.

`gpudoctor:GPU201 torch 2.6.0+cu124 has no code for sm_120 (NVIDIA GeForce RTX 5060 Ti)`: ASCII
alone, at most 80 bytes with its line end; Slurm's `scontrol … Reason=` and Nagios' plugins take
lines of that kind.
"""

from __future__ import annotations

from gpudoctor.model.finding import Severity
from gpudoctor.report.blocks import Document
from gpudoctor.report.inert import no_command
from gpudoctor.report.style import Style

_MOST = 79
_WORDS = {"healthy": "OK", "warning": "WARNING", "broken": "BROKEN", "unknown": "UNKNOWN"}


def write(document: Document, style: Style) -> str:  # noqa: ARG001 - every format takes a style
    """The gravest finding's code and title; without one, the verdict in a word."""
    report = document.report
    first = next((f for f in report.findings if f.severity is not Severity.INFO), None)
    if first is not None and report.verdict != "unknown":
        said = f"gpudoctor:{first.code} {first.title}"
    else:
        said = f"gpudoctor:{_WORDS[report.verdict]} {document.headline or _why(document)}"
    plain = "".join(letter if " " <= letter <= "~" else "?" for letter in said)
    return f"{no_command(plain)[:_MOST].rstrip()}\n"


def _why(document: Document) -> str:
    prescription = document.report.prescription
    return prescription.why if prescription is not None else ""
