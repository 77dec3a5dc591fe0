"""The documents of many machines, one after the other: files, JSON lines, folders, stdin.

Nothing is held but the document at hand; what cannot be read is named, and the rest goes on.
"""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

from gpudoctor.errors import UsageError
from gpudoctor.model.factfile import MAX_BYTES
from gpudoctor.model.value import dataclass

_ENDINGS = (".json", ".jsonl", ".ndjson")


@dataclass(frozen=True, slots=True)
class MachineDocument:
    """What one machine left: its name, by file or line, and its JSON."""

    name: str
    value: Any


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A file, or a line of one, that holds no machine, and why."""

    path: str
    reason: str


def documents(sources: Sequence[str]) -> Iterator[MachineDocument | Unreadable]:
    """Every document under `sources`, in their order; folders are gone through by name.

    Raises:
        UsageError: a source is not there at all.
    """
    for source in sources:
        if source != "-" and not os.path.exists(source):
            raise UsageError(f"{source} cannot be read: there is no such file or folder")
    for source in sources:
        if source == "-":
            yield from _of_stream(sys.stdin.buffer, "standard input")
        elif os.path.isdir(source):
            for path in _files(source):
                yield from _of_file(path)
        else:
            yield from _of_file(source)


def _files(folder: str) -> Iterator[str]:
    for place, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(files):
            if name.lower().endswith(_ENDINGS):
                yield os.path.join(place, name)


def _of_file(path: str) -> Iterator[MachineDocument | Unreadable]:
    try:
        with open(path, "rb") as stream:
            yield from _of_stream(stream, path)
    except OSError as error:
        yield Unreadable(path, error.strerror or "it cannot be read")


def _of_stream(stream: BinaryIO, path: str) -> Iterator[MachineDocument | Unreadable]:
    """One JSON document, or one a line where the first line is a whole one."""
    first = stream.readline(MAX_BYTES + 1)
    if first[:2] in (b"\xff\xfe", b"\xfe\xff"):  # what PowerShell's `>` writes
        rest = stream.read(MAX_BYTES + 1)
        stream = io.BytesIO((first + rest).decode("utf-16", "replace").encode())
        first = stream.readline()
    name = os.path.basename(path).rsplit(".", 1)[0] if path != "standard input" else path
    value = _parsed(first)
    if isinstance(value, dict):
        following = next((line for line in _lines(stream) if line.strip()), None)
        if following is None:
            yield MachineDocument(name, value)
            return
        yield MachineDocument(_named(value, f"{name}:1"), value)
        yield from _of_lines(following, stream, name, path)
        return
    whole = first + stream.read(MAX_BYTES + 1 - len(first))
    if len(whole) > MAX_BYTES:
        yield Unreadable(path, f"it is larger than {MAX_BYTES // 2**20} MiB")
        return
    value = _parsed(whole)
    if isinstance(value, list):
        for number, item in enumerate(value, 1):
            yield MachineDocument(_named(item, f"{name}:{number}"), item)
    elif isinstance(value, str):
        yield Unreadable(path, value)
    else:
        yield MachineDocument(name, value)


def _of_lines(
    following: bytes, stream: BinaryIO, name: str, path: str
) -> Iterator[MachineDocument | Unreadable]:
    line: bytes | None = following
    number = 1
    while line is not None:
        if line.strip():
            number += 1
            value = _parsed(line)
            if isinstance(value, str):
                yield Unreadable(f"{path}:{number}", value)
            else:
                yield MachineDocument(_named(value, f"{name}:{number}"), value)
        line = next(_lines(stream), None)


def _lines(stream: BinaryIO) -> Iterator[bytes]:
    while line := stream.readline(MAX_BYTES + 1):
        yield line


def _named(value: Any, otherwise: str) -> str:
    """The name that a line gives itself, else its place."""
    if isinstance(value, dict):
        for key in ("machine", "hostname"):
            if isinstance(value.get(key), str) and value[key]:
                return str(value[key])
    return otherwise


def _parsed(data: bytes) -> Any:
    """The JSON value; a text is the reason why there is none."""
    if not data.strip():
        return "it is empty"
    try:
        value = json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return "it is not text"
    except RecursionError:
        return "it is nested too deeply"
    except ValueError:
        return "it is not JSON"
    return "it is a text" if isinstance(value, str) else value
