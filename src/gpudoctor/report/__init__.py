"""What was found, as text in many formats: one document, and a writer for each format.

`render` makes the document (`document.py`) and hands it to `writers/<format>.py`. To add a format:
a file there, and its name below.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING

from gpudoctor.errors import UsageError

if TYPE_CHECKING:  # the command line imports this package before it knows that it will report
    from gpudoctor.model.report import Report
    from gpudoctor.report.blocks import Section
    from gpudoctor.report.style import Style

FORMATS = (
    "text",
    "json",
    "jsonl",
    "line",
    "markdown",
    "html",
    "github",
    "junit",
    "sarif",
    "prometheus",
)
"""Each is a module of `gpudoctor.report.writers`."""


def render(report: Report, format_: str, style: Style, extra: Sequence[Section] = ()) -> str:
    """The report as text in one format; `extra` are sections put before its notes.

    Raises:
        UsageError: no such format.
    """
    if format_ not in FORMATS:
        raise UsageError(f"{format_!r} is no format; there are {', '.join(FORMATS)}")
    from gpudoctor.report.document import document

    made = document(report, style, brief=format_ == "text", extra=extra)
    text: str = import_module(f"gpudoctor.report.writers.{format_}").write(made, style)
    return text
