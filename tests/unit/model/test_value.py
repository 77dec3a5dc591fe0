"""Values behave as the standard library's dataclasses do, to everyone who can tell."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpudoctor.model import value as lean


@lean.dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    name: str
    ports: tuple[int, ...] = ()
    notes: list[str] = lean.field(default_factory=list, compare=False)


@lean.dataclass(frozen=True)
class Other:
    name: str
    ports: tuple[int, ...] = ()


@lean.dataclass(frozen=True, order=True)
class Version:
    numbers: tuple[int, ...]
    text: str = lean.field(compare=False, default="")


@dataclasses.dataclass(frozen=True, order=True)
class StandardVersion:
    numbers: tuple[int, ...]
    text: str = dataclasses.field(compare=False, default="")


@lean.dataclass(slots=True)
class Draft:
    name: str
    seen: list[str] = lean.field(default_factory=list)

    def __post_init__(self) -> None:
        self.seen.append(self.name)


def test_values_are_equal_by_their_fields_and_their_class():
    assert Card(name="a", ports=(1,)) == Card(name="a", ports=(1,))
    assert Card(name="a") != Card(name="b")
    assert Card(name="a") != Other(name="a")
    assert Card(name="a") != "a"


def test_a_field_that_is_not_compared_changes_neither_equality_nor_hash():
    one, other = Card(name="a", notes=["x"]), Card(name="a", notes=["y"])
    assert one == other
    assert hash(one) == hash(other)


def test_equal_values_have_one_hash_and_unequal_ones_are_apart_in_a_set():
    assert len({Card(name="a"), Card(name="a"), Card(name="b")}) == 2


def test_a_value_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError, match="'name'"):
        Card(name="a").name = "b"
    with pytest.raises(dataclasses.FrozenInstanceError, match="'name'"):
        del Card(name="a").name


def test_a_draft_can_be_changed_and_is_no_key():
    draft = Draft("a")
    draft.name = "b"
    assert (draft.name, draft.seen) == ("b", ["a"])
    with pytest.raises(TypeError, match="unhashable"):
        hash(draft)


def test_each_value_has_a_default_of_its_own():
    assert Draft("a").seen == ["a"]
    assert Draft("b").seen == ["b"]


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: Card(), "missing 1 required field: 'name'"),  # type: ignore[call-arg] # on purpose
        (lambda: Card(name="a", colour="red"), "unexpected field: 'colour'"),  # type: ignore[call-arg] # on purpose
        (lambda: Card("a"), "too many arguments"),  # type: ignore[misc] # on purpose
        (lambda: Other("a", (), 3), "too many arguments"),  # type: ignore[call-arg] # on purpose
        (lambda: Other("a", name="b"), "too many arguments"),  # type: ignore[misc] # on purpose
        (lambda: Other(ports=()), "missing 1 required field: 'name'"),  # type: ignore[call-arg] # on purpose
    ],
)
def test_what_does_not_fit_the_fields_is_refused(make, complaint):
    with pytest.raises(TypeError, match=complaint):
        make()


def test_a_value_prints_as_what_makes_it():
    assert eval(repr(Card(name="a'\n", ports=(2,)))) == Card(name="a'\n", ports=(2,))


def test_a_value_can_be_copied_and_pickled():
    card = Card(name="a", ports=(1, 2), notes=["x"])
    assert pickle.loads(pickle.dumps(card)) == copy.deepcopy(card) == card
    assert pickle.loads(pickle.dumps(card)).notes == ["x"]


def test_a_replaced_value_is_checked_like_a_new_one():
    assert lean.replace(Card(name="a"), ports=(3,)) == Card(name="a", ports=(3,))
    with pytest.raises(TypeError, match="unexpected field"):
        lean.replace(Card(name="a"), colour="red")


def test_the_standard_library_takes_it_for_a_dataclass():
    assert dataclasses.is_dataclass(Card)
    assert dataclasses.replace(Card(name="a"), ports=(3,)) == Card(name="a", ports=(3,))
    fields = dataclasses.fields(Card)
    assert [field.name for field in fields] == ["name", "ports", "notes"]
    assert [field.default for field in fields][:2] == [dataclasses.MISSING, ()]
    assert fields[2].default_factory is list
    assert dataclasses.asdict(Card(name="a")) == {"name": "a", "ports": (), "notes": []}


def test_what_a_class_says_of_itself():
    assert lean.field_names(Card) == lean.field_names(Card(name="a")) == ("name", "ports", "notes")
    assert lean.required_fields(Card) == {"name"}
    assert lean.is_value(Card(name="a"))
    assert not lean.is_value(Card)
    assert lean.is_value_class(Card)
    assert not lean.is_value_class(Card(name="a"))


@given(st.lists(st.tuples(st.lists(st.integers(0, 3), max_size=3), st.text(max_size=1))))
def test_order_is_that_of_the_standard_library(rows):
    ours = [Version(tuple(numbers), text) for numbers, text in rows]
    theirs = [StandardVersion(tuple(numbers), text) for numbers, text in rows]
    assert [v.numbers for v in sorted(ours)] == [v.numbers for v in sorted(theirs)]
    for (a, b), (c, d) in zip(product(ours, ours), product(theirs, theirs), strict=True):
        assert (a < b, a <= b, a > b, a >= b, a == b) == (c < d, c <= d, c > d, c >= d, c == d)


def test_values_of_different_classes_have_no_order():
    with pytest.raises(TypeError):
        assert Version((1,)) < Other("a")  # type: ignore[operator] # on purpose
