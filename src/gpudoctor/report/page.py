"""A page of documentation in a terminal: headings, lists, code, as the Markdown has them."""

from __future__ import annotations

import json
import re

from gpudoctor.examine.explain import Explanation
from gpudoctor.report.canvas import Canvas
from gpudoctor.report.style import Style

_EMPHASIS = re.compile(r"\*\*([^*]+)\*\*")
_LINK = re.compile(r"\[([^\]]+)\]\((https?://[^)]+)\)")
_LOCAL_LINK = re.compile(r"\[([^\]]+)\]\([^)]+\)")
_ITEM = re.compile(r"(\s*)([-*]|\d+\.) (.*)")


def render(explanation: Explanation, format_: str, style: Style) -> str:
    """The page in `format_`: text, markdown or json."""
    if format_ == "json":
        document = {
            "schema_version": "1.0",
            "kind": explanation.kind,
            "subject": explanation.subject,
            "markdown": explanation.markdown,
        }
        return json.dumps(document, indent=2) + "\n"
    return explanation.markdown if format_ == "markdown" else _text(explanation.markdown, style)


def _text(markdown: str, style: Style) -> str:
    canvas = Canvas(style)
    paragraph: list[str] = []
    in_code = False

    def flush() -> None:
        if paragraph:
            _flow(canvas, " ".join(paragraph))
            paragraph.clear()

    for line in markdown.splitlines():
        if line.startswith("```"):
            flush()
            in_code = not in_code
        elif in_code:
            canvas.raw(line, indent=4, style="cyan")
        elif line.startswith("#"):
            flush()
            canvas.blank()
            canvas.line((_plain(line.lstrip("# ")), "bold"))
        elif line.startswith("|"):
            flush()
            if set(line) - set("|-: "):
                canvas.paragraph(_plain(line.strip("| ").replace(" | ", "  ")), indent=2)
        elif not line.strip():
            flush()
            canvas.blank()
        elif _ITEM.match(line):
            flush()
            paragraph.append(line)
        else:
            paragraph.append(line.strip())
    flush()
    return canvas.text()


def _flow(canvas: Canvas, text: str) -> None:
    item = _ITEM.match(text)
    if item:
        canvas.hanging(f"  {item[1]}{item[2]} ", _plain(item[3]))
    else:
        canvas.paragraph(_plain(text))


def _plain(text: str) -> str:
    """Markdown's inline marks taken off; the address of a link stays readable."""
    text = _LINK.sub(r"\1 (\2)", text)
    text = _LOCAL_LINK.sub(r"\1", text)
    # Backticks stay: without colours they alone part a command from the sentence around it.
    return _EMPHASIS.sub(r"\1", text)
