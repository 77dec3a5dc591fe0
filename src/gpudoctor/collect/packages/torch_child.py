"""torch's own view of itself, from a child process in the patient's interpreter.

The last resort where the binary cannot be read. The child may crash or hang; it takes nothing
with it. `_cuda_getArchFlags` answers without a GPU, where `torch.cuda.get_arch_list` says nothing.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping

from gpudoctor.collect.process.runner import run
from gpudoctor.model.value import dataclass

# What torch prints while it is imported goes to stdout as well: the answer stands on a line of
# its own behind a mark.
_MARK = "gpudoctor-answer:"
_PROGRAM = f"""
import json
import torch
flags = torch._C._cuda_getArchFlags() if hasattr(torch._C, "_cuda_getArchFlags") else None
print("\\n{_MARK}" + json.dumps({{
    "version": str(torch.__version__),
    "file": getattr(torch, "__file__", None),
    "architectures": None if flags is None else flags.split(),
}}), flush=True)
"""
SECONDS = 20.0
"""The longest that an import of torch is waited for here."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What torch said, or why it said nothing."""

    architectures: tuple[str, ...] | None = None
    version: str | None = None
    file: str | None = None
    reason: str = ""


def ask_torch(executable: str, environ: Mapping[str, str], deadline: float) -> Answer:
    """Import torch in a child process of `executable` and ask it for its architectures.

    Only for an interpreter that the person named or activated. `deadline` is on
    `time.monotonic`.
    """
    seconds = min(SECONDS, deadline - time.monotonic())
    if seconds < 1.0:
        return Answer(reason="no time was left to ask torch itself")
    environment = {**environ, "PYTHONDONTWRITEBYTECODE": "1"}
    # -P (Python 3.11) would keep the current folder off the path; an older Python refuses it, so
    # the child stands in a folder that holds no modules.
    outcome = run([executable, "-c", _PROGRAM], seconds=seconds, env=environment, cwd="/")
    if not outcome.ok:
        last = outcome.text("stderr").strip().splitlines()[-1:] or [""]
        said = f": {last[0][:200]}" if last[0] else ""
        return Answer(reason=f"torch itself could not be asked ({outcome.reason}{said})")
    return parse_answer(outcome.text())


def parse_answer(text: str) -> Answer:
    """Read the child's output; anything but an answer becomes a reason."""
    line = next((ln for ln in reversed(text.splitlines()) if ln.startswith(_MARK)), None)
    if line is None:
        return Answer(reason="torch printed no answer")
    try:
        said = json.loads(line[len(_MARK) :])
        names = said["architectures"]
        architectures = None if names is None else tuple(str(name) for name in names)
        version, file = said.get("version"), said.get("file")
    except (ValueError, KeyError, TypeError, AttributeError):
        return Answer(reason="torch's answer could not be read")
    reason = "" if architectures is not None else "this torch does not tell its architectures"
    return Answer(architectures, version, file, reason)
