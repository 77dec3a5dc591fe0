"""The description of a kept environment on disk: whole or not at all, and checked when read."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from typing import Any

from gpudoctor.errors import FixFailedError
from gpudoctor.fix.environment.confined import OutsideError, components
from gpudoctor.fix.environment.parts import Environment, Part
from gpudoctor.fix.environment.tree import TreeEntry
from gpudoctor.fix.keeping.vault import Vault
from gpudoctor.model.value import dataclass

FORMAT = 1
_KINDS = ("file", "folder", "link")
_NO_DESCRIPTION = (
    *(OutsideError, ValueError, TypeError, LookupError, AttributeError),
    *(OverflowError, RecursionError),  # an infinite size; lists in lists without an end
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """An environment, and where its files are kept."""

    environment: Environment
    vaults: tuple[Vault, ...]
    """One for each part, in their order."""
    sums: tuple[Mapping[str, int], ...]
    """CRC-32 of each file that was copied, for each part: path → sum. The others are links."""


def write(kept: Kept, path: str) -> dict[str, Any]:
    """Keep the description in a file; what the journal must say to know it again."""
    parts = [
        {
            "name": part.name,
            "path": part.path,
            "mode": part.mode,
            "others": list(part.others),
            "recorded": part.recorded,
            "project": part.project,
            "beyond": list(part.beyond),
            "vault": vault.path,
            "token": vault.token,
            "tree": [
                [name, e.kind, e.mode, e.size, e.mtime_ns, e.target, sums.get(name), e.inode]
                for name, e in part.tree.items()
            ],
        }
        for part, vault, sums in zip(kept.environment.parts, kept.vaults, kept.sums, strict=True)
    ]
    recorded = sorted(kept.environment.recorded)
    data = json.dumps({"format": FORMAT, "recorded": recorded, "parts": parts}).encode()
    write_whole(path, data)
    return {"length": len(data), "sha256": _digest(data)}


def read(path: str, expected: Mapping[str, Any]) -> Kept:
    """The description that `write` kept.

    Raises:
        FixFailedError: it is gone, damaged, or not the one that the journal knows.
    """
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        raise FixFailedError(f"{path} cannot be read: {error.strerror}") from None
    if len(data) != expected.get("length") or _digest(data) != expected.get("sha256"):
        raise FixFailedError(f"{path} is damaged")
    return parse(data, path)


def parse(data: bytes, path: str) -> Kept:
    """The description that these bytes hold; `path` is for what is said.

    Raises:
        FixFailedError: they hold none.
    """
    try:
        document = json.loads(data)
        parts = [_part(row) for row in document["parts"]]
        if not parts:
            raise ValueError("an environment has a part at least")
        return Kept(
            environment=Environment(
                parts=tuple(part for part, _, _ in parts),
                recorded=frozenset(map(str, document["recorded"])),
            ),
            vaults=tuple(vault for _, vault, _ in parts),
            sums=tuple(sums for _, _, sums in parts),
        )
    except _NO_DESCRIPTION:
        raise FixFailedError(f"{path} does not hold what it should") from None


def write_whole(path: str, data: bytes) -> None:
    """Write a file so that whoever looks sees all of it or the one before."""
    partial = f"{path}.partial"
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | _BINARY, 0o600)
    try:
        write_all(descriptor, data)
        os.fsync(descriptor)
    except OSError as error:
        error.filename = path  # whose disk is full
        raise
    finally:
        os.close(descriptor)
    os.replace(partial, path)


def write_all(descriptor: int, data: bytes) -> None:
    """Write every byte; the system may take fewer at a time."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


_BINARY = getattr(os, "O_BINARY", 0)


def _part(row: Mapping[str, Any]) -> tuple[Part, Vault, dict[str, int]]:
    tree: dict[str, TreeEntry] = {}
    sums: dict[str, int] = {}
    for name, kind, mode, size, mtime, target, crc, inode in row["tree"]:
        components(name)
        if kind not in _KINDS:
            raise ValueError(kind)
        tree[name] = TreeEntry(kind, int(mode), int(size), int(mtime), str(target), int(inode))
        if crc is not None:
            sums[name] = int(crc)
    path, vault = str(row["path"]), str(row["vault"])
    if not (os.path.isabs(path) and os.path.isabs(vault)):
        raise ValueError(path)
    part = Part(
        name=str(row["name"]),
        path=path,
        mode=int(row["mode"]),
        tree=tree,
        others=tuple(map(str, row["others"])),
        recorded=bool(row["recorded"]),
        project=bool(row.get("project", False)),
        beyond=tuple(map(str, row.get("beyond", ()))),
    )
    return part, Vault(path=vault, token=str(row["token"])), sums


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
