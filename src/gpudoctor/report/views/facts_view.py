"""A fact sheet as JSON (the form that `check --facts` reads) or as text."""

from __future__ import annotations

import json

from gpudoctor.model.factfile import encode_sheet
from gpudoctor.model.sheet import FactSheet
from gpudoctor.report.style import Style
from gpudoctor.report.views.details import fact_lines
from gpudoctor.report.writers.canvas import Canvas


def render(sheet: FactSheet, format_: str, style: Style) -> str:
    """The sheet in `format_`, `json` or `text`."""
    if format_ == "json":
        return json.dumps(encode_sheet(sheet), indent=2, ensure_ascii=True) + "\n"
    canvas = Canvas(style)
    for path, value, source in fact_lines(sheet):
        canvas.hanging((f"{path} = ", "dim"), f"{value}  [{source}]" if source else value)
    return canvas.text()
