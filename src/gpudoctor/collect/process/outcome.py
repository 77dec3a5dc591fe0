"""How a process ended: one value for every way of starting one."""

from __future__ import annotations

import errno
import sys
from typing import Literal

from gpudoctor.model.value import dataclass

Status = Literal["exited", "signalled", "timed-out", "abandoned", "not-started"]
Stream = Literal["stdout", "stderr", "channel"]
StartProblem = Literal["not-found", "denied", "no-program", "other"]
"""Why a program could not be started. `no-program`: the file is none for this system."""

_PROBLEMS: dict[int, StartProblem] = {
    errno.ENOENT: "not-found",
    errno.ENOTDIR: "not-found",
    errno.EACCES: "denied",
    errno.EPERM: "denied",
    errno.ENOEXEC: "no-program",
}
_WINDOWS_PROBLEMS: dict[int, StartProblem] = {
    2: "not-found",  # ERROR_FILE_NOT_FOUND
    3: "not-found",  # ERROR_PATH_NOT_FOUND
    5: "denied",  # ERROR_ACCESS_DENIED
    193: "no-program",  # ERROR_BAD_EXE_FORMAT
    216: "no-program",  # ERROR_EXE_MACHINE_TYPE_MISMATCH
    225: "denied",  # ERROR_VIRUS_INFECTED
    1260: "denied",  # ERROR_ACCESS_DISABLED_BY_POLICY
}
"""System error codes (learn.microsoft.com, "System Error Codes", read 2026-11-21): Windows says
them in the language of its user, so nobody reads its words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a process ended and what it said."""

    status: Status
    code: int | None = None
    """Exit status; only where `status` is `exited`."""
    signal: str | None = None
    """`SIGSEGV`; only where `status` is `signalled`. On Windows the name of the exception."""
    stdout: bytes = b""
    stderr: bytes = b""
    truncated: bool = False
    """Whether a stream was longer than the limit."""
    seconds: float = 0.0
    problem: StartProblem | None = None
    """Only where `status` is `not-started`."""
    name: str = ""
    detail: str = ""
    """What became of it, as what follows its name; empty where it simply ended with 0."""

    @property
    def ok(self) -> bool:
        """Whether it ended by itself with status 0."""
        return self.status == "exited" and self.code == 0

    @property
    def is_late(self) -> bool:
        """Whether it did not end in the time that it was given."""
        return self.status in ("timed-out", "abandoned")

    @property
    def reason(self) -> str:
        """One sentence without a full stop, where it did not simply end by itself."""
        return self.reason_for(self.name)

    def reason_for(self, subject: str) -> str:
        """The same, said of `subject`: `NVML did not answer within 5 s`."""
        return f"{subject} {self.detail}".strip() if self.detail else ""

    def text(self, stream: Stream = "stdout") -> str:
        """A stream as text; bytes that are no UTF-8 are replaced."""
        data: bytes = getattr(self, stream)
        return data.decode("utf-8", "replace")


def start_problem(error: OSError) -> StartProblem:
    """The kind of an error that starting a program met, by its number."""
    code = getattr(error, "winerror", None)
    if code is not None and code in _WINDOWS_PROBLEMS:
        return _WINDOWS_PROBLEMS[code]
    return _PROBLEMS.get(error.errno or 0, "other")


def not_started(program: str, error: OSError | ValueError) -> Outcome:
    """The outcome of a program that could not be started."""
    what = getattr(error, "strerror", None) or str(error)
    return Outcome(
        status="not-started",
        problem=start_problem(error) if isinstance(error, OSError) else "other",
        name=program,
        detail=f"could not be started: {what}",
    )


_EXCEPTIONS = {
    0xC0000005: "ACCESS_VIOLATION",
    0xC000001D: "ILLEGAL_INSTRUCTION",
    0xC0000017: "NO_MEMORY",
    0xC0000094: "INTEGER_DIVIDE_BY_ZERO",
    0xC00000FD: "STACK_OVERFLOW",
    0xC0000135: "DLL_NOT_FOUND",
    0xC0000139: "ENTRYPOINT_NOT_FOUND",
    0xC000013A: "CONTROL_C_EXIT",
    0xC0000142: "DLL_INIT_FAILED",
    0xC0000374: "HEAP_CORRUPTION",
    0xC0000409: "STACK_BUFFER_OVERRUN",
}
"""NTSTATUS values of ntstatus.h that end programs ([MS-ERREF] 2.3.1, read 2026-11-21)."""
_FIRST_ERROR = 0xC0000000


def signal_name(status: int) -> str | None:
    """The signal that ended a process with this (negative) status; `None` if none did.

    Windows has no signals: an exit status from 0xC0000000 up is an exception of the system.
    """
    if sys.platform == "win32":
        return exception_name(status)
    if status >= 0:
        return None
    import signal

    try:
        return signal.Signals(-status).name
    except ValueError:
        return f"signal {-status}"


def exception_name(status: int) -> str | None:
    """`ACCESS_VIOLATION` for 3221225477; `None` where the status is no exception of Windows.

    Above 0xCFFFFFFF lie negative exit codes (`sys.exit(-1)`), which are the program's own.
    """
    unsigned = status & 0xFFFFFFFF
    if not _FIRST_ERROR <= unsigned <= 0xCFFFFFFF:
        return None
    return _EXCEPTIONS.get(unsigned, f"exception 0x{unsigned:08X}")
