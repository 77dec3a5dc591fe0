"""How the result of a command is put out: formats, files, colours, and what stdout can show.

It stands apart from the options (`common.py`) because those need typer, whose import takes longer
than a command that only reads one file.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from typing import Literal

from gpudoctor.errors import UsageError
from gpudoctor.report import FORMATS as FORMATS
from gpudoctor.report.style import Style

Render = Callable[[str, Style], str]
"""Makes the text of a result in one format."""


def style_for(color: str, *, quiet: bool = False, verbose: int = 0) -> Style:
    """How to draw on this stdout: width, colour, detail.

    Raises:
        UsageError: `color` is not one of auto, always, never.
    """
    if color not in ("auto", "always", "never"):
        raise UsageError(f"--color takes auto, always or never, not {color!r}")
    return Style(
        color=_use_color(color),
        width=_width(),
        verbose=verbose,
        quiet=quiet,
        unicode=_encodes_marks(),
        shell=_shell(),
    )


def emit(
    render: Render,
    style: Style,
    *,
    format_: str = "text",
    json: bool = False,
    outputs: Sequence[str] | None = None,
    formats: Sequence[str] = FORMATS,
) -> None:
    """Write a result to stdout in the chosen format, and to the files that were asked for.

    Raises:
        UsageError: an unknown format, or a file that cannot be written.
    """
    chosen = "json" if json else format_
    _known(chosen, formats)
    save(render, style, outputs, formats)
    write(render(chosen, style))


def check_timeout(seconds: float | None) -> None:
    """Refuse a `--timeout` that is no length of time.

    Raises:
        UsageError: it is not above 0, or more than a million seconds.
    """
    if seconds is not None and not 0 < seconds < 1e6:
        raise UsageError("--timeout takes a number of seconds above 0")


def check_outputs(outputs: Sequence[str] | None, formats: Sequence[str] = FORMATS) -> None:
    """Refuse an `--output` that names no format or no path before any work is done.

    Raises:
        UsageError: says what it takes.
    """
    for entry in outputs or ():
        _target(entry, formats)


def save(
    render: Render,
    style: Style,
    outputs: Sequence[str] | None,
    formats: Sequence[str] = FORMATS,
) -> None:
    """Write a result to the files that `--output` names.

    Raises:
        UsageError: an unknown format, or a file that cannot be written.
    """
    targets = [_target(entry, formats) for entry in outputs or ()]
    for name, path in targets:
        text = render(name, Style(color=False, width=100, verbose=style.verbose))
        try:
            with open(path, "w", encoding="utf-8", newline="\n") as file:
                file.write(text)
        except OSError as error:
            raise UsageError(f"{path} cannot be written: {error.strerror}") from None


def check_format(name: str, formats: Sequence[str] = FORMATS) -> None:
    """Refuse an unknown format before any work is done.

    Raises:
        UsageError: names the formats there are.
    """
    _known(name, formats)


def read_input(path: str, limit: int = 256 * 2**20) -> bytes:
    """The bytes of a file, or of stdin for `-`.

    Raises:
        UsageError: it cannot be read, or holds more than `limit` bytes.
    """
    name = "standard input" if path == "-" else path
    try:
        if path == "-":
            data = sys.stdin.buffer.read(limit + 1)
        else:
            with open(path, "rb") as file:
                data = file.read(limit + 1)
    except OSError as error:
        raise UsageError(f"{name} cannot be read: {error.strerror}") from None
    except ValueError:
        raise UsageError(f"{name!r} is no file name") from None
    if len(data) > limit:
        raise UsageError(f"{name} is larger than {limit // 2**20} MiB")
    return data


def write(text: str) -> None:
    """Write to stdout; characters that its encoding lacks are replaced, never an error.

    A reader that has gone away is no error either: the exit code still tells the verdict.
    """
    stream = sys.stdout
    if stream is None:
        return
    try:
        if not text.endswith("\n") and text:
            text += "\n"
        try:
            stream.write(text)
        except UnicodeEncodeError:
            encoding = stream.encoding or "ascii"
            stream.write(text.encode(encoding, "replace").decode(encoding))
        stream.flush()
    except (OSError, ValueError):
        _mute_stdout()


def progress(message: str, *, quiet: bool = False) -> None:
    """One line of progress on stderr."""
    from gpudoctor.report.inert import inert

    if not quiet and sys.stderr is not None:
        try:
            sys.stderr.write(inert(message) + "\n")
            sys.stderr.flush()
        except OSError:  # nobody reads it
            pass


def _mute_stdout() -> None:
    """Send the rest nowhere, so that Python's own flush at exit stays silent."""
    try:
        descriptor = os.open(os.devnull, os.O_WRONLY)
        os.dup2(descriptor, 1)
        os.close(descriptor)
    except OSError:
        pass


def _known(name: str, formats: Sequence[str]) -> str:
    if name not in formats:
        raise UsageError(f"--format takes {', '.join(formats)}, not {name!r}")
    return name


def _target(entry: str, formats: Sequence[str]) -> tuple[str, str]:
    name, separator, path = entry.partition("=")
    if not separator or not path:
        raise UsageError(f"--output takes FORMAT=PATH, such as json=report.json, not {entry!r}")
    return _known(name, formats), path


def _use_color(color: str) -> bool:
    if color != "auto":
        return color == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    if os.environ.get("TERM") == "dumb" or os.environ.get("CI"):
        return False
    return _is_terminal()


def _is_terminal() -> bool:
    try:
        return sys.stdout.isatty()
    except (AttributeError, ValueError):
        return False


def _encodes_marks() -> bool:
    """Whether stdout can show the marks; a Windows console with an old code page cannot."""
    try:
        "✓✗".encode(sys.stdout.encoding or "ascii")
    except (AttributeError, LookupError, UnicodeEncodeError):
        return False
    return True


def _shell() -> Literal["posix", "powershell", "cmd"]:
    """The shell that commands are printed for.

    On Windows `PROMPT` is set by cmd and not by PowerShell, which sets PSModulePath for its
    children (about_Environment_Variables in the PowerShell documentation).
    """
    if os.name != "nt":
        return "posix"
    return "cmd" if os.environ.get("PROMPT") else "powershell"


def _width() -> int:
    """Columns of the terminal; 100 where there is none."""
    columns = os.environ.get("COLUMNS", "")
    if columns.isdigit() and int(columns) > 0:
        return max(40, int(columns))
    try:
        return max(40, os.get_terminal_size(sys.stdout.fileno()).columns)
    except (AttributeError, ValueError, OSError):
        return 100
