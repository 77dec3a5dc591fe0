"""Frozen dataclasses ↔ plain JSON values, field by field, by their annotations.

Reading is lenient where the contract asks for it (unknown keys are ignored, missing ones are
left to the caller) and strict where a wrong value would poison judgement (types).
"""

from __future__ import annotations

import functools
import types
from collections.abc import Mapping
from enum import Enum
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from gpudoctor.errors import UsageError
from gpudoctor.model.value import field_names, is_value, is_value_class, required_fields

T = TypeVar("T")


def encode(value: Any) -> Any:
    """A model value as JSON values: dataclasses become objects, tuples lists, enums strings."""
    if is_value(value):
        return {name: encode(getattr(value, name)) for name in field_names(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(key): encode(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [encode(item) for item in value]
    return value


def decode(kind: type[T], value: Any, path: str = "") -> T:
    """Build a `kind` from JSON values.

    Raises:
        UsageError: a value has another type than its field; the message names the path.
    """
    result: T = _decode(kind, value, path)
    return result


@functools.cache
def hints(kind: type) -> dict[str, Any]:
    """The resolved annotations of a dataclass."""
    return get_type_hints(kind)


def _decode(kind: Any, value: Any, path: str) -> Any:
    if kind is Any:
        return value
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        return _decode_union(get_args(kind), value, path)
    if origin is Literal:
        known = value in get_args(kind) and not isinstance(value, float)
        return _expect(known, value, f"one of {', '.join(map(str, get_args(kind)))}", path)
    if origin is tuple:
        item = get_args(kind)[0]
        _expect(isinstance(value, list), value, "a list", path)
        return tuple(_decode(item, entry, f"{path}[{i}]") for i, entry in enumerate(value))
    if origin is not None and issubclass(origin, Mapping):
        item = get_args(kind)[1]
        _expect(isinstance(value, dict), value, "an object", path)
        return {str(key): _decode(item, entry, f"{path}.{key}") for key, entry in value.items()}
    if is_value_class(kind):
        return _decode_fields(kind, value, path)
    if isinstance(kind, type) and issubclass(kind, Enum):
        _expect(value in {member.value for member in kind}, value, kind.__name__, path)
        return kind(value)
    if kind is float:
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        return float(_expect(number, value, "a number", path))
    if kind is int:
        return _expect(isinstance(value, int) and not isinstance(value, bool), value, kind, path)
    return _expect(isinstance(value, kind), value, kind, path)


def _decode_union(options: tuple[Any, ...], value: Any, path: str) -> Any:
    if value is None and type(None) in options:
        return None
    problem: UsageError | None = None
    for option in options:
        if option is type(None):
            continue
        try:
            return _decode(option, value, path)
        except UsageError as error:
            problem = problem or error
    raise problem or UsageError(f"{path}: unexpected value")


def _decode_fields(kind: Any, value: Any, path: str) -> Any:
    _expect(isinstance(value, dict), value, "an object", path)
    annotations = hints(kind)
    arguments = {}
    required = required_fields(kind)
    for name in field_names(kind):
        entry = value.get(name)
        if entry is None and (name not in required or name not in value):
            continue  # null is the default; what is required and not there is complained of below
        arguments[name] = _decode(annotations[name], entry, f"{path}.{name}" if path else name)
    try:
        return kind(**arguments)
    except TypeError as error:
        raise UsageError(f"{path or 'the top level'}: {_missing(error)}") from None


def _missing(error: TypeError) -> str:
    """Python's own sentence about a missing argument, without the class's inside."""
    return str(error).split("() ", 1)[-1]


def _expect(condition: object, value: Any, wanted: Any, path: str) -> Any:
    if not condition:
        name = wanted if isinstance(wanted, str) else getattr(wanted, "__name__", str(wanted))
        raise UsageError(f"{path or 'the top level'}: {_short(value)} is not {name}")
    return value


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
