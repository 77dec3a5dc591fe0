"""Lock files of many `[[package]]` tables, of which only those about torch are parsed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from gpudoctor.kb.software import packages as kb_packages
from gpudoctor.manifests.install_file import line_at
from gpudoctor.manifests.readers.toml_file import parse, rows
from gpudoctor.manifests.source_files import SourceFile
from gpudoctor.manifests.universe import stack
from gpudoctor.model.value import dataclass

_NAME = re.compile(r'^name = "([^"]+)"', re.M)


@dataclass(frozen=True, slots=True)
class LockEntry:
    """One entry of a lock: its name, its text, where it begins."""

    name: str
    text: str
    position: int


@cache
def matters(name: str) -> bool:
    """Whether a package is judged with torch."""
    return stack(name) or name in kb_packages.kernel_packages() or (
        kb_packages.library_of(name) is not None
    )  # fmt: skip


def split(source: SourceFile, table: str) -> tuple[str, list[LockEntry], str]:
    """What stands before the `[[table]]` entries, the entries, and what stands after them.

    An entry ends where a table begins that is not its own.
    """
    text = source.text
    starts = list(_starts(text, f"[[{table}]]"))
    if not starts:
        return text, [], ""
    own = re.compile(rf"^\[(?!\[?{table}[\].])", re.M)
    tail = own.search(text, starts[-1])
    end = tail.start() if tail else len(text)
    entries = []
    for start, stop in zip(starts, [*starts[1:], end], strict=True):
        body = text[start:stop]
        name = _NAME.search(body, 0, 2000)
        if name:
            entries.append(LockEntry(name[1], body, start))
    return text[: starts[0]], entries, text[end:]


def _starts(text: str, head: str) -> Iterator[int]:
    """Where lines stand that hold a head and nothing else."""
    at = text.find(head)
    while at >= 0:
        after = at + len(head)
        end = text.find("\n", after)
        if (at == 0 or text[at - 1] == "\n") and end >= 0 and not text[after:end].strip(" \t"):
            yield at
        at = text.find(head, after)


def row_of(source: SourceFile, entry: LockEntry, table: str) -> Mapping[str, Any]:
    """An entry as tables.

    Raises:
        UsageError: it is no TOML.
    """
    found = rows(parse(source, entry.text).get(table))
    return found[0] if found and isinstance(found[0], Mapping) else {}


def line_of_entry(source: SourceFile, entry: LockEntry) -> int:
    """The line of an entry's name."""
    return line_at(source.text, entry.position) + 1
