"""What makes a process fit to crash: no core file, no dialog, a traceback, no life of its own."""

from __future__ import annotations

import faulthandler
import os
import signal
import sys


def prepare() -> None:
    """Set the process up to die quietly, tellingly, and not after whoever started it."""
    _no_core_file()
    _no_dialog()
    try:
        # A segfault then prints the Python frames that led to it.
        faulthandler.enable()
        if hasattr(faulthandler, "register"):
            # Asked to end, a process that hangs says where, even while C code holds the lock.
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            faulthandler.register(signal.SIGTERM, chain=True)
    except (OSError, ValueError, RuntimeError, AttributeError):
        pass  # no usable stderr: the crash is told by its signal alone
    _die_with_parent()


def _no_core_file() -> None:
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    except (ImportError, OSError, ValueError):
        pass


def _no_dialog() -> None:
    if sys.platform == "win32":
        import ctypes

        # SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX, SetErrorMode in the Windows API.
        ctypes.windll.kernel32.SetErrorMode(0x0001 | 0x0002)


def _die_with_parent() -> None:
    """Have the kernel kill this process when its parent ends (Linux: prctl, PR_SET_PDEATHSIG).

    The parent may be a launcher between us and the doctor; that one ends with the doctor's group.
    """
    if not sys.platform.startswith("linux"):
        return
    parent = os.getppid()
    try:
        import ctypes

        ctypes.CDLL(None, use_errno=True).prctl(1, int(signal.SIGKILL), 0, 0, 0)
    except (OSError, AttributeError, ImportError):
        return
    if os.getppid() != parent:  # it ended in between, and no signal will come
        os._exit(0)
