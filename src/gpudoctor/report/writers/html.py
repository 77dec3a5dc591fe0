"""The report as one self-contained HTML page: no script, nothing fetched."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape as escape_html

from gpudoctor.kb.findings import pages
from gpudoctor.report.blocks import (
    Block,
    Command,
    Document,
    Item,
    Page,
    Row,
    Section,
)
from gpudoctor.report.inert import inert
from gpudoctor.report.style import Style
from gpudoctor.report.views.documentation import sections_of

_SYMBOLS = {"good": "✓", "warning": "!", "bad": "✗", "unknown": "?", "none": "–"}
_CSS = """
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;width:100%}td{padding:.2rem .6rem;vertical-align:top}
pre{background:#8882;padding:.7rem;overflow-x:auto;user-select:all}
.good,.healthy{color:#1a7f37}.warning{color:#9a6700}.bad,.broken,.error{color:#cf222e}
.unknown{color:#8250df}.none,.info,small{color:#777}
:root{color-scheme:light dark}
"""


def write(document: Document, style: Style) -> str:  # noqa: ARG001 - every format takes a style
    """The document as one HTML page."""
    return page(fragment(document))


def page(inside: str) -> str:
    """A whole page around `inside`."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>gpudoctor</title><style>{_CSS}</style></head><body>\n{inside}</body></html>\n"
    )


def fragment(document: Document) -> str:
    """The document's inside, for a page or a notebook that has its own head."""
    report = document.report
    title = document.headline or "gpudoctor: plan"
    parts = [f'<h1 class="{report.verdict}">{text(title)}</h1>\n']
    parts += [_section(section) for section in document.sections]
    parts.append(
        f"<p><small>gpudoctor {text(report.version)}, "
        f"knowledge of {text(report.knowledge.date)}</small></p>\n"
    )
    return "".join(parts)


def text(given: str) -> str:
    """Text in which nothing is markup."""
    return escape_html(inert(given))


def _section(section: Section) -> str:
    finding = section.finding
    head = ""
    if finding is not None:
        name = f"{finding.code} <small>{text(finding.name)}</small>"
        head = f'<h2 class="{finding.severity.value}">{name} {text(section.title)}</h2>\n'
    elif section.title:
        head = f"<h2>{text(section.title)}</h2>\n"
    return head + "".join(_drawn(section.blocks))


def _drawn(blocks: Iterable[Block]) -> Iterator[str]:
    """Blocks one after the other; rows in a row are one table, items one list."""
    opened: type | None = None
    for block in blocks:
        kind = type(block) if isinstance(block, Row | Item) else None
        if kind is not opened:
            yield _CLOSE[opened] + _OPEN[kind]
            opened = kind
        yield _block(block)
    yield _CLOSE[opened]


_OPEN: dict[type | None, str] = {Row: "<table>\n", Item: "<ul>\n", None: ""}
_CLOSE: dict[type | None, str] = {Row: "</table>\n", Item: "</ul>\n", None: ""}


def _block(block: Block) -> str:
    if isinstance(block, Row):
        return (
            f'<tr><td class="{block.mark}">{_SYMBOLS[block.mark]}</td>'
            f"<td>{text(block.name)}</td><td>{text(block.text)}</td></tr>\n"
        )
    if isinstance(block, Item):
        return f"<li><small>{text(block.label)}</small> {text(block.text)}</li>\n"
    if isinstance(block, Command):
        return f"<pre>{escape_html(inert(block.text, one_line=False))}</pre>\n"
    if isinstance(block, Page):
        return _page(block)
    return f"<p>{'<br>'.join(map(text, block.text.split(chr(10))))}</p>\n"


def _page(block: Page) -> str:
    """What the page about a finding says, folded away; its address where it has one."""
    known = pages.page(block.code)
    said = f"gpudoctor explain {block.code}"
    link = f'<p><a href="{escape_html(block.url)}">{block.code}</a></p>\n' if block.url else ""
    if known is None:
        return link or f"<p><code>{said}</code> says more.</p>\n"
    inside = "".join(_section(section) for section in sections_of(known))
    return f"<details><summary><code>{said}</code></summary>\n{inside}</details>\n{link}"
