"""Well-formed files of every kind, mutated: a result or the one exception that is documented."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from property.mutate_readers import EDGES, mutated
from property.readers import READERS

KINDS = st.sampled_from(list(READERS.values()))


@settings(max_examples=400, deadline=None)
@given(KINDS, st.integers(0, 1 << 16), st.sampled_from(EDGES), st.sampled_from([1, 2, 4, 8]))
def test_any_field_may_claim_anything(kind, at, value, width):
    reader, data = kind
    at %= len(data)
    field = (value % (1 << (8 * width))).to_bytes(width, "little")
    reader(data[:at] + field + data[at + width :])


@settings(max_examples=200, deadline=None)
@given(KINDS, st.integers(0, 1 << 16))
def test_a_file_may_end_anywhere(kind, length):
    reader, data = kind
    reader(data[: length % len(data)])


@settings(max_examples=200, deadline=None)
@given(KINDS, st.integers(0, 2**32))
def test_bytes_may_be_moved_copied_lost_and_flipped(kind, seed):
    reader, data = kind
    reader(mutated(data, random.Random(seed)))


@settings(max_examples=100, deadline=None)
@given(KINDS, st.binary(max_size=600), st.sampled_from([b"\x7fELF\x02\x01", b"MZ", b"PK\x05\x06"]))
def test_noise_behind_a_magic_number_is_read_as_anything_else(kind, noise, magic):
    reader, _ = kind
    reader(magic + noise)
    reader(noise)


@pytest.mark.parametrize("name", READERS)
def test_what_is_mutated_can_be_read(name):
    reader, data = READERS[name]
    reader(data)
