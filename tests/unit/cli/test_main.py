from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys

import pytest

from gpudoctor import __version__
from gpudoctor.cli import main, manual


def gpudoctor(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "gpudoctor", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        **options,
    )


def test_the_version_is_told_without_loading_typer():
    code = (
        "import sys; from gpudoctor.cli import main; main.run(['--version']);"
        "sys.exit(bool({'typer', 'click', 'rich', 'json'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"gpudoctor {__version__}"


def test_help_lists_every_command_and_no_other():
    shown = gpudoctor("--help").stdout
    listed = shown.split("Commands:")[1].split("\n")
    assert tuple(
        line.split()[0] for line in listed if line.startswith("  ") and line[2] != " "
    ) == (main.COMMANDS)
    assert "..." not in shown.split("Commands:")[1], "no sentence is cut off"


@pytest.mark.parametrize("command", main.COMMANDS)
def test_every_command_explains_itself(command):
    done = gpudoctor(command, "--help")
    assert done.returncode == 0
    assert f"Usage: gpudoctor {command}" in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["bogus"],
        ["check", "--bogus"],
        ["run", "--bogus", "--", "true"],
        ["check", "--timeout", "soon"],
        ["check", "--timeout", "-1"],
        ["check", "--format", "yaml"],
        ["check", "--fail-on", "rain"],
        ["check", "--smoke", "gentle"],
        ["check", "--color", "mauve"],
        ["check", "--output", "report.json"],
        ["check", "--select", "GPU9999"],
        ["check", "--policy", "/nowhere.yaml"],
        ["check", "--facts", "/nowhere.json"],
        ["check", "--python", "/nowhere"],
        ["explain"],
        ["explain", "sm_999"],
        ["explain", "torch-lack-arch"],
        ["facts", "--format", "sarif"],
        ["fix", "--forget", "nothing-like-it"],
        ["fix", "--tool", "apt"],
        ["fix", "--channel", "beta"],
        ["fix", "--torch", "not a version"],
        ["fix", "--index-url", "gopher://x"],
    ],
)
def test_wrong_usage_is_one_line_and_exit_2(arguments, tmp_path):
    done = gpudoctor(*arguments, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1
    assert done.stderr.startswith("gpudoctor: ")


def test_its_own_fault_is_one_line_and_exit_4(monkeypatch, capsys):
    def stumble(_arguments):
        raise ZeroDivisionError("a\x1b[31m bug\nin two lines")

    monkeypatch.setattr(main, "_dispatch", stumble)
    assert main.run(["kb", "--help"]) == 4
    said = capsys.readouterr().err
    assert said.startswith("gpudoctor: gpudoctor itself failed: ZeroDivisionError")
    assert "\x1b" not in said
    assert said.count("\n") == 1


def test_an_interruption_is_exit_130(monkeypatch, capsys):
    def interrupted(_arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(main, "_dispatch", interrupted)
    assert main.run(["kb", "--help"]) == 130
    assert capsys.readouterr().err == "gpudoctor: interrupted\n"


def test_a_closed_stdout_changes_no_exit_code():
    program = "import os, sys; os.close(1); from gpudoctor.cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program, "explain", "GPU201"],
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_reader_that_goes_away_hears_no_complaint():
    done = subprocess.run(
        f"{sys.executable} -m gpudoctor explain sm_90 | head -c 1",
        shell=True,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""


@pytest.mark.parametrize("what", ["GPU201", "torch-lacks-arch-new-gpu", "sm_120", "12.0", "sm_90a"])
def test_explain_answers_for_codes_names_and_architectures(what):
    done = gpudoctor("explain", what)
    assert done.returncode == 0
    assert len(done.stdout) > 200


def test_explain_names_what_an_ambiguous_name_may_mean():
    shown = gpudoctor("explain", "rtx", "6000").stdout
    assert "Turing" in shown
    assert "Ada" in shown
    assert "Blackwell" in shown


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is always full")
@pytest.mark.parametrize(
    "arguments", [["explain", "GPU201"], ["--version"], ["--help"], ["kb", "--json"]]
)
def test_output_that_is_lost_is_an_error_of_its_own(arguments):
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "gpudoctor", *arguments],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 4
    assert done.stderr == "gpudoctor: the output cannot be written: No space left on device\n"


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    target = tmp_path / "report.json"
    target.write_text("the old one")
    assert gpudoctor("explain", "sm_90", "--output", f"json={target}").returncode == 0
    assert json.loads(target.read_text())["subject"] == "sm_90"
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]
    refused = gpudoctor("explain", "sm_90", "--output", f"json={tmp_path}/no/such.json")
    assert refused.returncode == 2


def test_a_job_summary_is_added_to(tmp_path):
    summary = tmp_path / "summary.md"
    summary.write_text("# Earlier\n")
    sheet = tmp_path / "m.json"
    sheet.write_text('{"facts": {"gpus": []}}')
    env = {**os.environ, "GITHUB_STEP_SUMMARY": str(summary)}
    done = gpudoctor("check", "--facts", str(sheet), "--format", "github", env=env)
    assert done.stdout.startswith("::")
    assert summary.read_text().startswith("# Earlier\n## gpudoctor: ")


@pytest.mark.parametrize("command", main.COMMANDS)
def test_every_help_shows_examples_that_are_read_and_exit_codes(command):
    shown = gpudoctor("help", command).stdout
    assert shown == gpudoctor(command, "--help").stdout
    assert "Examples:" in shown
    assert "Exit codes:" in shown


@pytest.mark.parametrize(
    "line",
    [line for examples, _ in manual.COMMANDS.values() for line, _ in examples],
)
def test_the_options_of_an_example_exist(line):
    words = shlex.split(line.split("|")[-1].split(">")[0].split(" -- ")[0])
    known = gpudoctor(words[1], "--help").stdout
    for word in words[2:]:
        assert not word.startswith("--") or word in known, f"{word} is no option of {words[1]}"


def test_the_manual_page_names_every_command_and_option():
    done = subprocess.run(
        [sys.executable, "-m", "gpudoctor.cli.manual"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith(".TH GPUDOCTOR 1")
    for command in main.COMMANDS:
        assert f".SS gpudoctor {command}\n" in done.stdout
    assert "\\-\\-fail\\-on LEVEL" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "near"),
    [(["chek"], "'check'"), (["check", "--fact", "x"], "--facts"), (["kb", "shw"], "'show'")],
)
def test_a_typing_error_is_answered_with_the_nearest(arguments, near):
    done = gpudoctor(*arguments)
    assert done.returncode == 2
    assert near in done.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_completion_is_there_for_every_shell(shell):
    env = {**os.environ, "_GPUDOCTOR_COMPLETE": f"source_{shell}", "_TYPER_COMPLETE_TESTING": "1"}
    done = gpudoctor(env=env)
    assert "_GPUDOCTOR_COMPLETE" in done.stdout


def test_completion_knows_the_commands():
    env = {
        **os.environ,
        "_GPUDOCTOR_COMPLETE": "complete_bash",
        "COMP_WORDS": "gpudoctor ex",
        "COMP_CWORD": "1",
    }
    assert gpudoctor(env=env).stdout.strip() == "explain"


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
def test_fish_completes_commands_and_options_once_that_is_installed(tmp_path):
    program = tmp_path / "bin" / "gpudoctor"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m gpudoctor "$@"\n')
    program.chmod(0o755)
    env = {**os.environ, "HOME": str(tmp_path), "PATH": f"{program.parent}:{os.environ['PATH']}"}
    env.pop("XDG_CONFIG_HOME", None)

    def fish(script):
        done = subprocess.run(["fish", "-c", script], env=env, capture_output=True, text=True)
        return done.stdout

    assert "installed" in fish("gpudoctor --install-completion")
    assert fish('complete -C "gpudoctor ch"').startswith("check\t")
    assert fish('complete -C "gpudoctor check --fac"').startswith("--facts\t")


@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
def test_zsh_loads_the_completion_that_is_installed(tmp_path):
    program = tmp_path / "bin" / "gpudoctor"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m gpudoctor "$@"\n')
    program.chmod(0o755)
    env = {**os.environ, "HOME": str(tmp_path), "PATH": f"{program.parent}:{os.environ['PATH']}"}
    env.pop("ZDOTDIR", None)
    for script in ("gpudoctor --install-completion; true", 'echo "${_comps[gpudoctor]}"'):
        done = subprocess.run(["zsh", "-ic", script], env=env, capture_output=True, text=True)
    assert done.stdout.strip().endswith("_gpudoctor")


def test_the_age_of_the_knowledge_is_told():
    assert "knowledge of 20" in gpudoctor("--version", "-v").stdout
    assert re.search(r"Knowledge base [\d.]+ \(.*(old|today|clock)", gpudoctor("kb").stdout)


@pytest.mark.parametrize("encoding", ["cp1252", "cp866", "ascii"])
def test_an_old_code_page_gets_plain_letters_on_both_streams(encoding):
    env = {**os.environ, "PYTHONIOENCODING": encoding}
    for arguments in (["explain", "GPU201"], ["explain", "sm_→"], ["plan", "--gpu", "5060 ti"]):
        done = subprocess.run(
            [sys.executable, "-m", "gpudoctor", *arguments],
            env=env,
            capture_output=True,
            check=False,
        )
        assert done.returncode in (0, 2)
        assert b"\\u" not in done.stdout + done.stderr
