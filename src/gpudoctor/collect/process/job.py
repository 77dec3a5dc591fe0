"""A job object of Windows: what is in it, and all that it starts, ends when the job is closed.

Closing happens also when this process dies, however it dies: the system closes its handles
(learn.microsoft.com, "Job Objects", read 2026-11-21).
"""

from __future__ import annotations

import sys

_KILL_ON_CLOSE = 0x2000  # JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE
_EXTENDED_LIMITS = 9  # JobObjectExtendedLimitInformation


class Job:
    """One job; nothing is in it before `take`."""

    def __init__(self) -> None:
        self._handle: int | None = None
        if sys.platform == "win32":
            self._handle = _create()

    def take(self, process: int) -> bool:
        """Put a process (its handle) into the job; whether the system let us."""
        if sys.platform == "win32" and self._handle:
            return bool(_kernel().AssignProcessToJobObject(self._handle, process))
        return False

    def kill(self) -> None:
        """End everything in it."""
        if sys.platform == "win32" and self._handle:
            _kernel().TerminateJobObject(self._handle, 1)

    def close(self) -> None:
        """End what is left in it, and give it back."""
        if sys.platform == "win32" and self._handle:
            _kernel().CloseHandle(self._handle)
            self._handle = None


def resume(process: int) -> None:
    """Let a process run that was started suspended.

    `subprocess` does not keep the handle of the first thread, which `ResumeThread` would need.
    """
    if sys.platform == "win32":
        import ctypes

        resume_process = ctypes.WinDLL("ntdll").NtResumeProcess
        resume_process.argtypes = (ctypes.c_void_p,)
        resume_process(process)


if sys.platform == "win32":
    import ctypes
    from ctypes import wintypes

    class _BasicLimits(ctypes.Structure):
        """JOBOBJECT_BASIC_LIMIT_INFORMATION of winnt.h."""

        _fields_ = (
            ("process_time", ctypes.c_int64),
            ("job_time", ctypes.c_int64),
            ("flags", wintypes.DWORD),
            ("least_working_set", ctypes.c_size_t),
            ("most_working_set", ctypes.c_size_t),
            ("processes", wintypes.DWORD),
            ("affinity", ctypes.c_size_t),
            ("priority", wintypes.DWORD),
            ("scheduling", wintypes.DWORD),
        )

    class _Limits(ctypes.Structure):
        """JOBOBJECT_EXTENDED_LIMIT_INFORMATION: the basic ones, counters, limits of memory."""

        _fields_ = (
            ("basic", _BasicLimits),
            ("counters", ctypes.c_uint64 * 6),
            ("memory", ctypes.c_size_t * 4),
        )

    def _kernel() -> ctypes.WinDLL:
        kernel = ctypes.WinDLL("kernel32")
        kernel.CreateJobObjectW.restype = ctypes.c_void_p
        kernel.CreateJobObjectW.argtypes = (ctypes.c_void_p, ctypes.c_wchar_p)
        kernel.AssignProcessToJobObject.argtypes = (ctypes.c_void_p, ctypes.c_void_p)
        kernel.TerminateJobObject.argtypes = (ctypes.c_void_p, wintypes.UINT)
        kernel.CloseHandle.argtypes = (ctypes.c_void_p,)
        kernel.SetInformationJobObject.argtypes = (
            ctypes.c_void_p,
            ctypes.c_int,
            ctypes.c_void_p,
            wintypes.DWORD,
        )
        return kernel

    def _create() -> int | None:
        kernel = _kernel()
        handle: int | None = kernel.CreateJobObjectW(None, None)
        limits = _Limits()
        limits.basic.flags = _KILL_ON_CLOSE
        size = ctypes.sizeof(limits)
        if handle and not kernel.SetInformationJobObject(
            handle, _EXTENDED_LIMITS, ctypes.byref(limits), size
        ):
            kernel.CloseHandle(handle)
            return None
        return handle
