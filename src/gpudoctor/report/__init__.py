"""Renderers: one format a file. `render` finds the file for a format."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from gpudoctor.errors import UsageError

if TYPE_CHECKING:  # the command line imports this package before it knows that it will report
    from gpudoctor.model.report import Report
    from gpudoctor.report.style import Style

_MODULES = {
    "text": "terminal",
    "json": "json_",
    "markdown": "markdown",
    "html": "html",
    "github": "github",
    "junit": "junit",
    "sarif": "sarif",
}


def render(report: Report, format_: str, style: Style) -> str:
    """The report as text in one format.

    Raises:
        UsageError: no such format.
    """
    if format_ not in _MODULES:
        raise UsageError(f"{format_!r} is no format; there are {', '.join(_MODULES)}")
    module = import_module(f"gpudoctor.report.{_MODULES[format_]}")
    text: str = module.render(report, style)
    return text
