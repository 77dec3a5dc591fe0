"""A command died: does its stderr say of what, and what may be done with the command now?"""

from __future__ import annotations

from collections.abc import Mapping

from gpudoctor.kb.findings import catalogue
from gpudoctor.model.finding import Evidence, Finding
from gpudoctor.model.report import Report
from gpudoctor.model.sheet import FactSheet
from gpudoctor.model.value import replace
from gpudoctor.triage import report_on_text as report
from gpudoctor.triage.readers.errors.traceback import own_frame
from gpudoctor.triage.signatures.follow_up import is_asynchronous as may_end_later
from gpudoctor.triage.signatures.marks import Marks
from gpudoctor.triage.text.clean import clean, decode
from gpudoctor.triage.text.cleaned_text import fold

BLOCKING = "CUDA_LAUNCH_BLOCKING"


def diagnose(tail: bytes, machine: FactSheet | None = None) -> Report | None:
    """The report on the end of a command's output; `None` if nothing known stands there.

    `machine` is what is known of the machine and the interpreter that the command ran on.
    """
    made = report.of_string(tail, machine=machine)
    return made if made.findings else None


def is_asynchronous(found: Report, tail: bytes, environment: Mapping[str, str]) -> bool:
    """Whether the traceback may name the wrong line and one more run would name the right one."""
    if environment.get(BLOCKING) == "1":
        return False
    marks = Marks(fold(clean(decode(tail))), found.sheet)
    return any(may_end_later(finding.name, marks) for finding in found.findings[:2])


def gpu_unusable(found: Report) -> Finding | None:
    """The finding after which torch cannot use the GPU; `None`: it is of another kind."""
    for finding in found.findings[:1]:
        entry = catalogue.find(finding.code)
        if entry is not None and entry.gpu_lost and finding.severity.value == "error":
            return finding
    return None


def with_line(found: Report, blocking_tail: bytes) -> Report:
    """The report with the line that a run with CUDA_LAUNCH_BLOCKING=1 ended at."""
    text = fold(clean(decode(blocking_tail)))
    frame = own_frame(text)
    if frame is None or not found.findings:
        return found
    where = f"{frame.file}, line {frame.line}" + (f": {frame.code}" if frame.code else "")
    proof = Evidence(fact="traceback", value=where, source=f"the run with {BLOCKING}=1")
    first = found.findings[0]
    evidence = tuple(item for item in first.evidence if item.fact != "traceback")
    named = replace(first, evidence=(*evidence, proof))
    return replace(found, findings=(named, *found.findings[1:]))


_MEANINGS = {
    "SIGKILL": "most often the kernel's killer for want of memory (see dmesg), or a scheduler",
    "SIGBUS": "in a container most often a full /dev/shm",
    "SIGSEGV": "a crash in native code; `python -X faulthandler` names the Python line",
    "SIGABRT": "native code gave up; its message stands above",
    "SIGILL": "an instruction that this processor does not have",
    "ACCESS_VIOLATION": "a crash in native code; `python -X faulthandler` names the Python line",
    "ILLEGAL_INSTRUCTION": "an instruction that this processor does not have",
    "NO_MEMORY": "the page file is too small for what was asked",
    "STACK_OVERFLOW": "a recursion without end in native code",
    "DLL_NOT_FOUND": "a DLL that the program needs is not there: most often the Visual C++ "
    "runtime, or a part of the driver",
    "ENTRYPOINT_NOT_FOUND": "a DLL is of another version than the program needs",
    "DLL_INIT_FAILED": "a DLL refused to start, often for want of memory",
    "HEAP_CORRUPTION": "native code wrote beyond its memory",
    "STACK_BUFFER_OVERRUN": "native code gave up (abort or a failed check)",
    "CONTROL_C_EXIT": "it was interrupted",
}
"""What a death by a signal, or by an exception of Windows, most often means."""


def signal_sentence(name: str, code: int) -> str:
    """What a death by this signal, or this exception of Windows, most often means."""
    meaning = _MEANINGS.get(name)
    number = f" (0x{code:08X})" if code > 0xFFFF else ""
    return f"the command died of {name}{number}" + (f": {meaning}" if meaning else "")
