"""Error messages: how each is made, what can stand behind it, and what tells the causes apart."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from gpudoctor.kb._data import load
from gpudoctor.kb.rows import Slug, made
from gpudoctor.model.value import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """One cause of a message."""

    name: str
    """Of the finding."""
    weight: int
    """Its rank among all that a text shows; 90 and more: the message names its cause."""
    when: Mapping[str, int] = field(default_factory=dict)
    """Marks that move the weight, and by how much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """One message (a row of configs/signatures_*.yaml)."""

    id: str
    made_by: str
    """The program, and where it can be seen the source file, that prints it."""
    anchors: tuple[str, ...]
    """Lower-case literals; a text without any of them cannot contain the message."""
    pattern: str
    """Regular expression on text whose white space is folded; case is ignored."""
    says: str
    """What the message means, as a sentence without full stop."""
    causes: tuple[Cause, ...]
    reach: int = 0
    """Characters around an anchor in which the whole message lies."""
    also: tuple[str, ...] = ()
    """Marks without which the message says nothing."""
    unless: tuple[str, ...] = ()
    cure: bool = False
    """Whether it is what people did about it: it says nothing where nobody complains."""
    general: bool = False
    """Whether it is any error of a family: it is asked where nothing else is known of a text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Something that a text mentions beside its messages (configs/signature_marks.yaml)."""

    name: str
    anchors: tuple[str, ...]
    pattern: str
    reach: int
    """Characters around an anchor in which all lies that the pattern looks at."""
    put_out: bool = False
    """Whether commands that somebody typed do not count for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Against:
    """What a mark speaks against."""

    mark: Slug
    unless: Slug
    """A mark that takes the first one's word away."""
    points: int
    """Taken off the weight of each of the causes."""
    causes: tuple[str, ...]


@cache
def signatures() -> tuple[Signature, ...]:
    """All messages, in the order of the files."""
    return tuple(
        Signature(
            id=row["id"],
            made_by=row["made_by"],
            anchors=tuple(row["anchors"]),
            pattern=row["pattern"],
            says=row["says"],
            reach=row["reach"],
            also=tuple(row.get("also", ())),
            unless=tuple(row.get("unless", ())),
            cure=row.get("cure", False),
            general=row.get("general", False),
            causes=tuple(_cause(name, value) for name, value in row["causes"].items()),
        )
        for row in load("signatures")["signatures"]
    )


def _cause(name: str, value: int | Mapping[str, object]) -> Cause:
    if isinstance(value, int):
        return Cause(name=name, weight=value)
    weight, when = value["weight"], value.get("when", {})
    if not isinstance(weight, int) or not isinstance(when, Mapping):
        raise TypeError(f"the cause {name} has no weight")
    return Cause(name=name, weight=weight, when=when)


@cache
def marks() -> tuple[Mark, ...]:
    """All marks of texts."""
    return tuple(
        Mark(
            name=row["mark"],
            anchors=tuple(row["anchors"]),
            pattern=row["pattern"],
            reach=row["reach"],
            put_out=row.get("put_out", False),
        )
        for row in load("signatures")["marks"]
    )


@cache
def translations() -> tuple[tuple[str, str], ...]:
    """What other languages' systems say, in lower case, with the English message."""
    rows = load("signatures")["translations"]
    return tuple((text.lower(), row["says"]) for row in rows for text in row["texts"])


@cache
def precedence() -> Mapping[str, frozenset[str]]:
    """Causes that name the special case, with the general ones that stand behind them."""
    return {row["specific"]: frozenset(row["over"]) for row in load("signatures")["precedence"]}


@cache
def against() -> tuple[Against, ...]:
    """The marks that speak against causes whatever message names them."""
    return tuple(made(Against, row) for row in load("signatures")["against"])


@cache
def anchors() -> tuple[str, ...]:
    """The anchors of all messages, each once."""
    return tuple(dict.fromkeys(anchor for row in signatures() for anchor in row.anchors))
