"""gpudoctor's reports in the formats that machines read: line, GitHub, JUnit, SARIF, Prometheus.

They name their findings by code or name; GitHub's and JUnit's carry the table of layers as well.
"""

from __future__ import annotations

import re
from html import unescape

from gpudoctor.kb.findings import catalogue
from gpudoctor.model.pattern import late_pattern
from gpudoctor.model.value import dataclass
from gpudoctor.triage.text.cleaned_text import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Machines:
    """What a report that was written for machines says."""

    findings: tuple[str, ...]
    """Names, in its order."""
    layers: tuple[tuple[str, str], ...]
    """Rows such as `torch`, `2.6.0+cu124, built for CUDA 12.4`."""
    rest: tuple[str, ...]
    """The lines of the text that are not the report's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Format:
    mark: str
    """A literal, in lower case, that every report in this format holds."""
    line: re.Pattern[str]
    """A line that is the report's where its lines are mixed with others."""
    found: re.Pattern[str]
    """Code or name of a finding."""
    whole: bool = False
    """Whether the report goes on from its first such line to its last."""


_ANY = r"(GPU\d{3})\b"
_FORMATS = (
    _Format(
        mark="gpudoctor:",
        line=late_pattern(r"^\s{0,8}gpudoctor:(?:GPU\d{3}|OK|WARNING|BROKEN|UNKNOWN)\b"),
        found=late_pattern(rf"^\s{{0,8}}gpudoctor:{_ANY}", re.M),
    ),
    _Format(
        mark="title=gpudoctor",
        line=late_pattern(r"^\s{0,40}::(?:error|warning|notice) [^:\n]{0,300}title=g?"),
        found=late_pattern(rf"^\s{{0,40}}::\w{{5,7}} [^:\n]{{0,300}}title={_ANY}", re.M),
    ),
    _Format(
        mark='<testsuites name="gpudoctor"',
        line=late_pattern(r"^\s{0,8}(?:<\?xml|</?testsuites|</?testsuite\b|<testcase)"),
        found=late_pattern(
            r'<testcase [^>]{0,120}name="([a-z0-9-]{3,60})"[^>/]{0,60}>(?:<failure|<system-out)'
        ),
        whole=True,
    ),
    _Format(
        mark='"name": "gpudoctor"',
        line=late_pattern(r'^\s{0,80}(?:\{|"\$schema"|\}|\])|^\s{0,80}"ruleId"'),
        found=late_pattern(rf'"ruleId": ?"{_ANY}"'),
        whole=True,
    ),
    _Format(
        mark="gpudoctor_verdict{",
        line=late_pattern(r"^(?:# (?:HELP|TYPE) )?gpudoctor_\w"),
        found=late_pattern(rf'^gpudoctor_finding\{{[^}}\n]{{0,200}}code="{_ANY}', re.M),
    ),
)
_LAYER = late_pattern(r"^(Host|Driver|GPU(?: \d{1,2})?|Python|torch): (\S.{0,600})$", re.M)


def read(text: Text) -> Machines | None:
    """The report of gpudoctor for machines that the text holds; `None`: there is none."""
    for known in _FORMATS:
        if known.mark not in text.lower:
            continue
        numbers = [n for n, line in enumerate(text.lines) if known.line.match(line[:400])]
        if not numbers:
            continue
        if known.whole:
            numbers = list(range(numbers[0], numbers[-1] + 1))
        own = set(numbers)
        said = "\n".join(text.lines[n] for n in numbers)
        if known.mark == '"name": "gpudoctor"' and '"runs"' not in said:
            continue  # the JSON of our own report, not SARIF
        names = [
            entry.name
            for match in known.found.finditer(said)
            if (entry := catalogue.find(match[1]))
        ]
        for stop in ("::", "%0A", "<system-out>"):
            said = said.replace(stop, "\n")
        layers = ((match[1], match[2]) for match in _LAYER.finditer(unescape(said)))
        return Machines(
            findings=tuple(dict.fromkeys(names)),
            layers=tuple(layers),
            rest=tuple(line for n, line in enumerate(text.lines) if n not in own),
        )
    return None
