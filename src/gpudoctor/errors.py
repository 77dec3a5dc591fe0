"""The exceptions of gpudoctor: each kind of failure is one exit code.

| class | exit code | meaning |
| --- | --- | --- |
| `UsageError` | 2 | wrong usage, or an input that cannot be read |
| `CannotJudgeError` | 3 | a needed fact is unknown, or nothing was examined |
| `InternalError` | 4 | gpudoctor itself failed |
| `FixFailedError` | 5 | a fix failed and the environment is as it was |
| `FixInterruptedError` | 130 | a fix was interrupted and the environment is as it was |
| `RestoreFailedError` | 6 | a fix failed and so did the restoration |
"""

from __future__ import annotations


class GpuDoctorError(Exception):
    """Base of all errors that end a command: one sentence for people, one exit code."""

    exit_code = 4


class UsageError(GpuDoctorError):
    """Wrong usage, or an input that cannot be read: says which and why."""

    exit_code = 2


class CannotJudgeError(GpuDoctorError):
    """A fact that the answer needs is unknown, or nothing was examined."""

    exit_code = 3


class InternalError(GpuDoctorError):
    """gpudoctor itself failed."""

    exit_code = 4


class FixFailedError(GpuDoctorError):
    """A fix was tried, failed, and the environment is as it was."""

    exit_code = 5


class FixInterruptedError(FixFailedError):
    """A fix was interrupted (Ctrl-C, SIGTERM, SIGHUP), and the environment is as it was."""

    exit_code = 130


class RestoreFailedError(GpuDoctorError):
    """A fix failed and so did the restoration: the message says how to restore by hand."""

    exit_code = 6
