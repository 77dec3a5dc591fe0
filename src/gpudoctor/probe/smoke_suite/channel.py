"""The channel to the doctor: one JSON object a line, written whole or not at all."""

from __future__ import annotations

import json
import math
import os
import sys
from typing import Any, Dict

CHANNEL_LOST = 97
"""Exit status of a worker whose channel was closed under it."""


class Channel:
    """Writes events to a descriptor that nothing else knows."""

    def __init__(self, number: str) -> None:
        if sys.platform == "win32":
            import msvcrt

            self._descriptor = msvcrt.open_osfhandle(int(number), os.O_WRONLY)
        else:
            self._descriptor = int(number)
            # What the tests start (compilers) must not keep the channel open.
            os.set_inheritable(self._descriptor, False)  # noqa: FBT003 - it takes no keyword

    def send(self, event: str, **fields: Any) -> None:
        """Write one event. Without a channel nobody listens, so the process ends at once."""
        fields["event"] = event
        data = (json.dumps(_plain(fields)) + "\n").encode("ascii")
        try:
            while data:
                data = data[os.write(self._descriptor, data) :]
        except OSError:
            os._exit(CHANNEL_LOST)


def _plain(value: Any) -> Any:
    """`value` with every number that JSON lacks (NaN, infinity) as `None`."""
    if isinstance(value, dict):
        plain: Dict[str, Any] = {str(key): _plain(item) for key, item in value.items()}
        return plain
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    return str(value)
