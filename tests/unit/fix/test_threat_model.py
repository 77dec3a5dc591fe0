"""Every promise that is written down names a test, and the test exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
MODEL = (ROOT / "docs" / "threat-model.md").read_text(encoding="utf-8")
SECURITY = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
_NAMED = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")
_TITLES = (("What holds", "The test"), ("The promise", "The test"))


def rows(page: str) -> list[tuple[str, str]]:
    """The promises of a page and what stands beside each."""
    found = []
    for line in page.splitlines():
        cells = tuple(cell.strip() for cell in line.strip("|").split("|"))
        if line.startswith("|") and cells not in _TITLES and set(line) - set("|- "):
            assert len(cells) == 2, line
            found.append(cells)
    return found


PROMISES = [*rows(MODEL), *rows(SECURITY)]


def named_in(path: str) -> set[str]:
    """The names of the tests of a file, none of them switched off."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {
        each.name
        for each in ast.walk(tree)
        if isinstance(each, ast.FunctionDef)
        and each.name.startswith("test_")
        and not any("mark.skip(" in ast.unparse(mark) for mark in each.decorator_list)
    }


@pytest.mark.parametrize(("promise", "shown"), PROMISES, ids=[row[0][:60] for row in PROMISES])
def test_every_promise_names_a_test_that_is_there(promise, shown):
    del promise
    named = _NAMED.findall(shown)
    assert any(path.rsplit("/", 1)[-1].startswith("test_") for path, _ in named)
    for path, name in named:
        if path.rsplit("/", 1)[-1].startswith("test_"):
            assert named_in(path), path
            assert not name or name in named_in(path), (path, name)
        else:
            assert (ROOT / path).exists(), path


def test_no_promise_stands_outside_a_table_that_is_read():
    sections = MODEL.split("\n## ")[1:]
    assert all("| What holds | The test |" in each for each in sections[:-1])
    assert sections[-1].startswith("What is not promised")
    assert len(rows(MODEL)) >= 25


def test_the_ways_to_report_are_linked_both_ways():
    assert "SECURITY.md" in MODEL
    assert "docs/threat-model.md" in SECURITY
