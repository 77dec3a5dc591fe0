"""The JSON report in one line, for a file to which every machine appends its own."""

from __future__ import annotations

import json

from gpudoctor.report.blocks import Document
from gpudoctor.report.style import Style
from gpudoctor.report.writers.json import as_dict


def write(document: Document, style: Style) -> str:  # noqa: ARG001 - every format takes a style
    """The report as one line of JSON."""
    line = json.dumps(as_dict(document.report), separators=(",", ":"), ensure_ascii=True)
    return line + "\n"
