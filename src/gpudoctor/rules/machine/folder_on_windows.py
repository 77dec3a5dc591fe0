"""Windows' memory and folders: what stops an installation or a start that files do not show."""

from __future__ import annotations

import ntpath
from collections.abc import Iterator

from gpudoctor.model.fact import Unknown
from gpudoctor.model.facts import WindowsSystem
from gpudoctor.model.finding import Finding
from gpudoctor.model.terms.shell import command_step, sentence_step
from gpudoctor.rules.engine.all_rules import rule
from gpudoctor.rules.engine.case import Case
from gpudoctor.rules.engine.wording import finding, several

_GIB = 1 << 30
_ONE_PROCESS_BYTES = 4 * _GIB
"""What a process may have to be promised that loads torch's CUDA libraries: owners report from 2 to
5 GB (github.com/pytorch/pytorch, issue 59904 and its like, read 2026-11-21)."""
_NO_PAGE_FILE = 1.02
"""The limit is main memory and page files together; the firmware keeps a little of the first."""
_PATH_LIMIT = 259
"""MAX_PATH without its closing zero
(https://learn.microsoft.com/windows/win32/fileio/maximum-file-path-limitation)."""
_LONGEST_OF_TORCH = 119
"""Characters of torch's longest path below its site folder that a build needs, a header of
transformers' attention; licences lie deeper (RECORD of torch 2.13.0)."""


@rule("windows-commit-limit-low", needs=("host.os", "torch"))
def windows_commit_limit_low(case: Case) -> Iterator[Finding | Unknown]:
    """No page file, and less left to promise than one process with torch asks for."""
    if reason := _unasked(case, "host.windows"):
        yield reason
        return
    system = _system(case)
    limit, free, memory = system.commit_limit_bytes, system.commit_free_bytes, _memory(case)
    if limit is None or free is None or memory is None or case.facts.torch is None:
        return
    if case.facts.torch.cuda is None or limit > memory * _NO_PAGE_FILE:
        return
    if free >= _ONE_PROCESS_BYTES:
        return
    yield finding(
        "windows-commit-limit-low",
        f"Windows has no page file and {free / _GIB:.1f} GB left to promise to programs",
        "Windows promises memory to a program before it uses it. torch's CUDA libraries ask for "
        "some gigabytes in each process; where they are not to be had, loading ends with "
        "`[WinError 1455] The paging file is too small`, although memory is free.",
        evidence=[
            case.evidence("host.windows.commit_limit_bytes"),
            case.evidence("host.windows.commit_free_bytes"),
            case.evidence("host.memory_bytes"),
        ],
        clears_with=("environment",),
        remedies=(
            sentence_step(
                "environment",
                "Let Windows manage a page file: System, Advanced system settings, Performance, "
                "Advanced, Virtual memory; then restart.",
            ),
        ),
    )


@rule("windows-path-too-long", needs=("host.os", "python"))
def windows_path_too_long(case: Case) -> Iterator[Finding | Unknown]:
    """Long paths are off, and torch's files do not fit below the site folder."""
    if reason := _unasked(case, "host.windows") or _unasked(case, "python.site_path_length"):
        yield reason
        return
    python = case.facts.python
    if python is None or _system(case).long_paths is not False:
        return
    length = python.site_path_length
    if length is None or length + 1 + _LONGEST_OF_TORCH <= _PATH_LIMIT:
        return
    yield finding(
        "windows-path-too-long",
        f"The path of the environment has {length} characters, so that files of torch lie beyond "
        f"Windows' limit of {_PATH_LIMIT}",
        "Installers then end with `[Errno 2] No such file or directory`, and programs do not find "
        "what lies that deep. A shorter folder needs no setting; the setting needs programs that "
        "know of it, as Python does.",
        evidence=[
            case.evidence("python.site_path_length"),
            case.evidence("host.windows.long_paths"),
        ],
        clears_with=("environment",),
        remedies=(
            sentence_step(
                "environment", "Make the environment anew in a short folder, `C:\\venv`."
            ),
            command_step(
                "environment",
                "Or lift the limit, in a terminal of the administrator, and restart.",
                (
                    *("reg", "add", r"HKLM\SYSTEM\CurrentControlSet\Control\FileSystem"),
                    *("/v", "LongPathsEnabled", "/t", "REG_DWORD", "/d", "1", "/f"),
                ),
                executable=False,
            ),
        ),
    )


@rule("environment-in-cloud-folder", needs=("host.os", "python"))
def environment_in_cloud_folder(case: Case) -> Iterator[Finding | Unknown]:
    """OneDrive copies the environment's folder."""
    if reason := _unasked(case, "python.synchronised_by"):
        yield reason
        return
    python = case.facts.python
    if python is None or python.synchronised_by is None:
        return
    yield finding(
        "environment-in-cloud-folder",
        f"The environment lies in a folder that {python.synchronised_by} copies to its cloud",
        "torch alone is some gigabytes in thousands of files. While they are copied they are held "
        "open, so that an installation can fail; and files that were not used for long are "
        "removed from the disk until somebody opens them.",
        evidence=[case.evidence("python.synchronised_by"), case.evidence("python.prefix")],
        remedies=(
            sentence_step(
                "environment", "Make environments outside of it, `C:\\venv` or below `AppData`."
            ),
        ),
    )


@rule("starter-runs-other-python", needs=("host.os", "python"))
def starter_runs_other_python(case: Case) -> Iterator[Finding | Unknown]:
    """The program's script starts another interpreter than the one that is examined."""
    if reason := _unasked(case, "python.starts"):
        yield reason
        return
    python = case.facts.python
    if python is None or not python.starts or not python.started_by or not python.executable:
        return
    if ntpath.normcase(python.starts) == ntpath.normcase(python.executable):
        return
    name = ntpath.basename(python.started_by)
    yield finding(
        "starter-runs-other-python",
        f"{name} starts another Python than the one that was examined: {python.starts}",
        f"What is said here is true of {python.executable}. A double-click on {name} starts the "
        "other, with its own torch.",
        evidence=[case.evidence("python.starts"), case.evidence("python.executable")],
        remedies=(
            command_step(
                "manual",
                "Examine the one that is started.",
                ("gpudoctor", "check", "--python", python.starts),
                executable=False,
            ),
        ),
    )


@rule("windows-files-blocked", needs=("host.os", "python"))
def windows_files_blocked(case: Case) -> Iterator[Finding | Unknown]:
    """Files carry the mark of the internet."""
    if reason := _unasked(case, "python.blocked"):
        yield reason
        return
    python = case.facts.python
    if python is None or not python.blocked:
        return
    file = python.blocked[0].replace("'", "''")
    yield finding(
        "windows-files-blocked",
        f"Windows marks as come from the internet: {several(python.blocked)}",
        "Explorer asks before it starts such a file, and PowerShell runs no such script. The mark "
        "comes from the archive that was downloaded, and goes with one command.",
        evidence=[case.evidence("python.blocked")],
        remedies=(
            command_step(
                "environment",
                "Take the mark off.",
                ("powershell", "-NoProfile", "-Command", f"Unblock-File -LiteralPath '{file}'"),
                executable=False,
            ),
        ),
    )


def _unasked(case: Case, path: str) -> Unknown | None:
    """Why a fact of Windows is unknown; `None` on other systems, where nobody asks for it."""
    return case.why_unknown(path) if case.host.os == "windows" else None


def _system(case: Case) -> WindowsSystem:
    return case.host.windows or WindowsSystem()


def _memory(case: Case) -> int | None:
    return case.host.memory_bytes
