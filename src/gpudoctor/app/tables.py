"""Tables: of binaries (`scan`) and of many machines (`report`)."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from gpudoctor import arguments as given
from gpudoctor import fleet_result, scan_result
from gpudoctor.errors import UsageError
from gpudoctor.examine.scanning import scan_paths
from gpudoctor.fleet import fleet_of
from gpudoctor.fleet.hostlist import expand
from gpudoctor.fleet.sources import documents

if TYPE_CHECKING:  # loaded by the one function that gives it
    from gpudoctor.fleet_result import Fleets
    from gpudoctor.scan_result import Scan


def scan(
    paths: Sequence[str | os.PathLike[str]] | str | os.PathLike[str],
    *,
    gpus: Sequence[str] | None = None,
    progress: Callable[[str, int], None] | None = None,
) -> Scan:
    """Which GPUs the device code under `paths` runs on: files, wheels, environments, folders.

    `gpus` are names as people write them; without any, the GPUs and the driver of this machine
    decide. `progress` is told which file is being read and how many bytes of it were unpacked.

    Raises:
        UsageError: a path or a GPU is not known, or a named file cannot be read.
    """
    files = given.texts("paths", paths)
    if not files:
        raise UsageError("scan needs a path")
    names = given.texts("gpus", gpus)

    table = scan_paths(files, names or None, os.environ, progress)
    return scan_result.scan(table)


def report(
    sources: Sequence[str | os.PathLike[str]] | str | os.PathLike[str],
    *,
    expect: str | Sequence[str] | None = None,
    fail_on: str = "error",
) -> Fleets:
    """One table from the saved reports and fact sheets of many machines.

    Args:
        sources: files, JSON lines, folders; `-` is stdin.
        expect: the machines that must have reported, as Slurm lists them: `n[01-48]`.
        fail_on: `error`, `warning` or `never`.

    Raises:
        UsageError: an argument is wrong, or a source is not there.
    """
    paths = given.texts("sources", sources)
    if not paths:
        raise UsageError("report needs a file, a folder, or -")
    given.one_of("fail_on", fail_on, ("error", "warning", "never"))

    expected = expand(",".join(given.texts("expect", expect))) if expect is not None else ()
    return fleet_result.fleet(fleet_of(documents(paths), expected, fail_on))
