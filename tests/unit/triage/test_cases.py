"""Every public case is answered with its cause, or stands in the list of those that cannot be."""

from __future__ import annotations

import pytest

from gpudoctor.triage.report_on_text import of_string
from triage_cases.load import OPEN, cases


def _names(raw):
    return [finding.name for finding in of_string(raw).findings]


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.id)
def test_the_cause_is_named(case):
    answered = case.is_answered_by(_names(case.raw))
    if case.id in OPEN:
        assert not answered, "it is answered now: take it out of the list of open cases"
    else:
        assert answered, _names(case.raw)


def test_nineteen_of_twenty_confirmed_cases_are_right():
    confirmed = [case for case in cases() if case.confidence == "high"]
    right = sum(case.is_answered_by(_names(case.raw)) for case in confirmed)
    assert right >= 0.95 * len(confirmed), f"{right} of {len(confirmed)}"


def test_look_alikes_are_told_apart_by_a_named_look():
    for case in cases():
        findings = of_string(case.raw).findings
        if case.same_text_as and len(findings) > 1 and case.id not in OPEN:
            found = next(f for f in findings if f.name == case.cause)
            assert found.next_look, case.id


def test_every_cause_says_what_can_still_be_done():
    for case in cases():
        for finding in of_string(case.raw).findings[:1]:
            if finding.severity.value == "error":
                assert finding.still_possible, (case.id, finding.name)


# What happens to a text on its way into an issue must not change the answer.
_WAYS = {
    "quoted": lambda raw: "\n".join(f"> {line}" for line in raw.split("\n")),
    "fenced": lambda raw: f"Hi, I get this:\n\n```\n{raw}\n```\n\nThanks!",
    "windows line ends": lambda raw: raw.replace("\n", "\r\n"),
    "coloured": lambda raw: "\n".join(f"\x1b[31m{line}\x1b[0m" for line in raw.split("\n")),
    "indented": lambda raw: "\n".join(f"    {line}" for line in raw.split("\n")),
    "behind a service's name": lambda raw: "\n".join(f"trainer-1  | {x}" for x in raw.split("\n")),
    "typographic": lambda raw: raw.replace("'", "\u2019"),
    "HTML": lambda raw: raw.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"),
}


@pytest.mark.slow  # all cases once more for each form
@pytest.mark.parametrize("way", _WAYS)
def test_the_way_into_an_issue_changes_nothing(way):
    changed = [
        case.id
        for case in cases()
        if case.id not in OPEN and not case.is_answered_by(_names(_WAYS[way](case.raw)))
    ]
    assert len(changed) <= 0.02 * len(cases()), changed


@pytest.mark.slow  # all cases once more for each form
@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "utf-16-le"])
def test_powershells_encodings_are_read(encoding):
    changed = [
        case.id
        for case in cases()
        if case.id not in OPEN
        and len(case.raw) > 20
        and not case.is_answered_by(_names(case.raw.encode(encoding)))
    ]
    assert changed == []
