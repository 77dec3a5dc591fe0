"""The tables of messages hold together: what they name exists, and every row can be reached."""

from __future__ import annotations

import re

import pytest

from gpudoctor.kb.findings import catalogue, signatures
from gpudoctor.triage.signatures.marks import FACT_MARKS, compiled, is_mark
from triage_cases.load import cases


@pytest.mark.parametrize("row", signatures.signatures(), ids=lambda row: row.id)
def test_a_row_names_what_exists(row):
    for cause in row.causes:
        assert catalogue.find(cause.name) is not None, cause.name
        assert all(is_mark(name) for name in cause.when), cause.when
    assert all(is_mark(name) for name in (*row.also, *row.unless))
    assert row.made_by
    assert not row.says.endswith(".")
    compiled(row.pattern)
    if row.anchors:
        assert row.pattern
        assert all(anchor == anchor.lower() for anchor in row.anchors)
    else:
        assert row.also, "a row without a message stands on facts"


def test_ids_and_marks_are_unique():
    ids = [row.id for row in signatures.signatures()]
    assert len(ids) == len(set(ids))
    names = [mark.name for mark in signatures.marks()]
    assert len(names) == len(set(names))
    assert not set(names) & FACT_MARKS


def test_every_mark_is_used():
    used = {
        name
        for row in signatures.signatures()
        for name in (*row.also, *row.unless, *(m for c in row.causes for m in c.when))
    }
    assert {mark.name for mark in signatures.marks()} <= used
    assert used >= FACT_MARKS


def test_anchors_let_every_message_of_the_cases_through():
    """A pattern that matches a text without any of its anchors would never be tried."""
    for case in cases():
        flat = " ".join(case.raw.split())
        for row in signatures.signatures():
            if not row.anchors or any(anchor in flat.lower() for anchor in row.anchors):
                continue
            found = compiled(row.pattern).search(flat)
            assert found is None, (case.id, row.id, found[0] if found else "")


def test_every_cause_of_a_text_has_a_message():
    """Findings that only facts or the smoke test can make are the exceptions."""
    facts_only = re.compile(r"smoke-|wrong-numbers|torch-import-hang|slower-than|policy|rule-|coll")
    named = {cause.name for row in signatures.signatures() for cause in row.causes}
    in_cases = {case.cause for case in cases()}
    assert in_cases <= named
    assert not [name for name in in_cases if facts_only.match(name)]
