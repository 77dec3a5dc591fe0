"""The report in a terminal. Prose is wrapped; what is to be typed never is, so it can be copied."""

from __future__ import annotations

from gpudoctor.report.blocks import (
    Block,
    Command,
    Document,
    Item,
    Mark,
    Page,
    Paragraph,
    Row,
    Section,
)
from gpudoctor.report.style import Style
from gpudoctor.report.writers.canvas import Canvas

MARK_STYLES: dict[Mark, str] = {
    "good": "green",
    "warning": "yellow",
    "bad": "bold red",
    "unknown": "magenta",
    "none": "dim",
}
_VERDICTS = {
    "healthy": "bold green",
    "warning": "bold yellow",
    "broken": "bold red",
    "unknown": "bold magenta",
}
_LABELS = {"or": "cyan", "note": "yellow", "missing": "magenta", "not judged": "magenta"}
_LABEL_WIDTH = 5
_NAME_WIDTH = 30
_FOREIGN = {"posix": "in the Linux shell", "powershell": "in PowerShell", "cmd": "in cmd"}


def write(document: Document, style: Style) -> str:
    """The document as text for a terminal of `style.width` columns."""
    canvas = Canvas(style)
    if document.headline:
        canvas.line((document.headline, _VERDICTS[document.report.verdict]))
    for section in document.sections:
        canvas.blank()
        _heading(canvas, section)
        indent = 2 if section.title else 0
        names = [len(block.name) for block in section.blocks if isinstance(block, Row)]
        width = min(max(names, default=0), _NAME_WIDTH)
        before: Block | None = None
        for block in section.blocks:
            if isinstance(block, Paragraph) and before is not None and section.kind != "finding":
                canvas.blank()
            _draw(canvas, block, indent, width)
            before = block
    return canvas.text()


def _heading(canvas: Canvas, section: Section) -> None:
    mark = section.mark
    finding = section.finding
    if finding is not None and mark is not None:
        canvas.hanging(
            (f"{canvas.mark(mark)} ", MARK_STYLES[mark]),
            (f"{finding.code} ", "bold"),
            (f"{finding.name}  ", "dim"),
            section.title,
            indent=2,
        )
    elif section.title:
        canvas.line((section.title, MARK_STYLES[mark] if mark else "bold"))


def _draw(canvas: Canvas, block: Block, indent: int, width: int) -> None:
    """One block; `width` is that of the names in the section's rows."""
    if isinstance(block, Row):
        style = MARK_STYLES[block.mark]
        lead = " " * indent + f"{canvas.mark(block.mark)} "
        margin = len(lead) + width + 2 if len(block.name) <= width else len(lead) + 2
        name = f"{block.name:<{width}}  "
        canvas.hanging((lead, style), (name, "bold"), block.text, indent=margin)
    elif isinstance(block, Item):
        label = " " * (2 * indent) + f"{block.label:<{_LABEL_WIDTH if indent else 0}}  "
        canvas.hanging((label, _LABELS.get(block.label, "dim")), block.text)
    elif isinstance(block, Command):
        if block.foreign:
            canvas.paragraph(f"({_FOREIGN[block.shell]})", indent=4, style="dim")
        canvas.raw(block.text, indent=4, style="bold cyan")
    elif isinstance(block, Page):
        link = f"dim link {block.url}" if block.url and canvas.links else "dim"
        said = f"gpudoctor explain {block.code}"
        canvas.hanging(("    ", ""), (said, link), (" says more.", "dim"), indent=4)
    else:
        canvas.paragraph(block.text, indent=indent)
