"""A command as one value: its options, read by typer and by the plain reader alike."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

from gpudoctor.cli.output import Output, files_of, style_for
from gpudoctor.cli.plain import read
from gpudoctor.errors import UsageError
from gpudoctor.model.lazy import later
from gpudoctor.model.value import dataclass
from gpudoctor.report import FORMATS

if TYPE_CHECKING:
    import inspect

    import typer
else:  # their import takes longer than a plain command
    inspect = later("inspect")
    typer = later("typer")

Kind = Literal["text", "many", "seconds", "flag", "count"]


@dataclass(frozen=True, slots=True)
class CommandOption:
    """One option, or the words that are none; its keyword is its last name, unless one is given."""

    names: str
    """`-q --quiet`"""
    help: str | None = None
    metavar: str | None = None
    kind: Kind = "text"
    default: str | None = None
    called: str = ""
    choices: tuple[str, ...] = ()
    """The values there are, where the command itself does not say."""
    required: bool = True
    """Of words that are no option: whether there must be any."""

    @property
    def keyword(self) -> str:
        """The keyword of the function that runs the command."""
        return self.called or self.names.split()[-1].lstrip("-").replace("-", "_")

    @property
    def absent(self) -> Any:
        """The value where the option is not given."""
        return {"flag": False, "count": 0, "many": ()}.get(self.kind, self.default)

    @property
    def annotation(self) -> Any:
        """The type by which typer reads it."""
        if self.kind == "many":
            return list[str] if self.names[0] != "-" and self.required else list[str] | None
        if self.kind == "text":
            return str if self.default is not None or self.names[0] != "-" else str | None
        return {"seconds": float | None, "flag": bool, "count": int}[self.kind]

    def checked(self, value: Any) -> Any:
        """The value, as the command takes it.

        Raises:
            UsageError: it is none of the choices, or no length of time.
        """
        if self.kind == "many":
            return tuple(value or ())
        if self.kind == "seconds" and value is not None and not 0 < value < 1e6:
            raise UsageError(f"{self.names} takes a number of seconds above 0")
        if self.choices and value not in (*self.choices, self.default):
            listed = f"{', '.join(self.choices[:-1])} or {self.choices[-1]}"
            raise UsageError(f"{self.names} takes {listed}, not {value!r}")
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandDefinition:
    """A command; what runs it takes the output, a keyword for each option, gives the exit code."""

    name: str
    help: str
    short: str | None = None
    operand: CommandOption | None = None
    """The words that are no options, where the command takes any."""
    options: tuple[CommandOption, ...] = ()
    formats: tuple[str, ...] = FORMATS
    """What it can be written in; none: it speaks on stderr alone."""
    default_format: str = "text"
    starts_another: bool = False
    """Whether the operand is a command line, whose options are not ours."""
    subcommands: tuple[CommandDefinition, ...] = ()
    run: Callable[..., int]

    @property
    def _all_options(self) -> tuple[CommandOption, ...]:
        return (*self.options, *_output_options(self.formats, self.default_format))

    def register(self, app: typer.Typer, epilog: str | None = None) -> None:
        """Add the command to typer's; `epilog` stands under its help."""
        if self.subcommands:
            group = typer.Typer(help=self.help)
            group.callback(invoke_without_command=True)(self._for_typer())
            for command in self.subcommands:
                command.register(group)
            app.add_typer(group, name=self.name, epilog=epilog)
            return
        context = {"ignore_unknown_options": True, "allow_interspersed_args": False}
        app.command(
            self.name,
            short_help=self.short,
            epilog=epilog,
            context_settings=context if self.starts_another else None,
        )(self._for_typer())

    def _for_typer(self) -> Callable[..., int | None]:
        """A function with the signature by which typer learns of the options."""

        def parameter(name: str, annotation: Any, default: Any) -> inspect.Parameter:
            kind = inspect.Parameter.KEYWORD_ONLY
            return inspect.Parameter(name, kind, default=default, annotation=annotation)

        parameters = []
        if self.subcommands:
            parameters.append(parameter("context", typer.Context, inspect.Parameter.empty))
        if (words := self.operand) is not None:
            read_as, word = words.annotation, typer.Argument(metavar=words.metavar, help=words.help)
            absent = inspect.Parameter.empty if words.required else None
            parameters.append(parameter(words.keyword, Annotated[read_as, word], absent))
        for option in self._all_options:
            more: dict[str, Any] = {"metavar": option.metavar, "help": option.help}
            if option.kind == "count":
                more |= {"count": True, "show_default": False}
            read_as, declared = option.annotation, typer.Option(*option.names.split(), **more)
            absent = None if option.kind == "many" else option.absent
            parameters.append(parameter(option.keyword, Annotated[read_as, declared], absent))

        def call(context: typer.Context | None = None, **given: Any) -> int | None:
            if context is not None and context.invoked_subcommand is not None:
                return None
            return self.call(given)

        call.__doc__ = self.help
        call.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # PEP 362
        call.__annotations__ = {each.name: each.annotation for each in parameters}
        return call

    def plain(self, arguments: Sequence[str]) -> int | None:
        """Run it with these arguments, if they are plain; `None`: they are not, nothing was done.

        Raises:
            UsageError: as the command.
        """
        for command in self.subcommands:
            if arguments[:1] == [command.name]:
                return command.plain(arguments[1:])
        words: list[str] | None = None
        if self.starts_another:
            if "--" not in arguments:
                return None
            end = arguments.index("--")
            arguments, words = arguments[:end], list(arguments[end + 1 :])
        by_kind: dict[Kind, dict[str, str]] = {}
        for option in self._all_options:
            names = dict.fromkeys(option.names.split(), option.keyword)
            by_kind.setdefault(option.kind, {}).update(names)
        flags = {word: (name, True) for word, name in by_kind.get("flag", {}).items()}
        counts = {word: (name, 1) for word, name in by_kind.get("count", {}).items()}
        operand = self.operand
        chosen = read(
            arguments,
            flags={**flags, **counts},
            values=by_kind.get("text", {}),
            lists=by_kind.get("many", {}),
            words=operand.keyword if operand and words is None else None,
        )
        if chosen is None:
            return None
        if operand is not None:
            words = chosen.get(operand.keyword, []) if words is None else words
            if (operand.required and not words) or (operand.kind == "text" and len(words) != 1):
                return None  # how many there must be is typer's to say
            chosen[operand.keyword] = words[0] if operand.kind == "text" else words
        absent = {option.keyword: option.absent for option in self._all_options}
        return self.call({**absent, **chosen})

    def call(self, given: dict[str, Any]) -> int:
        """Run it with a value for every option.

        Raises:
            UsageError: a value is not one that there is.
        """
        everything = (*self._all_options, *((self.operand,) if self.operand else ()))
        values = {each.keyword: each.checked(given[each.keyword]) for each in everything}
        as_json, format_ = values.pop("json", False), values.pop("format_", "text")
        style = style_for(
            values.pop("color"),
            quiet=values.pop("quiet"),
            verbose=values.pop("verbose"),
            stream=sys.stdout if self.formats else sys.stderr,
        )
        output = Output(style, "json" if as_json else format_, files_of(values.pop("output")))
        output.only(self.formats or FORMATS)
        return self.run(output, **values)


PYTHON = CommandOption("--python", "The interpreter or environment folder to examine.", "PATH")
TIMEOUT = CommandOption("--timeout", "Deadline of the whole command.", "SECONDS", "seconds")
SMOKE_LEVELS = ("off", "quick", "full")
FAIL_ON = CommandOption("--fail-on", "One of error, warning, never.", "LEVEL")


def _output_options(formats: Sequence[str], default: str) -> tuple[CommandOption, ...]:
    """The options that every command takes; without formats, there is none to choose."""
    choice = (
        CommandOption("--format", f"One of {', '.join(formats)}.", "FORMAT", default=default,
               called="format_"),
        CommandOption("--json", "The same as --format json.", kind="flag"),
    ) if formats else ()  # fmt: skip
    return (
        *choice,
        CommandOption("--output", "Write this format to a file as well.", "FORMAT=PATH", "many"),
        CommandOption("-q --quiet", "Say only what matters.", kind="flag"),
        CommandOption("-v --verbose", "Say more: facts, sources, timings.", kind="count"),
        CommandOption("--color", "One of auto, always, never.", "WHEN", default="auto",
               choices=("auto", "always", "never")),
    )  # fmt: skip
