"""A double-click asks for a check, and its window stays until a key is pressed."""

from __future__ import annotations

import pytest

from gpudoctor.cli import main as entry
from gpudoctor.collect.process import console


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Each waiting for a key, with what was asked for before."""
    asked: list[str] = []

    def run(words: list[str]) -> int:
        asked.append(" ".join(words))
        return 1

    monkeypatch.setattr(entry, "run", run)
    monkeypatch.setattr(console, "wait_for_a_key", lambda: asked.append("<key>"))
    return asked


def test_a_window_of_our_own_shows_a_check_and_stays(
    waits: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(entry, "_double_clicked", lambda: True)
    with pytest.raises(SystemExit) as ended:
        entry.main([])
    assert (waits, ended.value.code) == (["check", "<key>"], 1)
    assert "Press any key" in capsys.readouterr().out


@pytest.mark.parametrize("words", [[], ["check"]])
def test_nothing_waits_elsewhere(waits: list[str], words: list[str]) -> None:
    with pytest.raises(SystemExit):
        entry.main(words)
    assert waits == [" ".join(words)]


def test_with_arguments_nobody_asks_whose_the_window_is(
    waits: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entry, "_double_clicked", lambda: True)
    with pytest.raises(SystemExit):
        entry.main(["--version"])
    assert waits == ["--version"]
