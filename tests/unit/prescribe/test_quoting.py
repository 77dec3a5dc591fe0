"""What is printed is what the shell hands to the program."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gpudoctor.model.terms.shell import cmd, environment, posix, powershell

words = st.lists(
    st.text(st.characters(codec="utf-8", exclude_characters="\0\r\n"), max_size=12),
    min_size=1,
    max_size=4,
)
awkward = st.text("ab \"'\\$`!&|<>^%();*?~#=[]{}@,-", max_size=10)


def c_runtime(line):
    """Windows' rules for splitting a command line, as the C runtime has them."""
    result, word, quoted, position, started = [], "", False, 0, False
    while position < len(line):
        character = line[position]
        if character == "\\":
            run = len(line[position:]) - len(line[position:].lstrip("\\"))
            position += run
            if position < len(line) and line[position] == '"':
                word += "\\" * (run // 2)
                if run % 2:
                    word += '"'
                    position += 1
            else:
                word += "\\" * run
            started = True
            continue
        if character == '"':
            quoted, started = not quoted, True
        elif character == " " and not quoted:
            if started:
                result.append(word)
            word, started = "", False
        else:
            word, started = word + character, True
        position += 1
    return [*result, word] if started else result


def cmd_prompt(line):
    """What cmd hands on: carets taken away outside of quotes; operators there are an error."""
    result, quoted, position = "", False, 0
    while position < len(line):
        character = line[position]
        if character == '"':
            quoted = not quoted
        if character == "^" and not quoted:
            position += 1
            result += line[position]
        else:
            assert quoted or character not in "&|<>()", line
            result += character
        position += 1
    return result


def powershell_words(line):
    """The words of a PowerShell line that has only plain and single-quoted words."""
    result, position = [], 0
    while position < len(line):
        if line[position] == " ":
            position += 1
        elif line[position] == "'":
            word, position = "", position + 1
            while line[position] != "'" or line[position + 1 : position + 2] == "'":
                word += line[position]
                position += 2 if line[position] in "'\u2018\u2019\u201a\u201b" else 1
            result.append(word)
            position += 1
        else:
            end = line.find(" ", position)
            end = len(line) if end < 0 else end
            word = line[position:end]
            assert not set(word) & set("$`\"'(){};,|&<>@#"), line
            result.append(word)
            position = end
    return result


@pytest.mark.skipif(sys.platform == "win32", reason="there is no /bin/sh")
@given(st.lists(awkward, min_size=1, max_size=4))
@example(["a b", "it's", "", "~", "=ls", "$HOME", "`x`", "a\\"])
@settings(max_examples=60, deadline=None)
def test_a_real_posix_shell_hands_the_words_on(argv):
    print_them = "import sys; sys.stdout.write('\\0'.join(sys.argv[1:]))"
    line = posix([sys.executable, "-c", print_them, *argv])
    out = subprocess.run(["/bin/sh", "-c", line], capture_output=True, text=True, check=True)
    assert out.stdout.split("\0") == argv


@given(words)
@settings(max_examples=300)
def test_cmd_and_the_c_runtime_hand_the_words_on(argv):
    argv = [word for word in argv if not set(word) & set("\t")] or ["a"]
    assert c_runtime(cmd_prompt(cmd(argv))) == argv


@given(st.lists(awkward, min_size=1, max_size=4))
def test_cmd_sees_no_variable_and_no_operator(argv):
    assert c_runtime(cmd_prompt(cmd(argv))) == argv


@given(st.lists(awkward, min_size=1, max_size=4))
def test_powershell_hands_the_words_on(argv):
    line = powershell(argv)
    assert powershell_words(line.removeprefix("& ")) == argv
    assert line.startswith("& '") == line.removeprefix("& ").startswith("'")


def test_plain_requirements_are_left_plain_in_every_shell():
    argv = [
        "python",
        "-m",
        "pip",
        "install",
        "torch==2.9.1+cu128",
        "--index-url",
        "https://h/cu128",
    ]
    assert posix(argv) == powershell(argv) == cmd(argv) == " ".join(argv)


@pytest.mark.parametrize("word", ["torch>=2.9", "torch<3", "torch[device-gfx1100]"])
def test_specifiers_are_quoted_where_a_shell_would_redirect(word):
    assert posix(["pip", word]) == f"pip '{word}'"
    if "[" not in word:
        assert powershell(["pip", word]) == f"pip '{word}'"
        assert cmd(["pip", word]) == f'pip "{word}"'


def test_a_path_with_spaces_is_called_in_powershell_and_quoted_in_cmd():
    argv = [r"C:\Program Files\Python312\python.exe", "-m", "pip"]
    assert powershell(argv) == r"& 'C:\Program Files\Python312\python.exe' -m pip"
    assert cmd(argv) == r'"C:\Program Files\Python312\python.exe" -m pip'


def test_environment_variables_are_set_and_removed_in_each_shell():
    assert environment("A", "x y") == ("export A='x y'", "$env:A = 'x y'", 'set "A=x y"')
    assert environment("A", None) == ("unset A", "Remove-Item Env:A", "set A=")


@pytest.mark.skipif(shutil.which("pwsh") is None, reason="needs PowerShell")
def test_a_real_powershell_hands_the_words_on():
    argv = ["a b", "it's", "torch>=2.9", "x;y", "$HOME", "(z)", "@w", "--index-url"]
    line = powershell([sys.executable, "-c", "import sys; print(sys.argv[1:])", *argv])
    out = subprocess.run(["pwsh", "-c", line], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == str(argv)
