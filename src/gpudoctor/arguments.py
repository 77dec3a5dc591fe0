"""Arguments of the Python functions, checked first: one sentence says what is wrong with which."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gpudoctor.errors import UsageError


def text(name: str, value: Any) -> str | None:
    """A text, a path, or nothing.

    Raises:
        UsageError: it is something else.
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, os.PathLike):
        path = os.fspath(value)
        return path if isinstance(path, str) else os.fsdecode(path)
    raise UsageError(f"{name} takes a text, not {_shown(value)}")


def version(name: str, value: Any, example: str) -> str | None:
    """A version as text; a whole number is one too, a fraction is not (3.10 would be 3.1).

    Raises:
        UsageError: it is something else.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if value is None or isinstance(value, str):
        return value
    raise UsageError(f"{name} takes a version as text, such as {example!r}, not {_shown(value)}")


def texts(name: str, value: Any) -> tuple[str, ...]:
    """Several texts; a single one stands for itself.

    Raises:
        UsageError: it holds something else.
    """
    if value is None:
        return ()
    if isinstance(value, str | os.PathLike):
        value = (value,)
    if not isinstance(value, Iterable) or isinstance(value, bytes | Mapping):
        raise UsageError(f"{name} takes a list of texts, not {_shown(value)}")
    found = [text(name, item) for item in value]
    if any(item is None for item in found):
        raise UsageError(f"{name} takes a list of texts, and one of them is None")
    return tuple(item for item in found if item is not None)


def flag(name: str, value: Any) -> bool:
    """True or false.

    Raises:
        UsageError: it is something else.
    """
    if isinstance(value, bool):
        return value
    raise UsageError(f"{name} takes True or False, not {_shown(value)}")


def seconds(name: str, value: Any) -> float | None:
    """A length of time.

    Raises:
        UsageError: it is no number, not above 0, or more than a million seconds.
    """
    if value is None:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e6:
        return float(value)
    raise UsageError(f"{name} takes a number of seconds above 0, not {_shown(value)}")


def one_of(name: str, value: Any, choices: Sequence[str]) -> str:
    """One of some words.

    Raises:
        UsageError: it is none of them.
    """
    if isinstance(value, str) and value in choices:
        return value
    *most, last = choices
    raise UsageError(f"{name} takes {', '.join(most)} or {last}, not {_shown(value)}")


def whole(name: str, value: Any, least: int = 0) -> int:
    """A whole number.

    Raises:
        UsageError: it is none, or too small.
    """
    if isinstance(value, int) and not isinstance(value, bool) and value >= least:
        return value
    raise UsageError(f"{name} takes a whole number from {least} on, not {_shown(value)}")


def readable(name: str, value: Any) -> None:
    """Refuse what is no text to be read.

    Raises:
        UsageError: it is neither text nor bytes.
    """
    if not isinstance(value, str | bytes):
        raise UsageError(f"{name} takes a text, not {_shown(value)}")


def _shown(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."
