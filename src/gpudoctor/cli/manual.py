"""What stands under the help of each command: examples and exit codes; and the manual page.

    python -m gpudoctor.cli.manual > gpudoctor.1

The page is made from the options that the command line itself reads.
"""

from __future__ import annotations

import sys
from typing import Any

from gpudoctor import __version__
from gpudoctor.cli import main

Examples = tuple[tuple[str, str], ...]

EXITS = {
    0: "nothing at or above --fail-on was found",
    1: "findings at or above --fail-on",
    2: "wrong usage, or an input that cannot be read",
    3: "it could not judge: a fact is unknown, or nothing was examined",
    4: "gpudoctor itself failed, or its output was lost",
    5: "a fix failed, and the environment is as it was",
    6: "a fix failed, and so did the restoration",
    130: "interrupted",
}
"""What each exit code means, where a command does not say otherwise."""

_JUDGING = {code: EXITS[code] for code in (0, 1, 2, 3)}
_ANSWERING = {0: "it answered", 2: EXITS[2]}

COMMANDS: dict[str, tuple[Examples, dict[int, str]]] = {
    "check": (
        (
            ("gpudoctor check", "this machine and the active environment"),
            ("gpudoctor check --python ~/train/.venv -q", "the verdict and the commands alone"),
            ("gpudoctor check --all", "every environment of this machine, in one table"),
            ("gpudoctor check --facts machine.json", "a machine that was saved with `facts`"),
            ("gpudoctor check --output junit=gpu.xml --fail-on warning", "in CI"),
        ),
        _JUDGING,
    ),
    "fix": (
        (
            ("gpudoctor fix --dry-run", "print the commands and change nothing"),
            ("gpudoctor fix --python ~/train/.venv", "cure it, after asking"),
            ("gpudoctor fix --undo", "put the last fix back"),
        ),
        {
            0: "cured, or nothing to do; with --dry-run: printed",
            1: "nothing can cure it, or what can is not ours to do",
            **{code: EXITS[code] for code in (2, 3, 5, 6)},
        },
    ),
    "plan": (
        (
            ('gpudoctor plan --gpu "5060 ti" --os windows --python 3.12', "a machine elsewhere"),
            (
                "gpudoctor plan --gpu T4 --requirements uv.lock",
                "does what it installs run there?",
            ),
        ),
        {0: "a plan; with --requirements: they run", 1: "impossible", 2: EXITS[2], 3: EXITS[3]},
    ),
    "smoke": (
        (
            ("gpudoctor smoke", "a few seconds of kernels on every GPU"),
            ("gpudoctor smoke --level full --device 0", "minutes, on one"),
        ),
        _JUDGING,
    ),
    "scan": (
        (
            ("gpudoctor scan .venv", "every library of an environment"),
            ("gpudoctor scan torch-2.9.1-*.whl --gpu sm_120", "will this wheel run there?"),
        ),
        {0: "it was read", 1: "something does not run on a GPU of --gpu", 2: EXITS[2], 3: EXITS[3]},
    ),
    "triage": (
        (
            ("gpudoctor triage train.log", "what went wrong there?"),
            ("python train.py 2>&1 | gpudoctor triage -", "the same through a pipe"),
        ),
        _ANSWERING,
    ),
    "run": (
        (
            ("gpudoctor run -- python train.py", "say why, if it dies of a GPU fault"),
            ("gpudoctor run --cpu-fallback -- python train.py", "or go on without a GPU"),
        ),
        {0: "the command's own code, whatever it is"},
    ),
    "report": (
        (
            ("gpudoctor report reports/ --expect 'n[01-48]'", "one table of a whole cluster"),
            ("cat *.jsonl | gpudoctor report - --format html", "as a page"),
        ),
        _JUDGING,
    ),
    "explain": (
        (
            ("gpudoctor explain GPU201", "a finding"),
            ("gpudoctor explain sm_120", "an architecture"),
            ("gpudoctor explain 803", "an error of the driver"),
        ),
        _ANSWERING,
    ),
    "facts": (
        (("gpudoctor facts > machine.json", "for an issue, or for `check --facts`"),),
        _ANSWERING,
    ),
    "kb": ((("gpudoctor kb show gpus", "one table"),), _ANSWERING),
}


def epilog(command: str) -> str:
    r"""Examples and exit codes under a command's help; `\b` keeps click from wrapping them."""
    examples, exits = COMMANDS.get(command, ((), {}))
    width = max((len(line) for line, _ in examples), default=0)
    shown = [f"  {line:<{width}}  {what}" if width < 56 else f"  {line}" for line, what in examples]
    codes = [f"  {code:<4} {meaning}" for code, meaning in exits.items()]
    return "\n".join(["\b", "Examples:", *shown, "", "\b", "Exit codes:", *codes])


def page() -> str:
    """The manual page, in roff (man(7))."""
    import typer.main

    from gpudoctor.kb import info

    root: Any = typer.main.get_command(main.application(main.COMMANDS))
    lines = [
        f'.TH GPUDOCTOR 1 "{info.date()}" "gpudoctor {__version__}" "User Commands"',
        ".SH NAME",
        "gpudoctor \\- will PyTorch run on the GPUs of this machine, and if not, what to type",
        ".SH SYNOPSIS",
        ".B gpudoctor",
        ".I command",
        "[options]",
        ".SH COMMANDS",
    ]
    for name in main.COMMANDS:
        command = root.commands[name]
        lines += [f".SS gpudoctor {name}", _roff(_first(command.help))]
        for option in command.params:
            flags = ", ".join((*option.opts, *option.secondary_opts))
            if flags.startswith("-"):
                value = f" {option.metavar}" if option.metavar else ""
                lines += [".TP", f".B {_roff(flags + value)}", _roff(option.help or "")]
        examples, exits = COMMANDS[name]
        lines += [".PP", "Examples:"]
        for example, what in examples:
            lines += [".TP", f".B {_roff(example)}", _roff(what)]
        lines += [".PP", "Exit codes:"]
        for code, meaning in exits.items():
            lines += [".TP", f".B {code}", _roff(meaning)]
    lines.append(".SH EXIT STATUS")
    for code, meaning in EXITS.items():
        lines += [".TP", f".B {code}", _roff(meaning)]
    return "\n".join(lines) + "\n"


def _first(help_: str | None) -> str:
    return " ".join((help_ or "").split("\n\n")[0].split())


def _roff(text: str) -> str:
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{escaped}" if escaped[:1] in (".", "'") else escaped


if __name__ == "__main__":
    sys.stdout.write(page())
