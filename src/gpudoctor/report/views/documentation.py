"""A page of documentation, read from its Markdown into the blocks that every writer draws."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from gpudoctor.examine.explain import Explanation
from gpudoctor.report.blocks import Block, Command, Item, Paragraph, Section
from gpudoctor.report.style import Style
from gpudoctor.report.writers.canvas import Canvas

HEADING = "#"
_EMPHASIS = re.compile(r"\*\*([^*]+)\*\*")
_LINK = re.compile(r"\[([^\]]+)\]\((https?://[^)]+)\)")
_LOCAL_LINK = re.compile(r"\[([^\]]+)\]\([^)]+\)")
_ITEM = re.compile(r"(\s*(?:[-*]|\d+\.)) (.*)")


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


def sections_of(markdown: str) -> Iterator[Section]:
    """A section for each heading: lists as items, code as commands, all else as paragraphs."""
    title = ""
    blocks: list[Block] = []
    for kind, text in _parts(markdown):
        if kind == HEADING:
            yield Section(kind="others", title=title, blocks=tuple(blocks))
            title, blocks = text, []
        elif kind == "code":
            blocks.append(Command(text))
        elif kind in ("paragraph", "row"):
            blocks.append(Paragraph(text))
        elif kind:
            blocks.append(Item(kind.strip(), text))
    yield Section(kind="others", title=title, blocks=tuple(blocks))


def _parts(markdown: str) -> Iterator[tuple[str, str]]:
    """The page in parts: kind (`code`, `row`, `paragraph`, `#`, a list's mark, none), and text."""
    gathered: list[str] = []
    in_code = False

    def flush() -> Iterator[tuple[str, str]]:
        if gathered:
            text = " ".join(gathered)
            item = _ITEM.match(text)
            yield (item[1], _plain(item[2])) if item else ("paragraph", _plain(text))
            gathered.clear()

    for line in markdown.splitlines():
        if in_code and not line.startswith("```"):
            yield "code", line
        elif line.startswith("```"):
            yield from flush()
            in_code = not in_code
        elif line.startswith("#"):
            yield from flush()
            yield HEADING, _plain(line.lstrip("# "))
        elif line.startswith("|"):
            yield from flush()
            if set(line) - set("|-: "):
                yield "row", _plain(line.strip("| ").replace(" | ", "  "))
        elif not line.strip():
            yield from flush()
            yield "", ""
        elif _ITEM.match(line):
            yield from flush()
            gathered.append(line)
        else:
            gathered.append(line.strip())
    yield from flush()


def _text(markdown: str, style: Style) -> str:
    canvas = Canvas(style)
    for kind, text in _parts(markdown):
        if kind == "code":
            canvas.raw(text, indent=4, style="cyan")
        elif kind == HEADING:
            canvas.blank()
            canvas.line((text, "bold"))
        elif kind == "row":
            canvas.paragraph(text, indent=2)
        elif kind == "paragraph":
            canvas.paragraph(text)
        elif kind:
            canvas.hanging(f"  {kind} ", text)
        else:
            canvas.blank()
    return canvas.text()


def _plain(text: str) -> str:
    """Markdown's inline marks taken off; the address of a link stays readable."""
    text = _LINK.sub(r"\1 (\2)", text)
    text = _LOCAL_LINK.sub(r"\1", text)
    # Backticks stay: without colours they alone part a command from the sentence around it.
    return _EMPHASIS.sub(r"\1", text)
