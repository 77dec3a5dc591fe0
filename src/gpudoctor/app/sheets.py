"""A saved machine, as a caller may hand it in."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from gpudoctor import arguments as given
from gpudoctor.errors import UsageError
from gpudoctor.model.sheet import FactSheet

Facts = str | bytes | os.PathLike[str] | Mapping[str, Any]
"""A fact sheet or a report: its path, its text, or what its JSON says."""


def split_names(names: Sequence[str]) -> tuple[str, ...]:
    """`--ignore GPU201,GPU305 --ignore name` → three names."""
    return tuple(n.strip() for entry in names for n in entry.split(",") if n.strip())


def saved_sheet(facts: Facts, name: str) -> FactSheet:
    """The sheet of a saved machine, with what follows from it filled in."""
    from gpudoctor.examine.complete import complete
    from gpudoctor.model.factfile import parse_sheet

    if isinstance(facts, Mapping):
        import json

        facts = json.dumps(facts)
    elif isinstance(facts, os.PathLike) or (
        isinstance(facts, str) and not facts.lstrip("\ufeff \t\r\n").startswith("{")
    ):
        path = given.text("facts", facts) or ""
        name = name or path
        try:
            with open(path, "rb") as file:
                facts = file.read()
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or "it is no file name"
            raise UsageError(f"{path} cannot be read: {why}") from None
    elif not isinstance(facts, str | bytes):
        raise UsageError(f"facts takes a path, a text or a dict, not a {type(facts).__name__}")
    called = "standard input" if name == "-" else name or "the fact sheet"
    return complete(parse_sheet(facts, called))
