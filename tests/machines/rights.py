"""Makes the modes of files count for root too, so that what a plain user meets can be tried."""

from __future__ import annotations

import ctypes
import os

_PR_CAPBSET_DROP = 24  # linux/prctl.h
_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH = 1, 2  # linux/capability.h


def give_up_roots_rights() -> None:
    """For `preexec_fn`: what is executed next, even as root, may open only what modes allow.

    Raises:
        OSError: the kernel refuses.
    """
    if os.geteuid() != 0:
        return
    library = ctypes.CDLL(None, use_errno=True)
    for capability in (_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH):
        if library.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0):
            raise OSError(ctypes.get_errno(), "the capability cannot be given up")
