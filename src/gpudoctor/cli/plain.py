"""Plain command lines, read without typer.

Importing typer takes 40 to 55 ms, more than most commands need for the rest. The forms that people
and scripts type most are read here; whatever is not plain (help, `--option=value`, mistakes) is
left to typer, and both end in the same `CommandDefinition.call`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def read(
    arguments: Sequence[str],
    *,
    flags: Mapping[str, tuple[str, object]],
    values: Mapping[str, str],
    lists: Mapping[str, str],
    words: str | None = None,
) -> dict[str, Any] | None:
    """The keyword arguments that a plain command line stands for; `None`: it is not plain.

    Args:
        arguments: what follows the command's name.
        flags: option → (keyword, value).
        values: option → keyword of its value.
        lists: options that may come more than once → keyword of their list.
        words: the keyword of the list of words that are no options; `None`: there are none.
    """
    chosen: dict[str, Any] = {}
    rest = iter(arguments)
    for word in rest:
        if word in flags:
            name, value = flags[word]
        elif word in values or word in lists:
            value = next(rest, "--")
            if value.startswith("-") and value != "-":
                return None
            if word in lists:
                chosen.setdefault(lists[word], []).append(value)
                continue
            name = values[word]
        elif words is not None and (word == "-" or not word.startswith("-")):
            chosen.setdefault(words, []).append(word)
            continue
        else:
            return None
        if name in chosen:  # counted, or contradicting: what that means is typer's to say
            return None
        chosen[name] = value
    return chosen
