from __future__ import annotations

import dataclasses

import pytest

from gpudoctor.model.value import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    name: str
    ports: tuple[int, ...] = ()


@dataclass(frozen=True)
class Other:
    name: str
    ports: tuple[int, ...] = ()


def test_values_are_equal_by_their_fields_and_their_class():
    assert Card(name="a", ports=(1,)) == Card(name="a", ports=(1,))
    assert Card(name="a") != Card(name="b")
    assert Card(name="a") != Other(name="a")
    assert Card(name="a") != "a"


def test_equal_values_have_one_hash_and_unequal_ones_are_apart_in_a_set():
    assert len({Card(name="a"), Card(name="a"), Card(name="b")}) == 2


def test_a_value_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Card(name="a").name = "b"


def test_a_value_prints_as_what_makes_it():
    assert eval(repr(Card(name="a'\n", ports=(2,)))) == Card(name="a'\n", ports=(2,))


def test_the_standard_library_takes_it_for_a_dataclass():
    assert dataclasses.replace(Card(name="a"), ports=(3,)) == Card(name="a", ports=(3,))
    assert [field.name for field in dataclasses.fields(Other)] == ["name", "ports"]
