"""A plan as sections: the machine, the decision, what to type there, other ways."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gpudoctor.model.report import Report
from gpudoctor.report import document as words
from gpudoctor.report.blocks import Block, Item, Paragraph, Row, Section
from gpudoctor.report.shells import Shells
from gpudoctor.report.style import Style

_SYSTEMS = {"linux": "Linux", "windows": "Windows", "macos": "macOS"}


def sections(report: Report, style: Style, shells: Shells) -> list[Section]:
    """The plan; commands are those of the planned machine's shell."""
    prescription = report.prescription
    parts = [Section(kind="layers", blocks=(Item("Plan for", _machine(report)),))]
    if prescription is None:
        return parts
    possible = prescription.status != "impossible"
    steps = prescription.steps
    blocks: list[Block] = [Paragraph(prescription.why)]
    for number, step in enumerate(steps, 1):
        first, *rest = words.steps((step,), shells)
        if len(steps) > 1 and isinstance(first, Paragraph):
            first = Paragraph(f"{number}. {first.text}")
        blocks += [first, *rest]
    title = "What to type" if possible else "No plan is possible"
    if not possible:
        blocks += words.alternatives(prescription, shells, brief=False)
    parts.append(
        Section(kind="cure", title=title, mark=None if possible else "bad", blocks=tuple(blocks))
    )
    others: list[Block] = [Item("note", note) for note in (*prescription.notes, *report.notes)]
    if possible:
        others += words.alternatives(prescription, shells, brief=not style.verbose)
    if style.verbose:
        others += words.evidence(prescription)
    parts.append(Section(kind="others", blocks=tuple(others)))
    return parts


def considered(builds: Mapping[str, Sequence[str]]) -> Section:
    """Every build that was looked at, with what speaks against it (nothing: it runs)."""
    rows = [
        Row("bad" if reasons else "good", label, "; ".join(reasons) or "runs there")
        for label, reasons in builds.items()
    ]
    return Section(kind="tests", title="Builds that were considered", blocks=tuple(rows))


def _machine(report: Report) -> str:
    facts = report.sheet.facts
    counts: dict[str, int] = {}
    for gpu in facts.gpus:
        name = gpu.name or gpu.sm or gpu.gfx or "a GPU"
        known = f" ({gpu.sm or gpu.gfx})" if gpu.name and (gpu.sm or gpu.gfx) else ""
        counts[name + known] = counts.get(name + known, 0) + 1
    parts = [f"{count} × {name}" if count > 1 else name for name, count in counts.items()]
    host = facts.host
    if host is not None and host.os is not None:
        system = "WSL" if host.wsl else _SYSTEMS[host.os]
        parts.append(f"{system} on {host.arch}" if host.arch else system)
    if facts.driver is not None and facts.driver.version:
        parts.append(f"driver {facts.driver.version}")
    if facts.python is not None and facts.python.version:
        free = "t" if (facts.python.tag or "").endswith("t") else ""
        parts.append(f"Python {facts.python.version}{free}")
    return ", ".join(parts) + _assumed(report)


_ASSUMED = {"host.os": "system", "host.arch": "processor", "python.version": "Python"}


def _assumed(report: Report) -> str:
    """What was not stated and taken from the machine at hand, by the sources of the facts."""
    sources = report.sheet.sources
    taken = [name for path, name in _ASSUMED.items() if sources.get(path) == "this machine"]
    if not taken:
        return ""
    listed = taken[0] if len(taken) == 1 else f"{', '.join(taken[:-1])} and {taken[-1]}"
    return (
        f" ({listed} of this machine, as {'it was' if len(taken) == 1 else 'they were'} not given)"
    )
