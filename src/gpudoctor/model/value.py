"""Frozen dataclasses that cost next to nothing at every start.

The standard library's `dataclass` writes the source of each method and compiles it when the class
is made (0.4 to 1.4 ms a class), and its import brings `inspect`, `ast` and `dis`; a check makes a
hundred such classes, so that this was a third of its whole time. Here the methods are functions
that all classes share, and values live in the instance's `__dict__`, which one C call fills.

To a reader and to a type checker they are ordinary dataclasses, and `dataclasses.fields`,
`replace` and `is_dataclass` take them for such.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from dataclasses import dataclass as dataclass
    from dataclasses import field as field
    from dataclasses import replace as replace
    from functools import cached_property as cached_property
else:

    class cached_property:  # noqa: N801 - named as the standard library's
        """`functools.cached_property`, without the lock that it takes before Python 3.12."""

        def __init__(self, make):
            self.make = make
            self.__doc__ = make.__doc__

        def __set_name__(self, owner, name):
            self.name = name

        def __get__(self, value, owner=None):
            if value is None:
                return self
            found = value.__dict__[self.name] = self.make(value)
            return found

    def dataclass(cls=None, /, **options):
        """`dataclasses.dataclass`; `slots` is for the type checker alone."""

        def make(plain):
            return _make(plain, **options)

        return make if cls is None else make(cls)

    def field(**options):
        """`dataclasses.field` with `default`, `default_factory` and `compare`."""
        return _Field(options)

    def replace(value, /, **changes):
        """A copy of `value` with other values in some fields; made by its class, thus checked."""
        shape = value.__value__
        if not changes.keys() <= shape.known:
            _complain(shape, value, changes)
        given = value.__dict__
        other = object.__new__(value.__class__)
        values = other.__dict__
        for name in shape.names:  # not all that lies there: derived values are kept there too
            values[name] = given[name]
        values.update(changes)
        if shape.then is not None:
            shape.then(other)
        return other


def is_value(value: object) -> bool:
    """Whether `value` is an instance of such a class; a class itself is not."""
    return hasattr(value.__class__, "__value__")


def is_value_class(kind: object) -> bool:
    """Whether `kind` is such a class."""
    return isinstance(kind, type) and hasattr(kind, "__value__")


def field_names(value: Any) -> tuple[str, ...]:
    """The names of the fields of an instance or a class, in their order."""
    names: tuple[str, ...] = value.__value__.names
    return names


def required_fields(kind: Any) -> frozenset[str]:
    """The names of the fields that have no default."""
    names: frozenset[str] = kind.__value__.required
    return names


class _Field:
    """What `field()` was given, until the class is made."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.options = options


def _nothing(_: object) -> tuple[()]:
    """What is compared of a class without fields."""
    return ()


class _Shape:
    """What the shared methods know of one class."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names
        self.known = frozenset(names)
        self.compared = names
        self.positional: tuple[str, ...] = names
        self.defaults: dict[str, Any] = {}
        self.factories: dict[str, Any] = {}
        self.required: frozenset[str] = frozenset()
        self.key: Callable[[Any], Any] = _nothing
        self.then: Any = None


def _make(
    plain: type,
    *,
    frozen: bool = False,
    kw_only: bool = False,
    order: bool = False,
    slots: bool = False,
) -> type:
    del slots  # a promise to the type checker; see the module's text for why there are none
    cls: Any = plain
    names = tuple(cls.__annotations__)
    shape = _Shape(names)
    for name in names:
        if name not in cls.__dict__:
            continue
        given = cls.__dict__[name]
        if not isinstance(given, _Field):
            shape.defaults[name] = given
            continue
        delattr(cls, name)
        if not given.options.get("compare", True):
            shape.compared = tuple(each for each in shape.compared if each != name)
        if "default" in given.options:
            shape.defaults[name] = given.options["default"]
        elif "default_factory" in given.options:
            shape.factories[name] = given.options["default_factory"]
    shape.required = frozenset(names) - shape.defaults.keys() - shape.factories.keys()
    shape.positional = () if kw_only else names
    shape.key = attrgetter(*shape.compared) if shape.compared else _nothing
    shape.then = getattr(cls, "__post_init__", None)
    cls.__value__ = shape
    cls.__dataclass_fields__ = _Fields()
    cls.__init__ = _init
    cls.__eq__ = _equal
    cls.__hash__ = _hash if frozen else None
    if "__repr__" not in cls.__dict__:
        cls.__repr__ = _show
    if frozen:
        cls.__setattr__ = _refuse
        cls.__delattr__ = _refuse
    if order:
        cls.__lt__, cls.__le__, cls.__gt__, cls.__ge__ = _less, _at_most, _more, _at_least
    return plain


def _init(self: Any, /, *positional: Any, **named: Any) -> None:
    shape: _Shape = self.__value__
    values = self.__dict__
    if shape.defaults:
        values.update(shape.defaults)
    if positional:
        if len(positional) > len(shape.positional) or not named.keys().isdisjoint(
            shape.positional[: len(positional)]
        ):
            raise TypeError(f"{self.__class__.__name__}() got too many arguments")
        values.update(zip(shape.positional, positional))  # noqa: B905 - strict= costs, see above
    if named:
        values.update(named)
    if shape.factories:
        for name, factory in shape.factories.items():
            if name not in values:
                values[name] = factory()
    if len(values) != len(shape.names) or not values.keys() >= shape.required:
        _complain(shape, self, values)
    if shape.then is not None:
        shape.then(self)


def _complain(shape: _Shape, value: Any, values: dict[str, Any]) -> None:
    name = value.__class__.__name__
    if unknown := sorted(values.keys() - set(shape.names)):
        raise TypeError(f"{name}() got an unexpected field: {unknown[0]!r}")
    missing = [repr(each) for each in shape.names if each not in values]
    some = "field" if len(missing) == 1 else "fields"
    raise TypeError(f"{name}() missing {len(missing)} required {some}: {', '.join(missing)}")


def _refuse(value: Any, name: str, *_: object) -> None:
    from dataclasses import FrozenInstanceError

    raise FrozenInstanceError(f"{value.__class__.__name__} is a value: {name!r} stays as it is")


def _equal(one: Any, other: Any) -> Any:
    if other.__class__ is not one.__class__:
        return NotImplemented
    if one is other:
        return True
    key = one.__value__.key
    return key(one) == key(other)


def _less(one: Any, other: Any) -> Any:
    if other.__class__ is not one.__class__:
        return NotImplemented
    return one.__value__.key(one) < one.__value__.key(other)


def _at_most(one: Any, other: Any) -> Any:
    if other.__class__ is not one.__class__:
        return NotImplemented
    return one.__value__.key(one) <= one.__value__.key(other)


def _more(one: Any, other: Any) -> Any:
    if other.__class__ is not one.__class__:
        return NotImplemented
    return one.__value__.key(one) > one.__value__.key(other)


def _at_least(one: Any, other: Any) -> Any:
    if other.__class__ is not one.__class__:
        return NotImplemented
    return one.__value__.key(one) >= one.__value__.key(other)


def _hash(value: Any) -> int:
    return hash(value.__value__.key(value))


def _show(value: Any) -> str:
    shown = ", ".join(f"{name}={getattr(value, name)!r}" for name in value.__value__.names)
    return f"{value.__class__.__qualname__}({shown})"


class _Fields:
    """`__dataclass_fields__`, made when the standard library first asks for it."""

    def __get__(self, value: object, cls: Any) -> Any:
        import dataclasses

        shape: _Shape = cls.__value__
        given: list[tuple[str, Any, Any]] = []
        for name in shape.names:
            options: dict[str, Any] = {"kw_only": True, "compare": name in shape.compared}
            if name in shape.defaults:
                options["default"] = shape.defaults[name]
            elif name in shape.factories:
                options["default_factory"] = shape.factories[name]
            given.append((name, cls.__annotations__[name], dataclasses.field(**options)))
        twin: Any = dataclasses.make_dataclass(cls.__name__, given)
        cls.__dataclass_fields__ = twin.__dataclass_fields__
        return cls.__dataclass_fields__
