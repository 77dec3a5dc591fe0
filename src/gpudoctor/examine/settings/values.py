"""Values as people write them in settings: each is taken, or refused in one sentence."""

from __future__ import annotations

import time
from typing import Any

from gpudoctor.errors import UsageError
from gpudoctor.model.requirements.requirement_line import read_line
from gpudoctor.model.requirements.specifier import is_version, specifier_of


def table(where: str, content: Any, keys: tuple[str, ...]) -> dict[str, Any]:
    """The settings of a table by name, `-` and `_` in it being the same.

    Raises:
        UsageError: it is no table, or one of them is no setting; names the nearest.
    """
    given = {key.replace("-", "_"): value for key, value in mapping(where, content).items()}
    for key in given:
        if key not in keys:
            from difflib import get_close_matches  # an import that only a mistake pays for

            near = get_close_matches(key, keys, 1, 0.5)
            hint = f"did you mean {near[0]!r}? " if near else ""
            raise UsageError(f"{key!r} is no setting; {hint}There are {', '.join(keys)}")
    return given


def mapping(where: str, value: Any) -> dict[str, Any]:
    """Names, each with something.

    Raises:
        UsageError: it is no mapping.
    """
    if not isinstance(value, dict):
        raise UsageError(f"{where} takes names, each with a value, not {shown(value)}")
    return {str(name): item for name, item in value.items()}


def texts(where: str, value: Any, example: str) -> list[str]:
    """A list of texts.

    Raises:
        UsageError: it is none; says what one looks like.
    """
    if isinstance(value, list) and all(isinstance(item, str) and item.strip() for item in value):
        return value
    raise UsageError(f"{where} takes a list of texts such as {example}, not {shown(value)}")


def one_of(where: str, value: Any, choices: tuple[Any, ...]) -> Any:
    """One of these values.

    Raises:
        UsageError: it is none of them; names them.
    """
    # 1 == True in Python, and a 1 is no answer to a question of true or false.
    if any(value == choice and type(value) is type(choice) for choice in choices):
        return value
    words = ", ".join(str(choice).lower() for choice in choices)
    raise UsageError(f"{where} takes one of {words}, not {shown(value)}")


def count(where: str, value: Any) -> int | None:
    """A whole number from 0 on; `None` for nothing.

    Raises:
        UsageError: it is none.
    """
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= 0):
        return value
    raise UsageError(f"{where} takes a whole number, not {shown(value)}")


def amount(where: str, value: Any) -> float | None:
    """A number from 0 on; `None` for nothing.

    Raises:
        UsageError: it is none.
    """
    if value is None:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e9:
        return float(value)
    raise UsageError(f"{where} takes a number, not {shown(value)}")


def version(where: str, value: Any) -> str | None:
    """A version, `8.0` and `570` as numbers too; `None` for nothing.

    Raises:
        UsageError: it is none.
    """
    if value is None:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)  # 8.0 and 570 are what people write; 12.10 has to be a text
    if isinstance(value, str) and is_version(value):
        return value
    raise UsageError(f"{where} takes a version such as 12.8, not {shown(value)}")


def specifier(where: str, value: Any) -> str | None:
    """Which versions are meant, as `>=2.6,<2.9`; `None` for nothing.

    Raises:
        UsageError: it says nothing of that kind.
    """
    if value is None:
        return None
    text = str(value) if isinstance(value, float) else value
    if isinstance(text, str) and text.strip():
        try:
            return specifier_of(text)
        except ValueError:
            pass
    raise UsageError(f"{where} takes versions such as '>=2.6,<2.9', not {shown(value)}")


def packages(where: str, value: Any) -> tuple[str, ...]:
    """Requirements as pip takes them, of names and versions alone.

    Raises:
        UsageError: one is none.
    """
    example = "'flash-attn>=2.7'"
    names = texts(where, value, example)
    for text in names:
        plain = read_line(text)
        if plain is None:
            raise UsageError(f"{where} takes requirements such as {example}, not {shown(text)}")
        if plain.marker or plain.url is not None:
            said = f"{where} takes names with versions such as {example}, not {shown(text)}"
            raise UsageError(f"{said}: no marker and no address is judged")
    return tuple(names)


def day(where: str, value: Any) -> str | None:
    """A day as `2026-12-31`, which TOML and YAML read as a date; `None` for nothing.

    Raises:
        UsageError: it is none.
    """
    if value is None:
        return None
    text = value.isoformat()[:10] if hasattr(value, "isoformat") else str(value)
    try:
        return time.strftime("%Y-%m-%d", time.strptime(text, "%Y-%m-%d"))
    except ValueError:
        raise UsageError(f"{where} takes a day such as 2026-12-31, not {shown(text)}") from None


def shown(value: Any) -> str:
    """What was written there, short, for a sentence."""
    return repr(value if isinstance(value, str) else str(value))[:42]
