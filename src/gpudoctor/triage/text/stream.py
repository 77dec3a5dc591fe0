"""Long files, read in pieces: what is kept of them is bounded, whatever their length."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from itertools import zip_longest
from typing import BinaryIO

from gpudoctor.kb.findings import signatures
from gpudoctor.triage.text.clean import clean, encoding
from gpudoctor.triage.text.cleaned_text import Text, fold

WHOLE = 256 * 2**10
"""Up to this many bytes a text is judged whole."""
_CHUNK = 4 * 2**20
_OVERLAP = 256
_HEAD = 48 * 2**10
_TAIL = 96 * 2**10
_PIECES = 160 * 2**10
_BEFORE = 1500
_AFTER = 1500
# How many places of one anchor are kept, from the beginning and from the end of the file.
_FIRST, _LAST = 3, 2
# How many anchors are searched for in one piece after its words have ruled the others out.
_SEARCHES = 80
# Words of which one stands in nearly every message, and hardly ever in encoded data.
_GATE = (
    b"nvidia",
    b"driver",
    b"error:",
    b"pytorch",
    b"torch.",
    b"cuda e",
    b"no cuda",
    b"failed",
    b"cannot ",
    b"memory",
    b"device",
    b"symbol",
    b"winerror",
    b"triton",
)
_TEXT = bytes(range(32, 127)) + b"\t\n\r\x1b" + bytes(range(0xC2, 0xF5)) + bytes(range(0x80, 0xC0))


def read(stream: BinaryIO) -> Text:
    """Read a text to its end.

    A long one (a training log of gigabytes) is cut to its beginning, its end, and what stands
    around the first and last places of every anchor of the signatures.
    """
    head = _fill(stream, WHOLE + 1)
    kind = encoding(head[:4096])
    if len(head) <= WHOLE:
        return fold(clean(head.decode(kind, "replace")))
    return _condense(stream, head, kind)


def _fill(stream: BinaryIO, size: int) -> bytes:
    """Up to `size` bytes; pipes give less at a time."""
    parts: list[bytes] = []
    missing = size
    while missing > 0 and (part := stream.read(missing)):
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)


def _condense(stream: BinaryIO, head: bytes, kind: str) -> Text:
    needles = tuple(anchor.encode() for anchor in signatures.anchors())
    first: dict[bytes, list[tuple[int, bytes]]] = {}
    last: dict[bytes, deque[tuple[int, bytes]]] = {}
    utf16 = kind.startswith("utf-16")
    order = "utf-16-be" if kind.endswith("be") or head[:2] == b"\xfe\xff" else "utf-16-le"
    offset = 0
    carry = b""
    tail = b""
    beginning = b""
    chunk = head + _fill(stream, _CHUNK)
    while chunk:
        if utf16:
            spare = b"" if len(chunk) % 2 == 0 else _fill(stream, 1)
            chunk = (chunk + spare).decode(order, "replace").encode()
        window = carry + chunk
        if not beginning:
            beginning = window[:_HEAD]
        _scan(window, offset - len(carry), needles, first, last)
        tail = (tail + chunk)[-_TAIL:]
        offset += len(chunk)
        carry = window[-_OVERLAP:]
        chunk = _fill(stream, _CHUNK)
    pieces = _chosen([*first.values(), *last.values()])
    excerpt = [beginning]
    end = len(beginning)
    for start, piece in sorted(pieces):
        if start + len(piece) <= end or start >= offset - len(tail):
            continue
        # What follows on seamlessly must not be torn apart by a line end.
        excerpt += [piece[end - start :]] if start <= end else [b"\n", piece]
        end = start + len(piece)
    excerpt += [b"\n", tail]
    text = b"".join(excerpt).decode("utf-8-sig", "replace")
    return fold(clean(text), cut=True)


def _chosen(places: Iterable[Sequence[tuple[int, bytes]]]) -> set[tuple[int, bytes]]:
    """The first place of every anchor, then the second, and so on, as far as the room goes."""
    chosen: set[tuple[int, bytes]] = set()
    room = _PIECES
    for row in zip_longest(*places):
        for piece in row:
            if piece is not None and piece not in chosen and len(piece[1]) <= room:
                chosen.add(piece)
                room -= len(piece[1])
    return chosen


def _scan(
    window: bytes,
    base: int,
    needles: tuple[bytes, ...],
    first: dict[bytes, list[tuple[int, bytes]]],
    last: dict[bytes, deque[tuple[int, bytes]]],
) -> None:
    """Note where anchors stand in one piece of the text.

    A search of the whole piece for each of hundreds of anchors would take a second a megabyte.
    Its words, each once, are a small fraction of it and rule nearly all anchors out.
    """
    if len(window.translate(None, _TEXT)) > 0.08 * len(window):
        return  # no text: a core dump, a binary
    lowered = window.lower()
    words = b" ".join(set(lowered.split()))
    if len(words) > 0.5 * len(window) and not any(word in lowered for word in _GATE):
        return  # words that hardly repeat: encoded data
    likely = [needle for needle in needles if all(part in words for part in needle.split())]
    # What was found three times over stands back behind what was not found yet.
    likely.sort(key=lambda needle: len(first.get(needle, ())))
    for needle in likely[:_SEARCHES]:
        position = lowered.find(needle)
        if position < 0:
            continue
        kept = first.setdefault(needle, [])
        while position >= 0 and len(kept) < _FIRST:
            kept.append(_around(window, position, base))
            position = lowered.find(needle, position + _AFTER)
        if position >= 0:
            position = lowered.rfind(needle)
            last.setdefault(needle, deque(maxlen=_LAST)).append(_around(window, position, base))


def _around(window: bytes, position: int, base: int) -> tuple[int, bytes]:
    start = window.rfind(b"\n", 0, max(0, position - _BEFORE)) + 1
    start = max(start, position - 2 * _BEFORE)
    end = window.find(b"\n", position + _AFTER)
    end = position + 2 * _AFTER if end < 0 else min(end, position + 2 * _AFTER)
    return base + start, window[start:end]
