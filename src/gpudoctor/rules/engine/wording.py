"""How findings are put into words: one place that looks up codes and joins names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gpudoctor.kb.findings import catalogue
from gpudoctor.model.finding import Evidence, Finding, Severity, Step, StepKind
from gpudoctor.rules.engine.case import Device


def finding(
    name: str,
    title: str,
    detail: str = "",
    *,
    severity: Severity | None = None,
    evidence: Iterable[Evidence] = (),
    gpus: Iterable[Device] = (),
    clears_with: tuple[StepKind, ...] = (),
    next_look: str | None = None,
    remedies: Sequence[Step] = (),
    caused_by: str | None = None,
) -> Finding:
    """A finding of the catalogue, with its code and, unless given, its severity.

    Raises:
        KeyError: no such name in the catalogue; a mistake in the caller.
    """
    entry = catalogue.entry(name)
    return Finding(
        code=entry.code,
        name=name,
        severity=Severity(entry.severity) if severity is None else severity,
        title=title,
        detail=detail,
        evidence=tuple(evidence),
        gpus=tuple(device.index for device in gpus),
        clears_with=clears_with,
        still_possible=entry.still_possible,
        next_look=next_look,
        remedies=tuple(remedies),
        caused_by=caused_by,
    )


def several(items: Sequence[str]) -> str:
    """`A`, `A and B`, `A, B and C`."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} and {items[-1]}"


def verb(devices: Iterable[Device], one: str, many: str) -> str:
    """The verb that goes with `names(devices)`: `is` for one GPU, `are` for several."""
    return one if len(tuple(devices)) == 1 else many


def names(devices: Iterable[Device]) -> str:
    """The GPUs of a sentence, equal ones counted: `2 × NVIDIA A100 and NVIDIA T4`."""
    counts: dict[str, int] = {}
    for device in devices:
        counts[device.label] = counts.get(device.label, 0) + 1
    return several([f"{n} × {name}" if n > 1 else name for name, n in counts.items()])
