"""How the result of a command is put out: formats, files, colours, and what a stream can show."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Sequence
from typing import Literal, TextIO

from gpudoctor.errors import InternalError, UsageError
from gpudoctor.model.value import dataclass, replace
from gpudoctor.report.style import Style

FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC), errno.EIO)
"""What the system says where nothing more can be written."""

Render = Callable[[str, Style], str]
"""Makes the text of a result in one format."""


@dataclass(frozen=True, slots=True)
class Output:
    """Where and how a command puts out its result, as its last options say."""

    style: Style
    format: str = "text"
    files: tuple[tuple[str, str], ...] = ()
    """Format and path of each file that is to be written as well."""

    def emit(self, render: Render) -> None:
        """Write a result to stdout, and to the files that were asked for.

        Raises:
            UsageError: a file cannot be written.
            InternalError: what was to be said is lost, as on a full disk.
        """
        self.save(render)
        if self.format == "github" and (summary := os.environ.get("GITHUB_STEP_SUMMARY")):
            _append(summary, _without_credentials(render("markdown", _on_paper(self.style))))
        json = self.format in ("json", "jsonl", "sarif")
        write(_without_credentials(render(self.format, self.style), json=json))

    def save(self, render: Render) -> None:
        """Write a result to the files alone.

        Raises:
            UsageError: a file cannot be written.
        """
        for name, path in self.files:
            _put(path, _without_credentials(render(name, _on_paper(self.style))))

    def only(self, formats: Sequence[str]) -> None:
        """Refuse a format that is none of these before any work is done.

        Raises:
            UsageError: names the formats there are.
        """
        for name in (self.format, *(name for name, _ in self.files)):
            if name not in formats:
                raise UsageError(f"--format takes {', '.join(formats)}, not {name!r}")

    def as_verbose(self, verbose: int) -> Output:
        """The same, with another amount of detail."""
        return replace(self, style=replace(self.style, verbose=verbose))

    def progress(self, message: str) -> None:
        """One line of progress on stderr, unless `--quiet`."""
        progress(message, quiet=self.style.quiet)

    def step(self, message: str) -> None:
        """A line while somebody watches; a log has the results, and the steps with -v."""
        if self.style.verbose > 0 or (sys.stderr is not None and sys.stderr.isatty()):
            self.progress(message)


def files_of(entries: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Format and path of each `--output`.

    Raises:
        UsageError: one names no format or no path.
    """
    files = []
    for entry in entries:
        name, separator, path = entry.partition("=")
        if not separator or not path:
            raise UsageError(f"--output takes FORMAT=PATH, such as json=report.json, not {entry!r}")
        files.append((name, path))
    return tuple(files)


def style_for(
    color: str, *, quiet: bool = False, verbose: int = 0, stream: TextIO | None = None
) -> Style:
    """How to draw on a stream, stdout unless another is given: width, colour, detail."""
    stream = stream or sys.stdout
    colored = _use_color(color, stream)
    return Style(
        color=colored,
        width=_width(stream),
        verbose=verbose,
        quiet=quiet,
        unicode=_encodes_marks(stream),
        shell=_shell(),
        links=colored and _is_terminal(stream),
    )


def _on_paper(style: Style) -> Style:
    """The same, drawn in a file: no colours, and a width of its own."""
    return Style(color=False, width=100, verbose=style.verbose, shell=style.shell)


def _put(path: str, text: str) -> None:
    """The text in the file, whole or not at all: who reads it meanwhile finds the old one."""
    target = os.path.realpath(path)
    whole = os.path.isfile(target) or not os.path.exists(target)  # not a device, not a pipe
    beside = f"{target}.{os.getpid()}.part" if whole else target
    try:
        try:
            _write_file(beside, text)
        except PermissionError:  # the folder takes no new file; the file itself may be writable
            beside = target
            _write_file(target, text)
        if beside != target:
            os.replace(beside, target)
    except OSError as error:
        if beside != target:
            try:
                os.unlink(beside)
            except OSError:
                pass
        said = f"{path} cannot be written: {error.strerror}"
        raise (InternalError if error.errno in FULL else UsageError)(said) from None


def _write_file(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        file.write(text)


def _append(path: str, text: str) -> None:
    """Add to the summary of a job, to which other steps add as well."""
    try:
        with open(path, "a", encoding="utf-8", newline="\n") as file:
            file.write(text + "\n")
    except OSError as error:
        progress(f"gpudoctor: the job summary cannot be written: {error.strerror}")


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

    Raises:
        InternalError: what was to be said is lost, as on a full disk.
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
            stream.write(within(text, stream.encoding))
        stream.flush()
    except (OSError, ValueError) as error:
        mute_stdout()
        if reason := unwritten(error):
            raise InternalError(reason) from None


def within(text: str, encoding: str | None) -> str:
    """The text with the letters that an encoding lacks replaced by question marks."""
    name = encoding or "ascii"
    return text.encode(name, "replace").decode(name)


def unwritten(error: OSError | ValueError) -> str | None:
    """Why an output that somebody wanted is lost; `None` where nobody reads it any more."""
    if isinstance(error, ValueError) or error.errno in (errno.EPIPE, errno.EBADF, errno.EINVAL):
        return None  # closed by its reader, or by who started us (Windows says EINVAL)
    return f"the output cannot be written: {error.strerror}"


def _without_credentials(text: str, *, inert: bool = False, json: bool = False) -> str:
    """The last look at what is put out; `inert` for a line of progress, which nobody drew.

    `json`: it goes to a stream in which a CI runner looks for commands, and must keep its meaning.
    """
    from gpudoctor.report import inert as harmless

    clean = harmless.no_credentials(text)
    if json:
        return harmless.runner_command_as_json(clean)
    return harmless.inert(clean) if inert else clean


def progress(message: str, *, quiet: bool = False) -> None:
    """One line of progress on stderr."""
    if not quiet and sys.stderr is not None:
        try:
            sys.stderr.write(
                within(_without_credentials(message, inert=True), sys.stderr.encoding) + "\n"
            )
            sys.stderr.flush()
        except OSError:  # nobody reads it
            pass


def mute_stdout() -> None:
    """Send the rest nowhere, so that Python's own flush at exit stays silent."""
    try:
        descriptor = os.open(os.devnull, os.O_WRONLY)
        if descriptor != 1:  # a closed stdout leaves its number to the next file that is opened
            os.dup2(descriptor, 1)
            os.close(descriptor)
    except OSError:
        pass


def _use_color(color: str, stream: TextIO | None) -> bool:
    if color != "auto":
        return color == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    if os.environ.get("TERM") == "dumb" or os.environ.get("CI"):
        return False
    return _is_terminal(stream)


def _is_terminal(stream: TextIO | None) -> bool:
    try:
        return stream is not None and stream.isatty()
    except (AttributeError, ValueError):
        return False


def _encodes_marks(stream: TextIO | None) -> bool:
    """Whether a stream can show the marks; a Windows console with an old code page cannot."""
    try:
        "✓✗".encode((stream and stream.encoding) or "ascii")
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


def _width(stream: TextIO | None) -> int:
    """Columns of the terminal; 100 where there is none."""
    columns = os.environ.get("COLUMNS", "")
    if columns.isdigit() and int(columns) > 0:
        return max(40, int(columns))
    try:
        return max(40, os.get_terminal_size(stream.fileno() if stream else -1).columns)
    except (AttributeError, ValueError, OSError):
        return 100
