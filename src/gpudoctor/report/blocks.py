"""What a report consists of once its words are chosen: a few kinds of blocks, in sections.

`document.py` makes them; every writer draws all of them in its format and decides nothing else.
"""

from __future__ import annotations

from typing import Literal

from gpudoctor.model.finding import Finding
from gpudoctor.model.report import Report, Verdict
from gpudoctor.model.value import dataclass
from gpudoctor.report.style import Shell

Mark = Literal["good", "warning", "bad", "unknown", "none"]
VERDICT_MARKS: dict[Verdict, Mark] = {
    "healthy": "good",
    "warning": "warning",
    "broken": "bad",
    "unknown": "unknown",
}
Kind = Literal["layers", "finding", "cure", "others", "tests", "facts"]


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a table: a layer of the stack, a kernel test."""

    mark: Mark
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Prose."""

    text: str


@dataclass(frozen=True, slots=True)
class Item:
    """A labelled sentence: `proof`, `look`, `now`, `note`, `or`, `because`, `missing` …"""

    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Command:
    """What is typed, as one line, for the shell of the machine that was examined."""

    text: str
    shell: Shell = "posix"
    foreign: bool = False
    """Whether it is typed in another shell than the machine's own (on Windows, about WSL)."""


@dataclass(frozen=True, slots=True)
class Page:
    """Where more is said about a finding: its code, and its page's address if there is one."""

    code: str
    url: str | None = None


Block = Row | Paragraph | Item | Command | Page


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Blocks under one heading; `finding` is there where the section is about one."""

    kind: Kind
    title: str = ""
    mark: Mark | None = None
    finding: Finding | None = None
    blocks: tuple[Block, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A whole report: the verdict in one sentence, then sections in the order of reading."""

    headline: str
    report: Report
    sections: tuple[Section, ...] = ()
