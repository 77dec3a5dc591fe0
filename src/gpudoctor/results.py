"""What the Python functions give: the values of the inside, which know their JSON and their text.

`to_dict()` is what `--json` prints; `exit_code` is the command's.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from gpudoctor.model import report as model_report
from gpudoctor.model import sheet as model_sheet
from gpudoctor.model.lazy import later
from gpudoctor.model.value import field_names
from gpudoctor.report import render
from gpudoctor.report.style import Style

if TYPE_CHECKING:
    from gpudoctor.model import factfile
    from gpudoctor.report import document
    from gpudoctor.report.writers import html as html_writer
    from gpudoctor.report.writers import json as json_writer
else:  # loaded when they are needed
    document = later("gpudoctor.report.document")
    factfile = later("gpudoctor.model.factfile")
    html_writer = later("gpudoctor.report.writers.html")
    json_writer = later("gpudoctor.report.writers.json")


class Report(model_report.Report):
    """A report: prints as in the terminal, shows as HTML in a notebook."""

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON values, exactly what `--json` prints."""
        return json_writer.as_dict(self)

    def text(self, *, color: bool = False, width: int = 100) -> str:
        """The report as text for a terminal of `width` columns, in letters that stdout has."""
        encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
        style = Style(color=color, width=width, unicode=_encodes("✓✗", encoding))
        shown = render(self, "text", style)
        return shown if _encodes(shown, encoding) else _within(shown, encoding)

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        """The text too: that is what the prompts of Python and IPython show of a value."""
        return self.text()

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        return (
            f'<div class="gpudoctor">{html_writer.fragment(document.document(self, Style()))}</div>'
        )


class Diagnosis(Report):
    """What an exception or a text says is wrong: false where nothing known stands in it."""

    @property
    def report(self) -> Report:
        """The report, which a diagnosis is."""
        return self

    def __bool__(self) -> bool:
        return bool(self.findings)


class FactSheet(model_sheet.FactSheet):
    """A machine's facts."""

    exit_code = 0

    def to_dict(self) -> dict[str, Any]:
        """The sheet as JSON values, exactly what `facts --json` prints."""
        return factfile.encode_sheet(self)


class Page(str):
    """A page as Markdown."""

    exit_code = 0
    kind: str
    subject: str

    def to_dict(self) -> dict[str, Any]:
        """The page as JSON values, exactly what `explain --json` prints."""
        return {
            "schema_version": "1.0",
            "kind": self.kind,
            "subject": self.subject,
            "markdown": str(self),
        }


def report(given: model_report.Report) -> Report:
    """A report as the functions give it."""
    return Report(**fields_of(given))


def diagnosis(given: model_report.Report) -> Diagnosis:
    """A report on a text as `diagnose` gives it."""
    return Diagnosis(**fields_of(given))


def sheet(given: model_sheet.FactSheet) -> FactSheet:
    """A fact sheet as the functions give it."""
    return FactSheet(**fields_of(given))


def page(kind: str, subject: str, markdown: str) -> Page:
    """A page as the functions give it."""
    made = Page(markdown)
    made.kind, made.subject = kind, subject
    return made


def fields_of(value: object) -> dict[str, Any]:
    """The fields of a value by name."""
    return {name: getattr(value, name) for name in field_names(value)}


def _encodes(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _within(text: str, encoding: str) -> str:
    """The text with the letters that an encoding lacks replaced."""
    try:
        return text.encode(encoding, "replace").decode(encoding)
    except LookupError:
        return text.encode("ascii", "replace").decode("ascii")
