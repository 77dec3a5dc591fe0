"""A command as one value: its options, read by typer and by the plain reader alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

from gpudoctor.cli.plain import read
from gpudoctor.model.value import dataclass

if TYPE_CHECKING:  # typer's import takes longer than a plain command
    import typer

Kind = Literal["text", "many", "number", "flag", "count"]


@dataclass(frozen=True, slots=True)
class CommandOption:
    """One option; its keyword is made from its last name, unless one is given."""

    names: str
    """`-q --quiet`"""
    help: str
    metavar: str | None = None
    kind: Kind = "text"
    default: str | None = None
    called: str = ""

    @property
    def keyword(self) -> str:
        """The keyword of the function that runs the command."""
        return self.called or self.names.split()[-1].lstrip("-").replace("-", "_")

    @property
    def absent(self) -> Any:
        """The value where the option is not given."""
        return {"flag": False, "count": 0}.get(self.kind, self.default)


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandDefinition:
    """A command: what runs it takes a keyword for each option, and gives the exit code."""

    name: str
    help: str
    short: str | None = None
    operand: CommandOption | None = None
    """The one word that is no option, where the command needs one."""
    options: tuple[CommandOption, ...]
    run: Callable[..., int]

    def register(self, app: typer.Typer) -> None:
        """Add the command to typer's."""
        import inspect

        import typer

        kinds: dict[Kind, Any] = {
            "text": str | None,
            "many": list[str] | None,
            "number": float | None,
            "flag": bool,
            "count": int,
        }
        parameters = []
        if self.operand is not None:
            word = typer.Argument(metavar=self.operand.metavar, help=self.operand.help)
            parameters.append(
                inspect.Parameter(
                    self.operand.keyword,
                    inspect.Parameter.KEYWORD_ONLY,
                    annotation=Annotated[str, word],
                )
            )
        for option in self.options:
            more: dict[str, Any] = {"metavar": option.metavar, "help": option.help}
            if option.kind == "count":
                more |= {"count": True, "show_default": False}
            kind = str if option.default is not None else kinds[option.kind]
            declared = typer.Option(*option.names.split(), **more)
            parameters.append(
                inspect.Parameter(
                    option.keyword,
                    inspect.Parameter.KEYWORD_ONLY,
                    default=option.absent,
                    annotation=Annotated[kind, declared],
                )
            )

        def call(**given: Any) -> int:
            return self.call(given)

        call.__doc__ = self.help
        call.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # PEP 362
        call.__annotations__ = {each.name: each.annotation for each in parameters}
        app.command(self.name, short_help=self.short)(call)

    def plain(self, arguments: Sequence[str]) -> int | None:
        """Run it with these arguments, if they are plain; `None`: they are not, nothing was done.

        Raises:
            UsageError: as the command.
        """
        by_kind: dict[Kind, dict[str, str]] = {}
        for option in self.options:
            names = dict.fromkeys(option.names.split(), option.keyword)
            by_kind.setdefault(option.kind, {}).update(names)
        flags = {word: (name, True) for word, name in by_kind.get("flag", {}).items()}
        counts = {word: (name, 1) for word, name in by_kind.get("count", {}).items()}
        chosen = read(
            arguments,
            flags={**flags, **counts},
            values=by_kind.get("text", {}),
            lists=by_kind.get("many", {}),
            paths=self.operand.keyword if self.operand else None,
        )
        if chosen is None:
            return None
        if self.operand is not None:
            words = chosen.get(self.operand.keyword, [])
            if len(words) != 1:
                return None  # how many there must be is typer's to say
            chosen[self.operand.keyword] = words[0]
        absent = {option.keyword: option.absent for option in self.options}
        return self.call({**absent, **chosen})

    def call(self, given: dict[str, Any]) -> int:
        """Run it with a value for every option."""
        return self.run(**given)


PYTHON = CommandOption("--python", "The interpreter or environment folder to examine.", "PATH")
TIMEOUT = CommandOption("--timeout", "Deadline of the whole command.", "SECONDS", "number")
FAIL_ON = CommandOption("--fail-on", "One of error, warning, never.", "LEVEL")


def output_options(formats: Sequence[str]) -> tuple[CommandOption, ...]:
    """The options that every command takes."""
    return (
        CommandOption("--format", f"One of {', '.join(formats)}.", "FORMAT", default=formats[0],
               called="format_"),
        CommandOption("--json", "The same as --format json.", kind="flag"),
        CommandOption("--output", "Write this format to a file as well.", "FORMAT=PATH", "many"),
        CommandOption("-q --quiet", "Say only what matters.", kind="flag"),
        CommandOption("-v --verbose", "Say more: facts, sources, timings.", kind="count"),
        CommandOption("--color", "One of auto, always, never.", "WHEN", default="auto"),
    )  # fmt: skip
