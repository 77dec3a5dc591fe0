"""Takes private details out of what a text made: findings and commands quote it."""

from __future__ import annotations

import re

from gpudoctor.model.finding import Finding
from gpudoctor.model.pattern import late_pattern
from gpudoctor.model.prescription import Prescription
from gpudoctor.model.privacy.redaction import redact_text
from gpudoctor.model.step import Step
from gpudoctor.model.value import replace

# A shell's prompt and a mail's sender name their user and host; paths below it name a project.
_PROMPT = late_pattern(r"\b[\w.-]{1,40}@[\w.-]{1,60}(?=[: \]~$#])")
_SECRET = late_pattern(
    r"((?:api[_-]?key|token|secret|password|passwd|authorization"
    r"|bearer)[\"']?\s{0,2}[:=]?\s{0,2}[\"']?)[A-Za-z0-9_\-./+=]{8,}",
    re.I,
)
_ADDRESS = late_pattern(r"\b(?!127\.0\.0\.1\b|0\.0\.0\.0\b)(?:\d{1,3}\.){3}\d{1,3}(?=:\d{2,5}\b)")


def scrub(text: str) -> str:
    """One text without user, host, home, credentials and addresses."""
    text = _SECRET.sub(r"\1***", text)
    text = _PROMPT.sub("USER@HOST", text)
    return redact_text(_ADDRESS.sub("ADDRESS", text))


def scrub_finding(finding: Finding) -> Finding:
    """The finding with its evidence and words scrubbed."""
    return replace(
        finding,
        title=scrub(finding.title),
        detail=scrub(finding.detail),
        evidence=tuple(replace(item, value=scrub(item.value)) for item in finding.evidence),
        remedies=tuple(_redacted(step) for step in finding.remedies),
    )


def _redacted(step: Step) -> Step:
    commands = (step.posix, step.powershell, step.cmd)
    posix, powershell, cmd = (None if line is None else redact_text(line) for line in commands)
    return replace(
        step,
        text=redact_text(step.text),
        argv=tuple(map(redact_text, step.argv)),
        posix=posix,
        powershell=powershell,
        cmd=cmd,
    )


def scrub_prescription(prescription: Prescription | None) -> Prescription | None:
    """The prescription with its sentences scrubbed; its commands name no file of the text."""
    if prescription is None:
        return None
    return replace(prescription, why=scrub(prescription.why))
