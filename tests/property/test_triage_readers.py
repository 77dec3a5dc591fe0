"""Whatever a text holds, reading it raises nothing, ends soon, and shows nothing active."""

from __future__ import annotations

import io
import json
import re
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gpudoctor.kb.findings import signatures
from gpudoctor.model.codec import decode, encode
from gpudoctor.model.facts import Facts
from gpudoctor.report import render
from gpudoctor.report.style import Style
from gpudoctor.triage import merge
from gpudoctor.triage.readers import (
    collect_env,
    kernel_log,
    nvidia_smi,
    package_list,
    prose,
    torch_warnings,
)
from gpudoctor.triage.report_on_text import of_stream, of_string
from gpudoctor.triage.signatures.marks import compiled
from gpudoctor.triage.text import stream
from gpudoctor.triage.text.clean import clean
from gpudoctor.triage.text.clean import decode as decode_bytes
from gpudoctor.triage.text.cleaned_text import fold
from triage_cases.load import cases

READERS = (collect_env, kernel_log, nvidia_smi, package_list, prose, torch_warnings)
FRAGMENTS = sorted({piece for case in cases() for piece in case.raw.split("\n") if piece.strip()})

lines = st.one_of(st.sampled_from(FRAGMENTS), st.text(max_size=120))
texts = st.lists(lines, max_size=25).map("\n".join)
bounded = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize("reader", READERS, ids=lambda module: module.__name__.split(".")[-1])
@given(text=texts)
@bounded
def test_a_reader_gives_facts_or_nothing(reader, text):
    draft = reader.read(fold(clean(text)))
    merged = {key: value for key, value in draft.items() if key != "gpus"}
    decode(Facts, encode(merged))


@given(text=texts)
@bounded
def test_facts_of_mixed_up_texts_are_well_formed(text):
    sheet = merge.read_facts(fold(clean(text)))
    assert decode(Facts, json.loads(json.dumps(encode(sheet.facts)))) is not None


@given(data=st.binary(max_size=4000))
@bounded
def test_bytes_of_any_kind_are_answered(data):
    assert of_string(data).exit_code == 0
    assert of_stream(io.BytesIO(data)).exit_code == 0


@given(text=texts, cut=st.integers(0, 400))
@bounded
def test_a_report_that_was_cut_off_anywhere_is_answered(text, cut):
    of_string(text[: max(0, len(text) - cut)])


@given(text=st.text(max_size=600))
@bounded
def test_cleaning_twice_changes_nothing(text):
    once = clean(text)
    assert clean(once) == once or "&" in text or ">" in text or "(" in text or "[" in text


@given(
    case=st.sampled_from(cases()),
    noise=st.sampled_from(
        ["\x1b[2J\x1b]0;owned\x07", "\x1b[8m", "\u202e", "[bold red]", "<script>alert(1)</script>"]
    ),
)
@bounded
def test_what_a_text_carries_is_shown_inert(case, noise):
    report = of_string("\n".join(noise + line for line in case.raw.split("\n")))
    shown = render(report, "text", Style(color=False, width=100))
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert "<script>" not in render(report, "html", Style(color=False, width=100))


@given(st.sampled_from(["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig", "utf-8"]), texts)
@bounded
def test_encodings_are_recognised(encoding, text):
    plain = "PyTorch version: 2.6.0+cu124 and more words\n" + text.replace("\x00", "")
    if any(0xD800 <= ord(c) <= 0xDFFF for c in plain):
        return
    assert decode_bytes(plain.encode(encoding)).lstrip("\ufeff").startswith("PyTorch version")


def _seconds(pattern, text):
    best = float("inf")
    for _ in range(3):
        started = time.process_time()
        for _match in pattern.finditer(text):
            pass
        best = min(best, time.process_time() - started)
    return best


_CLASS = re.compile(r"\[(?:[^\]\\]|\\.)+\](?:\{\d+,?\d*\})?")

HOSTILE = (
    "nvidia driver cuda gpu error failed ",
    "NVRM: Xid (PCI:0000:01:00): ",
    "torch==2.6.0 torchvision ",
    "undefined symbol: _ZN3c10",
    "((((((((((",
    "a" * 50,
    "1.2.3.4.5.6.7.8.",
)


def _expressions():
    rows = {row.id: row.pattern for row in signatures.signatures() if row.pattern}
    return sorted({**rows, **{mark.name: mark.pattern for mark in signatures.marks()}}.items())


@pytest.mark.parametrize("seed", HOSTILE)
def test_every_pattern_takes_time_in_proportion_to_the_text(seed):
    """Four times the text may take about four times as long; a square would take sixteen."""
    slow = []
    for name, expression in _expressions():
        pattern = compiled(expression)
        short = (seed * (3_000 // len(seed) + 1))[:3_000]
        little = _seconds(pattern, short)
        if little > 0.003 and (ratio := _seconds(pattern, short * 4) / little) > 9:
            slow.append((name, round(ratio, 1)))
    assert slow == []


def test_no_pattern_repeats_without_bound():
    """An unbounded repetition of a class of characters is how a pattern becomes quadratic."""
    unbounded = [
        name
        for name, text in _expressions()
        if re.search(r"(?<!\\)\.[*+]|\\[wWsSdD][*+]|\][*+]", _CLASS.sub("C", text))
    ]
    assert unbounded == []


def test_a_long_text_is_cut_to_what_matters():
    noise = b"2025-01-01 step 1 loss 0.1\n" * 200_000
    needle = b"RuntimeError: No CUDA GPUs are available\n"
    text = stream.read(io.BytesIO(noise + needle + noise))
    assert text.cut
    assert len(text.flat) < 2**21
    assert "No CUDA GPUs are available" in text.flat


def test_a_long_text_in_utf_16_is_searched_too():
    noise = "2025-01-01 step 1 loss 0.1\r\n" * 60_000
    data = (noise + "RuntimeError: No CUDA GPUs are available\r\n" + noise).encode("utf-16")
    names = [finding.name for finding in of_stream(io.BytesIO(data)).findings]
    assert names[:1] == ["cuda-visible-devices-wrong-index"]


def test_a_needle_on_the_edge_of_two_pieces_is_found():
    needle = b"RuntimeError: No CUDA GPUs are available"
    for shift in range(0, len(needle), 7):
        padding = stream.WHOLE + 1 + 4 * 2**20 - shift
        noise = b"x" * 79 + b"\n"
        data = (noise * (padding // 80 + 1))[:padding]
        found = stream.read(io.BytesIO(data + needle + b"\n" + noise * 9000))
        assert "No CUDA GPUs are available" in found.flat, shift
