"""One run of the worker: import torch, wake the device, run the tests, report each.

The plan is a JSON object:

* `device`: `cpu` or `cuda:1`; `level`: `quick`, `full` or `pairs`.
* `seed`: of the random inputs; `tolerances`: {operation: {dtype: relative error}}.
* `capabilities`: {dtype: "major.minor"} from which NVIDIA hardware has a dtype.
* `float8_types`: {gfx: name of the float8 type} of the AMD GPUs that have one.
* `done`: keys of tests (`matmul:float16`) that are not to be run again; `only`: the reverse.
* `last`: names of tests that ended an earlier process; what is left of them comes last.
"""

from __future__ import annotations

import importlib
import os
import time
import traceback
from typing import Any, Dict, Optional

PROTOCOL = 1
_MODULES = ("basic", "training", "layers", "numerics", "runtime", "rates", "pairs")
_ERROR_LENGTH = 4000


def preload() -> None:
    """Load everything that lies beside this file, in the order in which tests run."""
    for name in ("channel", "guard", "registry", "context", "device", "reference", *_MODULES):
        importlib.import_module("." + name, __package__)


def run(channel_number: str, plan: Dict[str, Any]) -> int:
    """Run a plan and report it; the result is an exit status."""
    from . import guard
    from .channel import Channel

    guard.prepare()
    channel = Channel(channel_number)
    channel.send("hello", protocol=PROTOCOL, pid=os.getpid())
    start = time.monotonic()
    channel.send("stage", name="import")
    try:
        torch = importlib.import_module("torch")
        if not hasattr(torch, "tensor"):
            raise ImportError("torch has no attribute 'tensor': %s" % _place(torch))
    except BaseException as error:
        channel.send("fatal", stage="import", error=_text(error))
        return 0
    from .device import version

    channel.send("torch", seconds=time.monotonic() - start, **version(torch))
    return _with_torch(torch, channel, plan)


def _with_torch(torch: Any, channel: Any, plan: Dict[str, Any]) -> int:
    from .device import describe, features, left_out
    from .registry import tests

    channel.send("stage", name="init")
    start = time.monotonic()
    try:
        device = torch.device(plan["device"])
        if device.type == "cuda":
            torch.cuda.init()
            count = torch.cuda.device_count()
            if device.index >= count:
                raise RuntimeError("torch sees %d GPU(s); there is no %s" % (count, plan["device"]))
            torch.cuda.set_device(device)
            torch.cuda.synchronize(device)
        info = describe(torch, device)
        found = features(torch, device, info, plan)
        without = left_out(torch, device, found)
    except BaseException as error:
        channel.send("fatal", stage="init", error=_text(error))
        return 0
    channel.send("device", seconds=time.monotonic() - start, features=found, **info)
    chosen = [
        entry
        for entry in tests(plan["level"], dict(found, **dict.fromkeys(without, True)))
        if entry.key not in plan.get("done", ())
        and (not plan.get("only") or entry.key in plan["only"])
    ]
    chosen.sort(key=lambda entry: entry.name in plan.get("last", ()))
    channel.send("tests", tests=[[entry.name, entry.dtype] for entry in chosen])
    for entry in chosen:
        channel.send("start", name=entry.name, dtype=entry.dtype)
        named = (entry.name, entry.dtype, entry.needs)
        reason = next((without[name] for name in named if name in without), None)
        if reason is not None:
            _skipped(channel, entry, reason)
        elif not _one(torch, device, entry, channel, plan):
            channel.send("poisoned")
            os._exit(0)
    channel.send("bye")
    return 0


def _skipped(channel: Any, entry: Any, reason: str) -> None:
    channel.send(
        "result",
        name=entry.name,
        dtype=entry.dtype,
        status="skipped",
        error=reason,
        operation=None,
        relative_error=None,
        tolerance=None,
        seconds=0.0,
    )


def _one(torch: Any, device: Any, entry: Any, channel: Any, plan: Dict[str, Any]) -> bool:
    """Run one test and report it; whether the device can still be used in this process."""
    from .context import Context, Skip, WrongNumbersError

    context = Context(torch, device, entry.dtype, plan, channel.send)
    status, error, operation, usable = "passed", None, None, True
    start = time.monotonic()
    try:
        context.begin()
        entry.run(context)
        context.sync()
    except Skip as reason:
        status, error = "skipped", str(reason)
    except WrongNumbersError as problem:
        status, error = "wrong", str(problem)
    except BaseException as problem:
        status, error = _verdict(problem, context), _text(problem)
        operation = _operation(problem)
        usable = _usable(context)
    channel.send(
        "result",
        name=entry.name,
        dtype=entry.dtype,
        status=status,
        error=error,
        operation=operation,
        relative_error=context.worst,
        tolerance=context.tolerance,
        seconds=time.monotonic() - start,
    )
    return usable


def _verdict(problem: BaseException, context: Any) -> str:
    """`failed`; on the CPU `skipped` where torch says it has no such kernel for a dtype."""
    if not context.on_gpu and isinstance(problem, (RuntimeError, NotImplementedError)):
        text = str(problem)
        if "not implemented for" in text and ("Half" in text or "BFloat16" in text):
            return "skipped"
    return "failed"


def _operation(problem: BaseException) -> Optional[str]:
    """The line of the test in which it failed: `t.torch.matmul(a, b)`."""
    here = os.path.dirname(os.path.abspath(__file__))
    lines = [
        frame.line
        for frame in traceback.extract_tb(problem.__traceback__)
        if os.path.dirname(os.path.abspath(frame.filename)) == here
    ]
    # The first frame is the call of the test, in this file.
    return (lines[1:] or [None])[-1]


def _usable(context: Any) -> bool:
    """Whether the context survived: after a sticky error every call reports it again."""
    try:
        context.sync()
    except BaseException:
        return False
    return True


def _text(error: BaseException) -> str:
    text = "%s: %s" % (type(error).__name__, error)
    return text if len(text) <= _ERROR_LENGTH else text[:_ERROR_LENGTH] + " …"


def _place(torch: Any) -> str:
    return str(getattr(torch, "__file__", None) or list(getattr(torch, "__path__", [])))
