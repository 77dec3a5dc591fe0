"""The report as Markdown, for an issue or a merge request."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gpudoctor.report.blocks import (
    Block,
    Command,
    Document,
    Item,
    Page,
    Paragraph,
    Row,
    Section,
)
from gpudoctor.report.inert import inert
from gpudoctor.report.style import Style

# An underscore between letters or digits is no markup (CommonMark, "Emphasis"): sm_120 stays.
_SPECIAL = re.compile(r"([\\`*{}\[\]<>#|!~@&]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9]))")
_MARKS = {"good": "✅", "warning": "⚠️", "bad": "❌", "unknown": "❔", "none": "➖"}
_LANGUAGES = {"posix": "sh", "powershell": "powershell", "cmd": "bat"}


def write(document: Document, style: Style) -> str:  # noqa: ARG001 - every format takes a style
    """The document as one Markdown text."""
    report = document.report
    lines = [f"## gpudoctor: {escape(document.headline or 'plan')}"]
    for section in document.sections:
        lines += _section(section)
    lines += ["", f"gpudoctor {report.version}, knowledge of {report.knowledge.date}."]
    return "\n".join(lines) + "\n"


def escape(text: str) -> str:
    """Text in which nothing is markup, a link, a mention or HTML."""
    return _SPECIAL.sub(r"\\\1", inert(text))


def fenced(text: str, language: str = "sh") -> list[str]:
    """A code block whose fence is longer than any run of backticks in `text`."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return [f"{fence}{language}", inert(text, one_line=False), fence]


def _section(section: Section) -> Iterator[str]:
    finding = section.finding
    if finding is not None:
        head = f"{finding.severity.value} {finding.code} {escape(finding.name)}"
        yield from ("", f"### {head}: {escape(section.title)}")
    elif section.title:
        yield from ("", f"### {escape(section.title)}")
    before: Block | None = None
    for block in section.blocks:
        yield from _block(block, before)
        before = block


def _block(block: Block, before: Block | None) -> Iterator[str]:
    if not (type(block) is type(before) and isinstance(block, Row | Item)):
        yield ""
    if isinstance(block, Row):
        if not isinstance(before, Row):
            yield from ("| | | |", "|---|---|---|")
        yield f"| {_MARKS[block.mark]} | {escape(block.name)} | {escape(block.text)} |"
    elif isinstance(block, Item):
        yield f"- {block.label}: {escape(block.text)}"
    elif isinstance(block, Command):
        yield from fenced(block.text, _LANGUAGES[block.shell])
    elif isinstance(block, Page):
        more = f"[{block.code}]({block.url})" if block.url else f"`gpudoctor explain {block.code}`"
        yield f"{more} says more."
    elif isinstance(block, Paragraph):
        yield escape_lines(block.text)


def escape_lines(text: str) -> str:
    """The same for prose of several lines, whose breaks stay."""
    return "  \n".join(escape(line) for line in text.split("\n"))
