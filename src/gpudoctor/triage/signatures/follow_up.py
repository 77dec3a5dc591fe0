"""What to look at to tell look-alikes apart, and what can still be done in the process."""

from __future__ import annotations

from collections.abc import Sequence

from gpudoctor.kb.findings import catalogue
from gpudoctor.kb.findings.follow_ups import follow_up
from gpudoctor.triage.signatures.marks import Marks

_ON_CPU = "The process is sound: mend the program, nothing else is broken."
_START_AGAIN = "Start the command again after the cure; nothing needs to be saved."


def next_look(name: str, rivals: Sequence[str]) -> str | None:
    """The look that tells a cause from its rivals; from its look-alikes where it has none here."""
    entry = catalogue.find(name)
    if entry is None:
        return None
    others = [rival for rival in rivals if rival != name] or list(entry.looks_like)
    row = follow_up(name)
    look = row.look or entry.confirm_by
    if not look or not others:
        return look[0] if look and row.program else None
    rows = [catalogue.find(other) for other in others[:3]]
    named = [f"{row.code} ({row.name})" for row in rows if row is not None]
    return f"To tell it from {', '.join(named)}: {'; '.join(look[:3])}"


def still_possible(name: str, default: str | None, marks: Marks) -> str:
    """What can still be done in the process; a check on the CPU leaves it sound."""
    return _ON_CPU if _raised_on_cpu(name, marks) else default or _START_AGAIN


def is_asynchronous(name: str, marks: Marks) -> bool:
    """Whether the traceback may end at another line than the one that caused it."""
    return follow_up(name).asynchronous and not _raised_on_cpu(name, marks)


def _raised_on_cpu(name: str, marks: Marks) -> bool:
    return follow_up(name).on_cpu_too and not marks.holds("device-assert-text")
