"""Lines of styled text, wrapped to a width; rich paints them where colours are wanted.

Everything that is drawn passes through `inert`, and nothing is read as markup.
"""

from __future__ import annotations

import textwrap
from io import StringIO

from gpudoctor.report.inert import inert, no_command
from gpudoctor.report.style import Style

Span = tuple[str, str] | str
"""Text with a rich style, or without one."""

_UNICODE = {"good": "✓", "warning": "!", "bad": "✗", "unknown": "?", "none": "-"}
_ASCII = {"good": "+", "warning": "!", "bad": "x", "unknown": "?", "none": "-"}


class Canvas:
    """Collects lines; `text()` gives them as one string, painted or plain."""

    def __init__(self, style: Style) -> None:
        self._style = style
        self._lines: list[list[tuple[str, str]]] = []

    @property
    def links(self) -> bool:
        """Whether the terminal takes hyperlinks."""
        return self._style.links

    def mark(self, name: str) -> str:
        """The symbol of a mark, in what the stream can encode."""
        return (_UNICODE if self._style.unicode else _ASCII)[name]

    def blank(self) -> None:
        """An empty line, but never two."""
        if self._lines and self._lines[-1]:
            self._lines.append([])

    def line(self, *spans: Span) -> None:
        """Spans wrapped at the width."""
        self.hanging(*spans, indent=0)

    def paragraph(self, text: str, *, indent: int = 0, style: str = "") -> None:
        """Prose, wrapped and indented; line breaks in it stay."""
        for part in text.split("\n"):
            for row in self._wrap(inert(part), indent) or [""]:
                self._lines.append([(" " * indent + row, style)])

    def raw(self, text: str, *, indent: int = 0, style: str = "") -> None:
        """A command: one line however long it is, so that it can be copied."""
        for part in text.split("\n"):
            self._lines.append([(" " * indent, ""), (inert(part), style)])

    def hanging(self, *spans: Span, indent: int | None = None) -> None:
        """A line whose last span wraps under itself."""
        pairs = [(span, "") if isinstance(span, str) else span for span in spans]
        *head, (tail, tail_style) = pairs
        lead = [(inert(text), style) for text, style in head]
        taken = sum(len(text) for text, _ in lead)
        margin = min(taken if indent is None else indent, max(0, self._style.width - 30))
        # The first row has less room where the lead is longer than the margin.
        filler = "\0" * max(0, taken - margin)
        rows = self._wrap(filler + inert(tail), margin) or [""]
        self._lines.append([*lead, (rows[0].removeprefix(filler), tail_style)])
        self._lines.extend([(" " * margin + row, tail_style)] for row in rows[1:])

    def text(self) -> str:
        """All lines, ended by a newline."""
        if self._style.color:
            return self._painted()
        plain = ("".join(text for text, _ in line).rstrip() for line in self._lines)
        return "\n".join(plain) + "\n"

    def _wrap(self, text: str, indent: int) -> list[str]:
        width = max(20, self._style.width - indent)
        lines = textwrap.wrap(
            text, width, break_long_words=False, break_on_hyphens=False, drop_whitespace=True
        )
        return [no_command(line) for line in lines]  # a break may have made one

    def _painted(self) -> str:
        from rich.console import Console
        from rich.text import Text

        buffer = StringIO()
        console = Console(
            file=buffer,
            force_terminal=True,
            color_system="standard",
            width=max(self._style.width, 40),
            highlight=False,
            markup=False,
            emoji=False,
            legacy_windows=False,
        )
        for line in self._lines:
            console.print(
                Text.assemble(*line), soft_wrap=True, no_wrap=True, overflow="ignore", crop=False
            )
        return buffer.getvalue()
