"""A command line that is read without typer means what typer makes of it."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpudoctor.cli import main
from gpudoctor.cli.command import CommandDefinition
from gpudoctor.cli.plain import read

COMMANDS: dict[str, CommandDefinition] = {
    name: import_module(f"gpudoctor.cli.commands.{name}").COMMAND for name in main.COMMANDS
}
REPORT_FLAGS = {
    "--json": ("json", True),
    "-q": ("quiet", True),
    "--quiet": ("quiet", True),
    "-v": ("verbose", 1),
}
WORDS = (
    *REPORT_FLAGS,
    *("--level", "--list", "--undo", "-y", "--expect", "--no-redact", "--cpu-fallback", "show"),
    *("--allow-cpu", "--from-source", "--gpu", "--driver", "--os", "--python", "--torch"),
    *("--facts", "--smoke", "--fail-on", "--color", "--policy", "--channel", "--tool", "--arch"),
    *("--timeout", "--help", "-h", "--", "-", "-vv", "--gpu=T4", "--nonsense", "T4", "off", ""),
)

PLAIN = tuple(
    f"{option} {value}".split()
    for option in ("--gpu", "--smoke", "--color", "--json", "-v", "a.so", "--driver", "show", "--")
    for value in ("off", "")
)
LINES = st.lists(
    st.one_of(st.sampled_from(PLAIN), st.sampled_from(WORDS).map(lambda word: [word])), max_size=4
).map(lambda parts: [word for part in parts for word in part])


@pytest.fixture
def meant(monkeypatch: pytest.MonkeyPatch):
    """What the plain reading and typer's pass to the command, each `None` where it does not."""

    def both(command: str, arguments: list[str]) -> tuple[Any, Any]:
        seen: list[dict[str, Any]] = []

        def note(_: Any, given: dict[str, Any]) -> int:
            seen.append({key: value or None for key, value in given.items()})
            return 0

        with monkeypatch.context() as patch:
            patch.setattr(CommandDefinition, "call", note)
            read_plainly = COMMANDS[command].plain
            plain = seen.pop() if read_plainly(arguments) is not None else None
            patch.setattr("sys.stdout", None)
            main._dispatch([command, *arguments])
        return plain, seen.pop() if seen else None

    return both


@pytest.mark.parametrize("command", [*COMMANDS])
def test_what_is_read_plainly_is_what_typer_reads(command, meant):
    read_plainly = 0

    @settings(max_examples=120, deadline=None)
    @given(LINES)
    def agree(arguments: list[str]) -> None:
        nonlocal read_plainly
        plain, typers = meant(command, arguments)
        if plain is not None:
            read_plainly += 1
            assert plain == typers

    agree()
    assert read_plainly


@pytest.mark.parametrize(
    ("command", "line"),
    [
        ("check", "--json --smoke off --python /opt/env"),
        ("check", "--format line --ignore GPU201 --ignore GPU305 -v"),
        ("scan", "a.so b.whl --gpu T4 --gpu sm_90 -q"),
        ("plan", "--gpu T4 --gpu H100 --driver 580 --os linux --json"),
        ("fix", "--dry-run --python /opt/env --torch 2.9.1"),
        ("run", "--cpu-fallback -- python train.py --lr 0.1 -- -v"),
        ("explain", "RTX 3090 --format markdown"),
        ("kb", "show gpus -q"),
    ],
)
def test_the_common_forms_are_read_plainly(command, line, meant):
    plain, typers = meant(command, line.split())
    assert plain is not None
    assert plain == typers


@pytest.mark.parametrize("line", ["-v -v", "--json --json", "--color", "--color -q", "--odd", "x"])
def test_what_is_not_plain_is_left_to_typer(line):
    assert read(line.split(), flags=REPORT_FLAGS, values={"--color": "color"}, lists={}) is None


def test_values_and_lists_reach_their_keywords():
    line = ["one", "--gpu", "A", "--fail-on", "never", "two", "--gpu", "B", "-q"]
    values, lists = {"--fail-on": "fail_on"}, {"--gpu": "gpus"}
    assert read(line, flags=REPORT_FLAGS, values=values, lists=lists, words="paths") == {
        "paths": ["one", "two"],
        "gpus": ["A", "B"],
        "fail_on": "never",
        "quiet": True,
    }
