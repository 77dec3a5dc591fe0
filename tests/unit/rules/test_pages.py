"""The pages of docs/codes: one a code, each whole, each in step with the catalogue."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gpudoctor.kb import catalogue
from gpudoctor.rules.engine.registry import rules

FOLDER = Path(__file__).parents[3] / "docs" / "codes"
PAGES = {path.stem: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("GPU*.md"))}
ENTRIES = {entry.code: entry for entry in catalogue.entries()}
SECTIONS = [
    "What it means",
    "Why it happens",
    "How it is decided",
    "What to do",
    "When this page is wrong",
    "Sources",
]


@pytest.mark.parametrize("code", ENTRIES)
def test_every_code_of_the_catalogue_has_a_page(code: str) -> None:
    assert code in PAGES


@pytest.mark.parametrize("code", PAGES)
def test_every_page_is_that_of_a_code_and_carries_its_name(code: str) -> None:
    assert code in ENTRIES
    assert PAGES[code].splitlines()[0] == f"# {code}: {ENTRIES[code].name}"


@pytest.mark.parametrize("code", PAGES)
def test_a_page_has_its_sections_in_order_and_says_something_in_each(code: str) -> None:
    headings = re.findall(r"^## (.+)$", PAGES[code], re.MULTILINE)
    assert headings == SECTIONS
    for text in re.split(r"^## .+$", PAGES[code], flags=re.MULTILINE)[1:]:
        assert len(text.strip()) > 10


@pytest.mark.parametrize("code", PAGES)
def test_the_links_of_a_page_lead_to_pages(code: str) -> None:
    for shown, target in re.findall(r"\[(GPU\d+)\]\((GPU\d+)\.md\)", PAGES[code]):
        assert shown == target
        assert target in PAGES
        assert target != code


@pytest.mark.parametrize("code", PAGES)
def test_the_code_blocks_of_a_page_are_closed(code: str) -> None:
    assert PAGES[code].count("```") % 2 == 0


def test_every_finding_that_a_rule_makes_has_a_page() -> None:
    assert {catalogue.code(rule.name) for rule in rules()} <= set(PAGES)
