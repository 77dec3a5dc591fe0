"""The entry point: finds the command, loads only that one, and turns errors into exit codes.

Start-up is a feature. `--version` is answered before typer is imported, and `gpudoctor check`
loads the module of `check` alone; every command is loaded only to print the list of commands.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from gpudoctor import __version__
from gpudoctor.errors import GpuDoctorError

TYPE_CHECKING = False  # importing typing would cost 7 ms of `--version`
if TYPE_CHECKING:
    from typing import Any

    from gpudoctor.cli.command import CommandDefinition

COMMANDS = (
    "check",
    "fix",
    "plan",
    "smoke",
    "scan",
    "triage",
    "run",
    "report",
    "explain",
    "facts",
    "kb",
)
"""In the order in which people need them; each has a module of its name in `commands/`."""

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave with its exit code."""
    # Nearly all that a start makes, it keeps: Python's usual 700 objects between two searches for
    # garbage would have it searched in vain some thirty times, a twentieth of a check.
    gc.set_threshold(20_000)
    if None in (sys.stdin, sys.stdout, sys.stderr):
        _stand_in_for_what_is_closed()
    words = list(sys.argv[1:] if arguments is None else arguments)
    clicked = not words and _double_clicked()
    code = run(["check"] if clicked else words)
    if runner := sys.modules.get("gpudoctor.collect.process.runner"):
        runner.kill_all()
    code = _close_stdout(code)
    if clicked:
        _let_it_be_read()
    if code == INTERRUPTED:
        _leave_at_once(code)
    # Windows counts exit codes to 2**32 (an access violation is 0xC0000005), Python only to half
    # of it: the same 32 bits, read with a sign.
    sys.exit(code - (1 << 32) if code >= 1 << 31 else code)


def _stand_in_for_what_is_closed() -> None:
    """Open nothing where the caller closed a standard stream (`>&-`).

    Else the next file that is opened becomes that stream, and a child writes into it.
    """
    for descriptor, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            try:
                os.fstat(descriptor)
            except OSError:
                os.open(os.devnull, os.O_RDWR)  # takes the lowest that is free: this one
            mode = "w" if descriptor else "r"
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115 - to the end


def _double_clicked() -> bool:
    """Whether a double-click in Explorer started us: it asks for what most people want."""
    if sys.platform == "win32":
        from gpudoctor.collect.process import console

        return console.is_ours_alone()
    return False


def _let_it_be_read() -> None:
    """Keep the window until a key is pressed: it would close with the answer in it."""
    from gpudoctor.collect.process import console

    try:
        sys.stdout.write("\nPress any key to close this window.")
        sys.stdout.flush()
        console.wait_for_a_key()
    except (OSError, ValueError, KeyboardInterrupt):  # the window is gone already
        pass


def _leave_at_once(code: int) -> None:
    """End without Python's own end, which would turn the code into death by SIGINT.

    CPython remembers a KeyboardInterrupt that passed through `exec` of a text (as dataclasses do
    it), also where it was handled, and then ends with the signal instead of the exit code.
    """
    if sys.stderr is not None:
        try:
            sys.stderr.flush()
        except (OSError, ValueError):
            pass
    os._exit(code)


def run(arguments: list[str]) -> int:
    """Run one command; the result is the exit code, and no exception leaves."""
    try:
        if arguments[:1] in (["--version"], ["-V"]):
            sys.stdout.write(f"gpudoctor {__version__}\n")
            if arguments[1:] in (["-v"], ["--verbose"]):
                sys.stdout.write(_about())
            return 0
        if arguments[:1] == ["help"]:
            arguments = [*arguments[1:], "--help"]
        if _looks_at_this_machine(arguments):
            from gpudoctor.collect.driver.asking import start_early

            start_early(os.environ)
        if arguments and arguments[0] in COMMANDS:
            # The common forms are read without typer, whose import takes longer than most commands.
            code = _definition(arguments[0]).plain(arguments[1:])
            if code is not None:
                return code
        return _dispatch(arguments)
    except GpuDoctorError as error:
        return complain(str(error), error.exit_code)
    except BrokenPipeError:
        return 0
    except KeyboardInterrupt:
        return complain("interrupted", INTERRUPTED)
    except RecursionError:
        return complain("gpudoctor itself failed: the input is nested too deeply", 4)
    except OSError as error:
        from gpudoctor.cli import output

        if error.errno not in output.FULL:
            return complain(_own_fault(error), 4)
        output.mute_stdout()
        return complain(f"the output cannot be written: {error.strerror}", 4)
    except Exception as error:  # the last guard: no traceback reaches a user
        return complain(_own_fault(error), 4)


def _about() -> str:
    """What `--version -v` says besides: the knowledge and its age, and who runs this."""
    from gpudoctor.kb import info

    python = ".".join(map(str, sys.version_info[:3]))
    return f"knowledge of {info.date()} ({info.age()})\nPython {python}, {sys.executable}\n"


def _looks_at_this_machine(arguments: list[str]) -> bool:
    """Whether the driver will be asked for certain: it may be asked while typer is imported."""
    others = ("--facts", "--facts=", "--help", "-h")
    return arguments[:1] == ["check"] and not any(word.startswith(others) for word in arguments)


def complain(message: str, code: int) -> int:
    """One line on stderr, made inert; the result is `code`."""
    from gpudoctor.collect.long_paths import ordinary_text
    from gpudoctor.report.inert import inert, no_credentials

    try:
        encoding = sys.stderr.encoding or "ascii"
        clean = inert(no_credentials(ordinary_text(message)))
        said = clean.encode(encoding, "replace").decode(encoding)
        sys.stderr.write(f"gpudoctor: {said}\n")
        sys.stderr.flush()
    except (OSError, ValueError):  # nobody can read it: the exit code still tells
        sys.stderr = None  # else Python's own end tries again, and ends with 120
    return code


def application(commands: Sequence[str]) -> Any:
    """The typer application with these commands."""
    import typer

    from gpudoctor.cli import manual

    app = typer.Typer(
        name="gpudoctor",
        help="Says whether PyTorch will run on this machine's GPUs, why not, and what to type.",
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )

    @app.callback(invoke_without_command=True)
    def _root(
        version: bool = typer.Option(False, "--version", "-V", help="Print the version."),
    ) -> None:
        if version:
            sys.stdout.write(f"gpudoctor {__version__}\n")
            raise typer.Exit

    for name in commands:
        _definition(name).register(app, epilog=manual.epilog(name))
    return app


def _definition(name: str) -> CommandDefinition:
    definition: CommandDefinition = import_module(f"gpudoctor.cli.commands.{name}").COMMAND
    return definition


def _dispatch(arguments: list[str]) -> int:
    import typer

    wanted = next((word for word in arguments if not word.startswith("-")), "")
    app = application((wanted,) if wanted in COMMANDS else COMMANDS)
    try:
        result = app(args=arguments, prog_name="gpudoctor", standalone_mode=False)
    except typer.Abort:
        return complain("interrupted", INTERRUPTED)
    except typer.Exit as leaving:
        return leaving.exit_code
    except SystemExit:
        return 0  # click's, where the reader of a help has gone; its own code would be 1
    except Exception as error:
        # Releases of typer differ in where click lives (beside it, or inside it), so what is
        # wrong usage is told by the two things that click's exceptions have in all of them.
        if not hasattr(error, "format_message") or not hasattr(error, "exit_code"):
            raise
        return _wrong_usage(error)
    if result == INTERRUPTED and wanted != "run":
        # typer turns Ctrl-C into this code, and says nothing. After `run` it is the command's own.
        return complain("interrupted", INTERRUPTED)
    return result if isinstance(result, int) else 0


def _wrong_usage(error: Exception) -> int:
    """Click's sentence as one line with where to read on; help that was asked for is printed."""
    message: str = getattr(error, "format_message", lambda: str(error))()
    if type(error).__name__ == "NoArgsIsHelpError":
        sys.stdout.write(message + "\n")
        return 2
    return complain(_usage(error, message), 2)


def _usage(error: object, message: str) -> str:
    context = getattr(error, "ctx", None)
    where = context.command_path if context is not None else "gpudoctor"
    return f"{' '.join(message.split())} (see `{where} --help`)"


def _own_fault(error: Exception) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = ""
    if trace is not None:
        file = trace.tb_frame.f_code.co_filename.replace("\\", "/").rsplit("/", 1)[-1]
        where = f" in {file}, line {trace.tb_lineno}"
    return f"gpudoctor itself failed: {type(error).__name__}: {error}{where}"


def _close_stdout(code: int) -> int:
    """Flush now, so that a reader who has gone makes no noise when Python shuts down.

    The exit code is `code`, or 4 where output that was wanted is lost.
    """
    if sys.stdout is None:  # the caller closed it before we started
        return code
    try:
        sys.stdout.flush()
    except (OSError, ValueError) as error:
        from gpudoctor.cli import output

        output.mute_stdout()
        if reason := output.unwritten(error):
            return complain(reason, 4)
    return code
