"""One machine's document as what is compared: verdict, findings, and a few facts in words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from gpudoctor.errors import UsageError
from gpudoctor.examine.complete import complete
from gpudoctor.examine.verdict import missing_essentials
from gpudoctor.model.factfile import parse_sheet
from gpudoctor.model.finding import Severity
from gpudoctor.model.report import Verdict
from gpudoctor.model.value import dataclass
from gpudoctor.rules import judge

ASPECTS = ("system", "kernel", "driver", "GPUs", "Python", "torch", "packages")
"""What machines are compared by, besides their findings."""


@dataclass(frozen=True, slots=True)
class Told:
    """A finding of a machine, as far as a table of many needs it."""

    code: str
    name: str
    severity: str
    title: str


@dataclass(frozen=True, slots=True)
class Seen:
    """What one or more machines have in common."""

    verdict: Verdict
    aspects: tuple[str, ...]
    """In the order of `ASPECTS`."""
    findings: tuple[Told, ...] = ()


def seen(document: Any) -> Seen:
    """What a report or a fact sheet says.

    Raises:
        UsageError: it is neither.
    """
    if not isinstance(document, dict) or not isinstance(document.get("facts"), dict):
        raise UsageError("it is neither a report nor a fact sheet: it has no facts")
    version = str(document.get("schema_version", "1")).split(".")[0]
    if version != "1":
        raise UsageError(f"it has schema version {version[:20]}, and this gpudoctor reads 1")
    if isinstance(document.get("findings"), list):
        findings = tuple(_told(entry) for entry in document["findings"])
        unknown = document.get("verdict") == "unknown"
    else:
        findings, unknown = _judged(document)
    return Seen(_verdict(findings, unknown=unknown), _aspects(document), findings)


def _told(entry: Any) -> Told:
    words = ("code", "name", "severity", "title")
    if not isinstance(entry, dict) or not all(isinstance(entry.get(w), str) for w in words):
        raise UsageError("one of its findings has no code, name, severity or title")
    if entry["severity"] not in ("error", "warning", "info"):
        raise UsageError(f"{entry['severity'][:20]!r} is no severity of a finding")
    return Told(*(entry[word] for word in words))


def _judged(document: Mapping[str, Any]) -> tuple[tuple[Told, ...], bool]:
    """A fact sheet has no findings yet: the rules judge it."""

    sheet = complete(parse_sheet(json.dumps(document), "it"))
    found = judge(sheet).findings
    told = tuple(Told(f.code, f.name, f.severity.value, f.title) for f in found)
    return told, bool(missing_essentials(sheet))


def _verdict(findings: tuple[Told, ...], *, unknown: bool) -> Verdict:
    severities = {told.severity for told in findings}
    if Severity.ERROR.value in severities:
        return "broken"
    if unknown:
        return "unknown"
    return "warning" if Severity.WARNING.value in severities else "healthy"


def _aspects(document: Mapping[str, Any]) -> tuple[str, ...]:
    facts = document["facts"]
    unknown = {
        entry.get("fact") for entry in document.get("unknown") or () if isinstance(entry, dict)
    }

    def part(name: str, otherwise: str = "none") -> Mapping[str, Any] | str:
        value = facts.get(name)
        if isinstance(value, dict):
            return value
        return "unknown" if name in unknown or name not in facts else otherwise

    host, driver, python, torch = (part(n) for n in ("host", "driver", "python", "torch"))
    return (
        _text(host, "distribution", "os", "arch"),
        _text(host, "kernel"),
        _text(driver, "version"),
        _gpus(facts.get("gpus"), unknown="gpus" in unknown or "gpus" not in facts),
        _text(python, "version"),
        _text(torch, "version"),
        _packages(facts.get("packages")),
    )


def _text(part: Mapping[str, Any] | str, *names: str) -> str:
    if isinstance(part, str):
        return part
    found = [str(part[name]) for name in names if part.get(name)]
    if names[:1] == ("distribution",) and part.get("distribution") and part.get("os"):
        found.remove(str(part["os"]))
    return ", ".join(found) or "unknown"


def _gpus(value: Any, *, unknown: bool) -> str:
    if not isinstance(value, list) or unknown:
        return "unknown"
    counts: dict[str, int] = {}
    for gpu in value:
        name = gpu.get("name") or gpu.get("sm") if isinstance(gpu, dict) else None
        counts[str(name or "a GPU")] = counts.get(str(name or "a GPU"), 0) + 1
    return ", ".join(f"{n} × {name}" if n > 1 else name for name, n in counts.items()) or "none"


def _packages(value: Any) -> str:
    if not isinstance(value, list):
        return ""
    pairs = {
        f"{entry['name']} {entry.get('version')}"
        for entry in value
        if isinstance(entry, dict) and isinstance(entry.get("name"), str)
    }
    return ", ".join(sorted(pairs))
