"""What is read back from a disk may say anything: it is believed, or refused with a sentence."""

from __future__ import annotations

import copy
import json
import os
from contextlib import suppress

import pytest

from gpudoctor.collect.python import fix_journal
from gpudoctor.errors import FixFailedError
from gpudoctor.fix.keeping import manifest
from gpudoctor.fix.kept import vaults_of
from property.readers import READERS

ODD = [
    None,
    True,
    -1,
    0.5,
    float("inf"),
    float("nan"),
    10**400,
    "",
    "\0",
    "../x",
    "/x",
    [],
    [[]],
    {},
]


def places(value, path=()):
    """Where in a document something stands: every value of every list and object."""
    if path:
        yield path
    if isinstance(value, (list, dict)):
        for key in range(len(value)) if isinstance(value, list) else value:
            yield from places(value[key], (*path, key))


def changed(document, path, value):
    """A copy in which something else stands at a place, or nothing does."""
    whole = copy.deepcopy(document)
    holder = whole
    for key in path[:-1]:
        holder = holder[key]
    if value is Ellipsis:
        del holder[path[-1]]
    else:
        holder[path[-1]] = value
    return whole


DESCRIPTION = json.loads(READERS["description"][1])
STEPS = [json.loads(line) for line in READERS["journal"][1].splitlines()]


@pytest.mark.parametrize("value", [..., *ODD], ids=repr)
def test_a_description_may_say_anything_anywhere(value):
    for path in places(DESCRIPTION):
        data = json.dumps(changed(DESCRIPTION, path, value)).encode()
        with suppress(FixFailedError):
            kept = manifest.parse(data, "before.json")
            assert kept.environment.prefix.startswith("/")
            for part in kept.environment.parts:
                assert not any(name.startswith(("/", "../")) for name in part.tree)


@pytest.mark.parametrize("value", [..., *ODD], ids=repr)
def test_a_journal_may_say_anything_anywhere(value):
    for path in places(STEPS):
        lines, check = b"", 0
        for record in changed(STEPS, path, value):
            try:
                line, check = fix_journal.line_of(record, check)
            except (TypeError, AttributeError):
                line = json.dumps(record).encode() + b"\n"
            lines += line
        reading = fix_journal.parse(lines, "journal")
        assert reading.records or reading.damage
        assert all(os.path.isabs(vault.path) for vault in vaults_of(reading))


def test_a_document_without_an_end_is_refused():
    data = b"[" * 100_000
    with pytest.raises(FixFailedError):
        manifest.parse(data, "before.json")
    assert fix_journal.parse(data + b"\n", "journal").damage
