"""The documents keep their promises: real output, every command, links that lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gpudoctor.cli.main import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests" / "machines" / "golden" / "rtx-5060-ti-on-cu124.txt"
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
_LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def test_the_readme_shows_what_the_program_really_prints():
    shown = README.split("```text\n")[1].split("```")[0]
    real = GOLDEN.read_text(encoding="utf-8").replace(
        "/tmp/gpudoctor-machines/venv", "~/train/.venv"
    )
    assert shown == real, "copy the golden report into the README"


def test_the_readme_lists_every_command_and_no_other():
    listed = re.findall(r"^\| `gpudoctor (\w+)", README, re.MULTILINE)
    assert sorted(listed) == sorted(COMMANDS)


def test_the_readme_has_one_command_to_run_and_one_to_test():
    lines = [line for line in README.splitlines() if line.startswith("python3 -m venv")]
    assert len(lines) == 2
    assert "gpudoctor check" in lines[0]
    assert "-m pytest" in lines[1]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_link_leads_to_a_file_that_is_there(document):
    for target in _LINK.findall(document.read_text(encoding="utf-8")):
        if "://" not in target and not target.startswith("mailto:"):
            assert (document.parent / target).exists(), f"{target} is not there"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_command_in_the_documents_exists(document):
    text = document.read_text(encoding="utf-8")
    for command in re.findall(r"(?<![\w./-])gpudoctor ([a-z]+)\b(?=[ `\n])", text):
        if command not in COMMANDS:
            sentence = text[max(0, text.index(f"gpudoctor {command}") - 1)]
            assert sentence not in "`$", f"gpudoctor {command} is no command"


def test_the_files_that_the_architecture_names_are_there():
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:[a-z_]+/)+[a-z_]+\.py)`", text))
    assert len(named) > 25
    places = (ROOT, ROOT / "src" / "gpudoctor")
    assert {name for name in named if not any((p / name).exists() for p in places)} == set()
