from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpudoctor.errors import UsageError
from gpudoctor.model.fact import Absent, Known, Unknown
from gpudoctor.model.factfile import encode_sheet, parse_sheet
from gpudoctor.model.facts import Facts, Gpu, Host
from gpudoctor.model.sheet import FactSheet


def sheet_of(**facts):
    return parse_sheet(json.dumps({"schema_version": "1.0", "facts": facts}))


def test_what_a_sheet_does_not_mention_is_unknown_not_absent():
    sheet = sheet_of(gpus=[{"index": 0, "name": "NVIDIA L4"}])
    assert isinstance(sheet.fact("torch"), Unknown)
    assert isinstance(sheet.fact("gpus[0].compute_capability"), Unknown)
    assert sheet.fact("gpus[0].name") == Known("NVIDIA L4")


def test_null_says_that_there_is_none():
    assert isinstance(sheet_of(torch=None).fact("torch"), Absent)


def test_a_sheet_is_read_back_as_it_was_written():
    sheet = FactSheet(
        Facts(host=Host(os="linux"), gpus=(Gpu(index=0), Gpu(index=1))),
        unknown=(Unknown("gpus[1].uuid", "removed as private", "redaction"), Unknown("torch", "x")),
        sources={"gpus": "nvml"},
    )
    written = encode_sheet(sheet)
    assert written["facts"]["torch"] is None
    assert parse_sheet(json.dumps(written)) == sheet


def test_a_parents_unknown_covers_its_children():
    sheet = FactSheet(unknown=(Unknown("driver", "NVML did not answer"),))
    assert isinstance(sheet.fact("driver.version"), Unknown)


def test_a_whole_report_is_read_as_the_sheet_in_it():
    document = {"schema_version": "1.0", "verdict": "healthy", "facts": {"torch": None}}
    assert isinstance(parse_sheet(json.dumps(document)).fact("torch"), Absent)


def test_what_powershell_writes_is_read():
    text = json.dumps({"schema_version": "1.0", "facts": {"torch": None}})
    assert parse_sheet(text.encode("utf-16")).facts.torch is None
    assert parse_sheet(text.encode("utf-8-sig")).facts.torch is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is empty"),
        ("   \n", "is empty"),
        ("nonsense", "is not JSON"),
        ("[]", "not an object"),
        ("{}", 'no "facts" object'),
        ('{"facts": 3}', 'no "facts" object'),
        ('{"schema_version": "2.0", "facts": {}}', "schema version 2.0"),
        ('{"facts": {"gpus": 7}}', "gpus"),
        ("[" * 100_000, "nested too deeply"),
        (b"\x80\x81\x82", "not text"),
        ('{"facts": {}, "x": ' + "9" * 10_000 + "}", "number"),
    ],
)
def test_what_is_no_fact_sheet_is_refused_in_one_sentence(text, reason):
    with pytest.raises(UsageError, match=reason) as caught:
        parse_sheet(text, "machine.json")
    assert "machine.json" in str(caught.value)
    assert "\n" not in str(caught.value)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)
_facts = st.dictionaries(
    st.sampled_from(["host", "gpus", "driver", "torch", "environment", "packages"]), _json
)


@given(_facts, _json)
def test_any_json_is_read_or_refused_and_nothing_else(facts, unknown):
    document = {"schema_version": "1.0", "facts": facts, "unknown": unknown}
    try:
        sheet = parse_sheet(json.dumps(document))
    except UsageError:
        return
    assert parse_sheet(json.dumps(encode_sheet(sheet))).facts == sheet.facts
