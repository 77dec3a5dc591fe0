"""What to do about extensions that a torch breaks: another release, a rebuild, or to part with it.

A rebuild is prescribed only where the sources of that release are known to be published, and for
GPUs that the package serves at all (configs/packages.yaml).
"""

from __future__ import annotations

from gpudoctor.compat.architecture import ComputeCapability
from gpudoctor.kb.software import packages as kb_packages
from gpudoctor.model.facts import Facts, Package
from gpudoctor.model.prescription import Step
from gpudoctor.model.terms.shell import command_step
from gpudoctor.prescribe.build.companion_changes import Broken, requirements_of
from gpudoctor.prescribe.build.extension_recipe import extension_recipe
from gpudoctor.prescribe.commands.install_commands import (
    ChangedEnvironment,
    install_argv,
    uninstall_argv,
)


def extension_steps(
    broken: tuple[Broken, ...],
    gpus: tuple[ComputeCapability, ...],
    facts: Facts,
    place: ChangedEnvironment,
) -> tuple[Step, ...]:
    """A step for each extension that the torch which is then there breaks."""
    return tuple(_step(entry, gpus, facts, place) for entry in broken)


def is_kept(entry: Broken, gpus: tuple[ComputeCapability, ...]) -> bool:
    """Whether a command keeps a working copy of the extension: another release, or a rebuild."""
    if gpus and not served_by(entry.package, gpus):
        return False
    return entry.fitting is not None or (
        entry.excluded is None and kb_packages.has_source(entry.package.name, entry.package.version)
    )


def served_by(
    package: Package, gpus: tuple[ComputeCapability, ...]
) -> tuple[ComputeCapability, ...]:
    """Those of the GPUs that the package serves at all, whatever it is built with."""
    lowest = kb_packages.serves_nothing_below(package.name, package.version)
    if lowest is None:
        return gpus
    floor = ComputeCapability.parse(lowest)
    return tuple(gpu for gpu in gpus if gpu >= floor)


def _step(
    entry: Broken, gpus: tuple[ComputeCapability, ...], facts: Facts, place: ChangedEnvironment
) -> Step:
    package = entry.package
    name = f"{package.name} {package.version or ''}".strip()
    if gpus and not served_by(package, gpus):
        return _uninstall(package, name, gpus, place)
    if entry.fitting is not None:
        wanted = f"{package.name}=={entry.fitting}"
        options: tuple[str, ...] = ("--no-deps",)
        if package.name in kb_packages.engines():
            options = ()  # what it needs changes with it, and the torch that it pins is there
        elif _is_compiled(package):
            options += ("--no-build-isolation",)
        return command_step(
            "install",
            f"Install {wanted}, the release of {package.name} that fits this torch "
            f"({_why(entry)}).",
            (*install_argv(place), *options, wanted),
            risk="medium",
            executable=not place.locked,
        )
    if entry.excluded is not None:
        return Step(
            kind="manual",
            text=f"{name} demands torch{entry.excluded}, and no release of it is known that takes "
            "this torch: give it an environment of its own, or uninstall it.",
            risk="medium",
        )
    if not kb_packages.has_source(package.name, package.version):
        origin = f" It came from {package.origin}." if package.origin else ""
        return Step(
            kind="manual",
            text=f"{name} does not work with this torch and these GPUs, no release that fits is "
            f"known, and its sources are not known to be published.{origin} Ask its publisher for "
            "a build that fits, give it an environment of its own, or uninstall it.",
            risk="medium",
        )
    return extension_recipe(
        package,
        served_by(package, gpus),
        facts.host,
        place.python,
        _why(entry),
        for_code=not entry.foreign,
    )


def _uninstall(
    package: Package, name: str, gpus: tuple[ComputeCapability, ...], place: ChangedEnvironment
) -> Step:
    lowest = kb_packages.serves_nothing_below(package.name, package.version)
    rows = (row for row in kb_packages.requirements() if row.package == package.name)
    instead = next((row.instead for row in rows if row.instead), "")
    return command_step(
        "uninstall",
        f"Uninstall {name}: it serves GPUs from compute capability {lowest} on, and no build of it "
        f"runs on {', '.join(gpu.sm for gpu in gpus)}. {instead}".strip(),
        (*uninstall_argv(place), package.name),
        risk="medium",
        executable=not place.locked,
    )


def _why(entry: Broken) -> str:
    """What is wrong with the installed release, as a clause."""
    version = entry.package.version
    if entry.excluded is not None:
        return f"{version} demands torch{entry.excluded}"
    if entry.foreign:
        return f"{version} was built for another torch"
    return f"{version} has no code for this GPU, or none that works with this torch"


def _is_compiled(package: Package) -> bool:
    """Whether an installer may have to compile it, and then needs the torch that is there."""
    return any(name == "torch" for name, _ in requirements_of(package)) or bool(package.build)
