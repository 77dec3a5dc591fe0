"""Plain command lines, read without typer.

Importing typer takes 40 to 55 ms, more than half of a scan and a third of a check or a plan. The
commands that people and scripts start most read their common options here; whatever is not plain
(help, other options, `--option=value`, mistakes) is left to typer, whose function ends in the same
`execute`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

REPORT_FLAGS: Mapping[str, tuple[str, object]] = {
    "--json": ("format_", "json"),
    "-q": ("quiet", True),
    "--quiet": ("quiet", True),
    "-v": ("verbose", 1),
    "--verbose": ("verbose", 1),
}
"""The options without a value that every report knows."""


def read(
    arguments: Sequence[str],
    *,
    flags: Mapping[str, tuple[str, object]],
    values: Collection[str] | Mapping[str, str],
    lists: Mapping[str, str] | None = None,
    paths: str | None = None,
) -> dict[str, Any] | None:
    """The keyword arguments that a plain command line stands for; `None`: it is not plain.

    Args:
        arguments: what follows the command's name.
        flags: option → (keyword, value).
        values: options whose value goes to the keyword of their name, or to the one given.
        lists: options that may come more than once → keyword of their list.
        paths: the keyword of the list of words that are no options; `None`: there are none.
    """
    chosen: dict[str, Any] = {}
    many = lists or {}
    rest = iter(arguments)
    for word in rest:
        if word in flags:
            name, value = flags[word]
        elif word in values or word in many:
            value = next(rest, "--")
            if value.startswith("-") and value != "-":
                return None
            if word in many:
                chosen.setdefault(many[word], []).append(value)
                continue
            derived = word[2:].replace("-", "_")
            name = values[word] if isinstance(values, Mapping) else derived
        elif paths is not None and (word == "-" or not word.startswith("-")):
            chosen.setdefault(paths, []).append(word)
            continue
        else:
            return None
        if name in chosen:  # counted, or contradicting: what that means is typer's to say
            return None
        chosen[name] = value
    return chosen
