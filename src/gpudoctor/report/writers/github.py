"""The report as GitHub Actions annotations: a line for each finding.

Format: docs.github.com, "Workflow commands for GitHub Actions", setting a notice, warning or
error message; there `%`, carriage return and line feed are escaped in data, and `:` and `,` in
properties too. A step shows ten annotations of a kind; what is beyond is counted in a notice.
"""

from __future__ import annotations

from gpudoctor.model.finding import FileAt, Severity
from gpudoctor.report.blocks import Document, Section
from gpudoctor.report.inert import inert
from gpudoctor.report.plain_section import plain
from gpudoctor.report.style import Style

_LEVEL = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}
_TITLES = {
    "layers": "gpudoctor looked at",
    "cure": "gpudoctor prescribes",
    "others": "gpudoctor notes",
}
_MOST = 10


def write(document: Document, style: Style) -> str:  # noqa: ARG001 - every format takes a style
    """Workflow commands, most severe first: the findings, what to type, the rest."""
    found = [section for section in document.sections if section.finding is not None]
    lines: dict[str, list[str]] = {"error": [], "warning": [], "notice": []}
    if document.headline:
        lines["notice"].append(f"::notice title=gpudoctor::{_data(document.headline)}")
    for section in document.sections:
        if section.finding is None:
            title = _property(_TITLES.get(section.kind, f"gpudoctor: {section.title}"))
            said = plain(section, heading=section.kind != "cure" or section.mark == "bad")
            lines["notice"].append(f"::notice title={title}::{_data(said)}")
    for section in found:
        assert section.finding is not None  # noqa: S101 - chosen so above
        lines[_LEVEL[section.finding.severity]].append(_annotation(section))
    left_out = {kind: _cut(kind, given) for kind, given in lines.items()}
    result = [line for kind in lines for line in lines[kind]]
    if any(left_out.values()):
        counts = ", ".join(f"{count} of kind {kind}" for kind, count in left_out.items() if count)
        result.append(f"::notice title=gpudoctor::Not shown here: {counts}.")
    return "\n".join(result) + "\n"


def _cut(kind: str, lines: list[str]) -> int:
    """Leave as many as are shown (of notices one less, for the count); how many went."""
    most = _MOST - (kind == "notice")
    gone = max(0, len(lines) - most)
    del lines[most:]
    return gone


def _annotation(section: Section) -> str:
    finding = section.finding
    assert finding is not None  # noqa: S101 - its callers give sections of findings
    title = f"title={_property(f'{finding.code} {finding.name}')}"
    places = [_place(place) for place in finding.files[:1]]
    where = ",".join([*places, title])
    return f"::{_LEVEL[finding.severity]} {where}::{_data(plain(section))}"


def _place(place: FileAt) -> str:
    line = "" if place.line is None else f",line={place.line}"
    return f"file={_property(place.path)}{line}"


def _data(text: str) -> str:
    clean = inert(text, one_line=False)
    return clean.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
