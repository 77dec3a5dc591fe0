"""gpudoctor from inside a Python program: explain a CUDA error where it happens, or prevent it.

These run in the patient: they import neither torch nor anything beyond the standard library and
this package, and load the knowledge base only when there is something to explain.

    import gpudoctor
    gpudoctor.require(capability="8.0", memory_gb=16)     # the first line of a training script

    with gpudoctor.explain_errors():
        train()

    gpudoctor.install_excepthook()                        # the same for the whole program
    print(gpudoctor.diagnose(text_or_exception))
"""

from __future__ import annotations

import contextlib
import os
import platform
import re
import sys
import traceback
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from gpudoctor import ranks
from gpudoctor.errors import GpuDoctorError, UsageError
from gpudoctor.model.lazy import later
from gpudoctor.results import diagnosis
from gpudoctor.triage import report_on_text as report

if TYPE_CHECKING:  # the knowledge base is loaded when an error is there to be explained
    from types import TracebackType

    from gpudoctor import collect
    from gpudoctor.model.finding import Finding
    from gpudoctor.model.sheet import FactSheet
    from gpudoctor.results import Diagnosis
    from gpudoctor.triage import requirement
else:  # loaded when they are needed
    collect = later("gpudoctor.collect")
    requirement = later("gpudoctor.triage.requirement")


_SECONDS = 5.0
_EXPLAINED = "__gpudoctor_explained__"


class RequirementError(RuntimeError, GpuDoctorError):
    """This machine does not meet what a program requires; the message says what to do."""

    exit_code = 1

    def __init__(self, message: str, findings: tuple[Finding, ...] = ()) -> None:
        super().__init__(message)
        self.findings = findings
        """What stands in the way; empty where only a limit of the program is missed."""


def diagnose(error: BaseException | str | bytes) -> Diagnosis:
    """What an exception (with its chain), or a text, says is wrong.

    An exception is read together with what this process knows of itself: Python, the torch that
    it has imported, and the driver's own files.
    """
    if not isinstance(error, BaseException | str | bytes):
        raise UsageError(f"diagnose takes an exception or a text, not a {type(error).__name__}")

    if not isinstance(error, BaseException):
        return diagnosis(report.of_string(error))
    text = _text_of(error)
    found = report.of_string(text)
    if found.findings and (machine := _machine()) is not None:
        found = report.of_string(text, machine=machine)
    return diagnosis(found)


def _machine() -> FactSheet | None:
    """This process's machine and environment, for the cure; `None` where they cannot be read."""
    try:
        return collect.collect(sys.executable, _SECONDS, os.getcwd(), os.environ)
    except Exception:  # what cannot be read must not hide the diagnosis
        return None


@contextlib.contextmanager
def explain_errors() -> Iterator[None]:
    """Print what is known of a GPU error to stderr, and let the exception go on as it is."""
    try:
        yield
    except Exception as error:
        _explain(error)
        raise


def install_excepthook() -> None:
    """Explain every uncaught GPU error, in a program or a notebook, after its traceback.

    Calling it again changes nothing.
    """
    shell = _notebook()
    if shell is not None:
        _install_in(shell)
        return
    previous = sys.excepthook
    if getattr(previous, "explains_gpu_errors", False):
        return

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        previous(kind, error, trace)
        if isinstance(error, Exception):
            _explain(error)

    hook.explains_gpu_errors = True  # type: ignore[attr-defined]  # a mark on our own function
    sys.excepthook = hook


def require(
    *,
    gpus: int = 1,
    capability: str | float | None = None,
    memory_gb: float | None = None,
    torch: str | None = None,
    bf16: bool = False,
    fp8: bool = False,
    same_on_all_ranks: bool = False,
) -> None:
    """Raise one clear exception if this environment cannot train on this machine.

    Reads files and asks the driver, which takes a fraction of a second; torch is not imported,
    but to compare ranks. What cannot be found out is not held against the machine.

    Args:
        gpus: how many usable GPUs there must be; 0 allows the CPU.
        capability: least compute capability of each of them, `"8.0"` or `8.0`.
        memory_gb: least memory of each of them, in GB of 10^9 bytes.
        torch: what its version must be, `">=2.6,<2.9"`.
        bf16: whether they must multiply bfloat16 (compute capability 8.0).
        fp8: whether they must multiply FP8 (compute capability 8.9).
        same_on_all_ranks: whether torch, driver, GPUs and Python must be the same on every rank
            of the job, asked through the launcher's store; alone, there is nothing to compare.
            Every rank then hears at once of one that cannot train.

    Raises:
        UsageError: an argument is none of these.
        RequirementError: the first thing that is missing, and what to type.
    """
    requirement.yes_or_no("same_on_all_ranks", same_on_all_ranks)
    found = requirement.missing(
        requirement.wanted(
            gpus=gpus, capability=capability, memory_gb=memory_gb, torch=torch, bf16=bf16, fp8=fp8
        )
    )
    # A rank that cannot train says so to the others, which would wait for it in vain.
    said = _ranks(None if found is None else found.sentence) if same_on_all_ranks else None
    if found is not None:
        raise RequirementError(found.sentence, found.findings)
    if said is not None:
        raise RequirementError(said)


def _ranks(missing: str | None) -> str | None:
    """One sentence if a rank of this job lacks something, or is not like the others."""

    at = ranks.place(os.environ)
    if at is None:
        return None
    machine = _machine()
    mine = {} if machine is None else ranks.summary(machine)
    return ranks.difference(mine, at, missing=missing)


def _explain(error: BaseException) -> None:
    """Print a diagnosis; whatever goes wrong here must not hide the program's own error."""
    if isinstance(error, GpuDoctorError) or getattr(error, _EXPLAINED, False):
        return  # our own message says it all; and one diagnosis is enough
    try:
        with contextlib.suppress(AttributeError, TypeError):
            setattr(error, _EXPLAINED, True)
        found = diagnose(error)
        if not found:
            return
        shell = _notebook()
        if shell is not None and _display(found):
            return
        sys.stderr.write(f"\n{found.text().rstrip()}\n")
        sys.stderr.flush()
    except Exception:  # noqa: S110 - the program's own exception is what matters
        pass


def _text_of(error: BaseException) -> str:
    trace = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    return trace + "\n\n" + "\n".join(_process_facts()) + "\n"


def _process_facts() -> list[str]:
    """What this process knows of itself, in the words of torch's own report."""
    lines = [
        f"OS: {platform.platform(terse=True)} ({platform.machine()})",
        f"Python version: {platform.python_version()}",
        f"Python platform: {platform.platform()}",
    ]
    module: Any = sys.modules.get("torch")
    version = getattr(module, "__version__", None)
    if version is not None:
        built = getattr(getattr(module, "version", None), "cuda", None)
        lines.insert(0, f"PyTorch version: {version}")
        lines.insert(1, f"CUDA used to build PyTorch: {built}")
    with contextlib.suppress(OSError):
        lines += _driver_facts()
    return lines


def _driver_facts() -> list[str]:
    """GPUs and driver from the files of the driver (Linux); asking CUDA could hang by now."""
    lines = []
    folder = "/proc/driver/nvidia/gpus"
    for number, entry in enumerate(sorted(os.listdir(folder))):
        with open(os.path.join(folder, entry, "information"), encoding="utf-8") as file:
            if model := re.search(r"^Model:\s*(.+)$", file.read(4096), re.M):
                lines.append(f"GPU {number}: {model[1].strip()}")
    with open("/proc/driver/nvidia/version", encoding="utf-8") as file:
        if found := re.search(r"\b(\d{3}\.\d+(?:\.\d+)?)\b", file.read(4096)):
            lines.append(f"Nvidia driver version: {found[1]}")
    return lines


def _notebook() -> Any:
    """The running IPython shell, if this is one; IPython is never imported for it."""
    module: Any = sys.modules.get("IPython")
    getter = getattr(module, "get_ipython", None)
    return getter() if callable(getter) else None


def _display(found: Diagnosis) -> bool:
    module: Any = sys.modules.get("IPython.display")
    show = getattr(module, "display", None)
    if not callable(show):
        return False
    show(found)
    return True


def load_ipython_extension(shell: Any) -> None:
    """`%load_ext gpudoctor`: explain every uncaught GPU error of this notebook."""
    _install_in(shell)


def _install_in(shell: Any) -> None:
    """Explain what the shell shows a traceback of, in cells and in what `%run` runs alike."""
    shown = shell.showtraceback
    if getattr(shown, "explains_gpu_errors", False):
        return

    def showtraceback(exc_tuple: Any = None, *args: Any, **named: Any) -> Any:
        error = exc_tuple[1] if exc_tuple else sys.exc_info()[1]
        result = shown(exc_tuple, *args, **named)
        if isinstance(error, Exception):
            _explain(error)
        return result

    showtraceback.explains_gpu_errors = True  # type: ignore[attr-defined]  # a mark on our own function
    shell.showtraceback = showtraceback
