"""The commands that carry a change of wheels out, for each tool that may own the environment.

A change of variant must really change the wheel: requirements carry their local version label
(`torch==2.9.1+cu128`), which another variant of the same release does not satisfy; where the
label cannot tell, exactly those wheels are reinstalled. What the old variant leaves behind goes
*first*: `nvidia-cudnn-cu12` and `nvidia-cudnn-cu13` own the same files below `nvidia/`, and
removing one after the other was installed would take its files away.

The index of a variant mirrors what its wheels require (nvidia-*, triton, filelock …), so one
`--index-url` serves the whole installation and PyPI cannot win with a wheel of another variant.
Sources: pip and uv documentation (`--index-url`, local versions, `--force-reinstall`), installation
logs of users of download.pytorch.org/whl/cu128; read 2026-11-20.
"""

from __future__ import annotations

from typing import cast

from gpudoctor.model.facts import Python
from gpudoctor.model.prescription import Step
from gpudoctor.model.terms.shell import command_step
from gpudoctor.model.value import dataclass
from gpudoctor.prescribe.commands.mirror import MirroredIndex
from gpudoctor.prescribe.commands.tool_names import Tool


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentChange:
    """What is to be installed and removed in one environment, in one go."""

    index: MirroredIndex
    packages: tuple[str, ...]
    """Requirements that come from the variant's index, with everything they need."""
    forced: tuple[str, ...] = ()
    """Requirements that the installed version satisfies although its files must change."""
    plain: tuple[str, ...] = ()
    """Requirements from the ordinary index, without what they require."""
    removals: tuple[str, ...] = ()
    """Distributions that must go first."""
    pre: bool = False
    """Whether pre-releases are wanted (nightlies)."""
    size: str = ""
    """The size of the download as text, where it is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedEnvironment:
    """The environment that is changed, and the tool that changes it."""

    tool: Tool
    python: str
    """The interpreter, or `python` where it is not known."""
    needs_pip: bool = False
    lock_file: str | None = None
    conda: bool = False
    conda_prefix: str | None = None
    conda_packages: tuple[str, ...] = ()
    """Packages of conda's own that the wheels replace (`pytorch`)."""
    flags: tuple[str, ...] = ()
    """Options of the interpreter: `-s` for one that a program brings along."""
    constraint: str | None = None
    """A file of `PIP_CONSTRAINT` that pins the torch of a ready image."""
    managed: bool = False
    """Whether the system keeps this Python for its own packages, so that pip and uv refuse."""
    why: str = ""
    """Why this tool."""

    @property
    def locked(self) -> bool:
        """Whether a lock file would put the environment back at its next sync."""
        return self.tool in ("pixi", "poetry", "pipenv", "pdm") or self.lock_file is not None


def place_of(
    python: Python | None,
    wanted: str = "auto",
    conda_packages: tuple[str, ...] = (),
    constraint: str | None = None,
) -> ChangedEnvironment:
    """Which tool changes the environment: the wanted one, else the one that owns it."""
    executable = (python.executable if python else None) or "python"
    conda = bool(python and python.environment == "conda")
    tool: Tool
    lock = None
    owner = python.lock_owner if python else None
    # What a pylock.toml or a conda-lock.yml was made from, nobody here knows.
    if python and owner not in (None, "pylock", "conda-lock") and wanted in ("auto", owner):
        tool = cast(Tool, owner)
        lock = python.lock_file or f"the lock file of {owner}"
        why = f"{lock} owns this environment"
    elif wanted != "auto":
        tool, why = cast(Tool, wanted), ""
    elif conda:
        tool, why = "conda", "this is a conda environment"
    elif python and python.environment == "uv":
        tool, why = "uv", "uv made this environment"
    else:
        tool, why = "pip", ""
    return ChangedEnvironment(
        tool=tool,
        python=executable,
        needs_pip=bool(python and python.has_pip is False and tool in ("pip", "conda")),
        lock_file=lock,
        conda=conda or tool == "conda",
        conda_prefix=python.prefix if python and conda else None,
        conda_packages=conda_packages,
        constraint=constraint if tool == "pip" else None,
        managed=bool(python and python.externally_managed) and tool in ("pip", "uv"),
        # The programs that bring a Python along start it so, and keep the user site out.
        flags=("-s",) if python and python.environment == "portable" else (),
        why=why,
    )


def steps(change: EnvironmentChange, place: ChangedEnvironment) -> tuple[Step, ...]:
    """The steps of a change, in the order in which they must run."""
    if place.locked:
        from gpudoctor.prescribe.commands.manifest_edit import manifest_steps

        return manifest_steps(
            place.tool,
            place.lock_file,
            change.packages + change.forced,
            change.index,
            pre=change.pre,
        )
    result = [*_conda_steps(place)]
    if place.needs_pip:
        result.append(
            command_step(
                "install",
                "Give the environment its pip, which it lacks (uv does without: `--tool uv`).",
                (place.python, *place.flags, "-m", "ensurepip", "--upgrade"),
            )
        )
    if change.removals:
        result.append(
            command_step(
                "uninstall",
                "Remove what the old variant leaves behind and what shares files with the new one: "
                f"{', '.join(change.removals)}.",
                (*uninstall_argv(place), *change.removals),
            )
        )
    result += _install_steps(change, place)
    return tuple(result)


def _install_steps(change: EnvironmentChange, place: ChangedEnvironment) -> list[Step]:
    result = []
    where = f" from {change.index.shown}" if change.index.shown else ""
    inside = " with the pip inside the conda environment" if place.conda else ""
    size = f" ({change.size})" if change.size else ""
    secret = change.index.note(place.tool)
    if change.packages:
        options: tuple[str, ...] = ()
        if change.pre:
            options = ("--prerelease", "allow") if place.tool == "uv" else ("--pre",)
        result.append(
            command_step(
                "install",
                f"Install {', '.join(change.packages)}{where}{inside}{size}.{secret}",
                (*install_argv(place), *options, *change.packages, *change.index.options),
            )
        )
    if change.forced:
        names = ", ".join(change.forced)
        result.append(
            command_step(
                "install",
                f"Reinstall {names}{where}{inside}, and only that: the installed version has the "
                f"same number, so that without force nothing would change.{secret}",
                (
                    *install_argv(place),
                    *_force(place, change.forced),
                    "--no-deps",
                    *change.forced,
                    *change.index.options,
                ),
            )
        )
    if change.plain:
        result.append(
            command_step(
                "install",
                f"Install {', '.join(change.plain)} from the ordinary index, without touching "
                "anything else.",
                (*install_argv(place), "--no-deps", *change.plain),
            )
        )
    return result


def _conda_steps(place: ChangedEnvironment) -> tuple[Step, ...]:
    if not place.conda_packages:
        return ()
    where = ("-p", place.conda_prefix) if place.conda_prefix else ()
    return (
        command_step(
            "manual",
            f"Remove conda's own {', '.join(place.conda_packages)} first, and nothing that depends "
            "on it: two copies would overwrite each other's files.",
            ("conda", "remove", *where, "--force", "--yes", *place.conda_packages),
            risk="medium",
            executable=False,
        ),
    )


def install_argv(place: ChangedEnvironment) -> tuple[str, ...]:
    """The beginning of an installing command: tool and interpreter."""
    if place.tool == "uv":
        return ("uv", "pip", "install", *_interpreter(place))
    return (place.python, *place.flags, "-m", "pip", "install")


def uninstall_argv(place: ChangedEnvironment) -> tuple[str, ...]:
    """The beginning of an uninstalling command."""
    if place.tool == "uv":
        return ("uv", "pip", "uninstall", *_interpreter(place))
    return (place.python, *place.flags, "-m", "pip", "uninstall", "--yes")


def _interpreter(place: ChangedEnvironment) -> tuple[str, ...]:
    """Which interpreter uv acts on; where it is not known, the one of the active environment."""
    return () if place.python == "python" else ("--python", place.python)


def _force(place: ChangedEnvironment, requirements: tuple[str, ...]) -> tuple[str, ...]:
    if place.tool != "uv":
        return ("--force-reinstall",)
    names = [requirement.split("=")[0].split(">")[0] for requirement in requirements]
    return tuple(word for name in names for word in ("--reinstall-package", name))
