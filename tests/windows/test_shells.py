"""A printed command, typed into cmd: the program gets the very words that were meant."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from gpudoctor.model.terms.shell import cmd
from windows.machine import Wine

Typed = Callable[..., list[list[str]]]
WORDS = (
    ["plain", "two words", "Tom & Jerry", "C:\\Program Files (x86)\\x", "it's", ""],
    ["a;b,c=d", "a^b", "a|b", "a>b", "<3.6", "torch==2.9.1+cu128", "tail\\", "two tails\\\\"],
    ["Müller", "Ж", "100% of it", "!important", "@file", "~", "$HOME", "`x`", "{a}", "[b]"],
)
_TYPED = """
import json, os, subprocess, sys
for line in json.load(open("lines.json", encoding="utf-8")):
    # As cmd is handed a line that a person types: nothing quotes it once more.
    whole = 'cmd.exe /d /s /c "' + line.replace("{python}", sys.executable) + '"'
    subprocess.run(whole, check=True)
"""
_SHOW = "import json, sys; print(json.dumps(sys.argv[1:]), flush=True)\n"


@pytest.fixture
def typed(wine: Wine, tmp_path: Path) -> Typed:
    def run(*commands: list[str]) -> list[list[str]]:
        (tmp_path / "show.py").write_text(_SHOW, encoding="utf-8")
        lines = [
            cmd(["{python}", "show.py", *words]).replace('"{python}"', "{python}")
            for words in commands
        ]
        (tmp_path / "lines.json").write_text(json.dumps(lines), encoding="utf-8")
        said = wine.python(_TYPED, folder=tmp_path)
        assert said.code == 0, said
        return [json.loads(line) for line in said.stdout.splitlines()]

    return run


def test_words_of_every_kind_arrive_as_they_were(typed: Typed) -> None:
    assert typed(*WORDS) == [list(words) for words in WORDS]


def test_a_percent_sign_that_names_no_variable_stays(typed: Typed) -> None:
    # `^%PATH^%` too on a real Windows, where cmd looks for a variable called `PATH^`; not in Wine.
    assert typed(["100%", "%~dp0", "5%,6%"]) == [["100%", "%~dp0", "5%,6%"]]
