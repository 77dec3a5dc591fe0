"""What a run of kernels proves, as findings of the catalogue."""

from __future__ import annotations

from collections.abc import Sequence

from gpudoctor.kb.findings import catalogue
from gpudoctor.kb.findings.follow_ups import follow_up
from gpudoctor.model.facts import Gpu
from gpudoctor.model.finding import Evidence, Finding, Severity, StepKind
from gpudoctor.model.report import SmokeTest
from gpudoctor.model.sheet import FactSheet
from gpudoctor.model.step import Step
from gpudoctor.model.terms.shell import environment_step
from gpudoctor.model.value import replace
from gpudoctor.smoke.causes import cause, error_code
from gpudoctor.smoke.worker_run import Mishap, Run, key

_SHORT = 300
_LINES = 6


def findings(runs: Sequence[Run], sheet: FactSheet) -> tuple[Finding, ...]:
    """The findings of all runs, root cause first; `sheet` was read after the failures."""
    found: list[Finding] = []
    for run in runs:
        for mishap in run.mishaps:
            # An import that the time allowed cut short is no finding: nothing is known of it.
            if mishap.test is None and not mishap.unfinished:
                found.extend(_outside_tests(run, mishap, gpu_of(run, sheet)))
        found.extend(_tests(run, gpu_of(run, sheet)))
    return _merged(found)


def gpu_of(run: Run, sheet: FactSheet) -> Gpu | None:
    """The facts about the GPU that a run was made on; `None` for the CPU."""
    for position, gpu in enumerate(sheet.facts.gpus):
        if run.target.index == (position if gpu.index is None else gpu.index):
            return gpu
    return None


def _outside_tests(run: Run, mishap: Mishap, gpu: Gpu | None) -> list[Finding]:
    """Starting the interpreter, importing torch, waking the device, ending."""
    if mishap.stage in ("start", "import"):
        return _import(run, mishap)
    if mishap.stage == "init":
        return _waking(run, mishap, gpu)
    where = "at its end, after all tests" if mishap.stage == "exit" else "between two tests"
    name = "smoke-hung" if mishap.kind == "hung" else "smoke-crashed"
    title = f"The process that ran the tests on {run.target.label} {mishap.what} {where}"
    return [_finding(run, name, title, _evidence(run, mishap))]


def _import(run: Run, mishap: Mishap) -> list[Finding]:
    if mishap.kind == "not-started":
        return [_finding(run, "torch-import-crash", f"The interpreter cannot start: {mishap.what}")]
    if mishap.kind == "raised":
        title = f"import torch raises {_first_line(mishap.what)}"
    elif mishap.stage == "start":
        title = f"The interpreter {mishap.what} before it came to import torch"
    else:
        title = f"import torch {mishap.what}"
    name = "torch-import-hang" if mishap.kind == "hung" else "torch-import-crash"
    text = "\n".join((mishap.what, *mishap.stderr))
    behind = cause(text, torch=run.torch, device=run.device)
    if behind == "torch-missing":
        title = "The examined environment has no torch"
        return [_finding(run, "torch-missing", title, clears=("install",))]
    return [_finding(run, name, title, _evidence(run, mishap), behind, clears=("install",))]


def _waking(run: Run, mishap: Mishap, gpu: Gpu | None) -> list[Finding]:
    name = {"hung": "smoke-hung", "crashed": "smoke-crashed"}.get(mishap.kind, "smoke-failed")
    text = "\n".join((mishap.what, *mishap.stderr))
    behind = cause(text, gpu=gpu, torch=run.torch, device=run.device)
    what = _first_line(mishap.what)
    verb = "raises" if mishap.kind == "raised" else "in a process that"
    title = f"Waking {run.target.label} {verb} {what}"
    return [
        *_cause(run, behind, gpu, title),
        _finding(run, name, title, _evidence(run, mishap), behind),
    ]


def _tests(run: Run, gpu: Gpu | None) -> list[Finding]:
    found: list[Finding] = []
    wrong = [test for name, test in run.tests.items() if name in run.wrong]
    if wrong:
        verb = "gives wrong numbers" if len(wrong) == 1 else "give wrong numbers"
        found.append(_about(run, "wrong-numbers", verb, wrong))
    for name, verb in (("crashed", "ended its process"), ("hung", "did not come back")):
        tests = [test for test in run.tests.values() if test.status == name]
        cut = {mishap.test for mishap in run.mishaps if mishap.at_deadline}
        if name == "hung" and tests and all(key(t.name, t.dtype) in cut for t in tests):
            found.append(_cut_short(run, tests))
        elif tests:
            behind = _behind_hang(run, tests) if name == "hung" else _behind_crash(run, tests)
            about = _about(run, f"smoke-{name}", verb, tests, behind)
            found += [*(_cause(run, behind, gpu, about.title) if name == "crashed" else ()), about]
    groups: dict[str | None, list[SmokeTest]] = {}
    for name, test in run.tests.items():
        if test.status == "failed" and name not in run.wrong:
            behind = cause(test.error or "", gpu=gpu, torch=run.torch, device=run.device)
            groups.setdefault(behind, []).append(test)
    for behind, tests in groups.items():
        about = _about(run, "smoke-failed", "failed", tests, behind)
        found += [*_cause(run, behind, gpu, about.title), about]
    return found


def _cut_short(run: Run, tests: Sequence[SmokeTest]) -> Finding:
    """What still ran when the time allowed for all was over: that alone proves no hang."""
    about = _about(run, "smoke-hung", "had not come back when the time allowed was over", tests)
    return replace(
        about,
        detail="The time that was given for everything ended while this test ran. It may hang, or "
        "only be slow: the first kernels of a process are loaded, and some compiled, when used.",
        next_look="The same command with a longer --timeout, or without one: each test then has "
        "the time that it needs on slow machines, and what hangs is told from what is slow.",
    )


def _behind_hang(run: Run, tests: Sequence[SmokeTest]) -> str | None:
    """A collective that hangs while copies work is the classic of P2P behind an IOMMU."""
    if all(test.name == "all-reduce" for test in tests):
        peers = run.tests.get(key("peer-copy", "float32"))
        if peers is not None and peers.status == "passed":
            return "nccl-p2p-iommu-acs-hang"
    return None


def _behind_crash(run: Run, tests: Sequence[SmokeTest]) -> str | None:
    """What the process said before it ended: rocBLAS and AMD's run time end it themselves."""
    if not run.torch.get("hip"):
        return None
    keys = {key(test.name, test.dtype) for test in tests}
    said = [line for mishap in run.mishaps if mishap.test in keys for line in mishap.stderr]
    return cause("\n".join(said), torch=run.torch, device=run.device)


def _cause(run: Run, name: str | None, gpu: Gpu | None, title: str) -> list[Finding]:
    """The finding of the cause itself, where the proof is the one that knows it."""
    if name is None or catalogue.find(name) is None:
        return []
    evidence = [Evidence(fact="smoke", value=title, source="kernel tests")]
    if name in ("torch-lacks-arch-new-gpu", "torch-dropped-arch-old-gpu"):
        built = ", ".join(run.torch.get("architectures") or ())
        evidence.append(
            Evidence(fact="torch.sass", value=built, source="torch.cuda.get_arch_list()")
        )
        text = f"torch {run.torch.get('version', '')} has no code for {run.target.label}"
        sentence = f"{text}, compute capability {run.device.get('capability')}"
    elif name == "rocm-torch-lacks-gfx":
        built = ", ".join(run.torch.get("architectures") or ())
        evidence.append(
            Evidence(fact="torch.gfx", value=built, source="torch.cuda.get_arch_list()")
        )
        text = f"torch {run.torch.get('version', '')} has no code for {run.target.label}"
        sentence = f"{text}, {run.device.get('gfx')}"
    elif name == "gpu-memory-held-by-other-process":
        held = ", ".join(str(pid) for pid in (gpu.processes if gpu else ())) or "not visible here"
        sentence = f"Most memory of {run.target.label} is held by other processes ({held})"
    elif name == "gpu-exclusive-process-mode":
        mode = gpu.compute_mode if gpu else None
        sentence = f"{run.target.label} is in compute mode {mode} and has an owner already"
    elif name == "gpu-driver-state-busy":
        sentence = f"{run.target.label} says that it is busy, although its compute mode is default"
    elif name == "no-kernel-image":
        sentence = f"A kernel found no code for {run.target.label}"
    else:
        sentence = f"{run.target.label}: {catalogue.entry(name).meaning.rstrip('.')}"
    found = _finding(run, name, sentence, tuple(evidence))
    # What people who had it typed; a prescription, where there is one, stands before it.
    return [replace(found, remedies=catalogue.cures(name))]


def _about(
    run: Run, name: str, verb: str, tests: Sequence[SmokeTest], behind: str | None = None
) -> Finding:
    shown = ", ".join(_label(test) for test in tests[:4])
    more = f" and {len(tests) - 4} more" if len(tests) > 4 else ""
    some = "Kernel test" if len(tests) == 1 else "Kernel tests"
    title = f"{some} {shown}{more} on {run.target.label} {verb}"
    error = _first_line(tests[0].error or "")
    if error:
        title += f": {error}"
    evidence: list[Evidence] = []
    for test in tests:
        place = f"smoke.{key(test.name, test.dtype)}"
        evidence.append(
            Evidence(fact=place, value=test.error or test.status, source="kernel tests")
        )
        if code := error_code(test.error or ""):
            evidence.append(Evidence(fact=f"{place}.error", value=code, source="HIP's error codes"))
        operation = run.operations.get(key(test.name, test.dtype))
        if operation:
            evidence.append(Evidence(fact=f"{place}.operation", value=operation))
        for mishap in run.mishaps:
            if mishap.test == key(test.name, test.dtype):
                evidence.extend(_evidence(run, mishap))
    return _finding(run, name, title, tuple(evidence), behind)


def _label(test: SmokeTest) -> str:
    return f"{test.name} ({test.dtype})" if test.dtype else test.name


def _evidence(run: Run, mishap: Mishap) -> tuple[Evidence, ...]:
    place = f"smoke.{mishap.test or mishap.stage}"
    found = [Evidence(fact=place, value=mishap.what, source=run.target.label)]
    if mishap.stderr:
        lines = "\n".join(mishap.stderr[-_LINES:])
        found.append(Evidence(fact=f"{place}.stderr", value=lines, source="the child's stderr"))
    return tuple(found)


def _finding(
    run: Run,
    name: str,
    title: str,
    evidence: tuple[Evidence, ...] = (),
    behind: str | None = None,
    *,
    clears: tuple[StepKind, ...] = (),
) -> Finding:
    entry = catalogue.entry(name)
    detail = entry.meaning
    if behind is not None:
        detail += f" What lies behind it: {behind}."
    if any(mishap.signal == "SIGKILL" for mishap in run.mishaps):
        detail += " SIGKILL comes from outside: often the kernel, when memory runs out."
    remedies: tuple[Step, ...] = ()
    if behind == "nccl-p2p-iommu-acs-hang":
        remedies = (
            environment_step(
                "Switch peer-to-peer traffic off and try again: if it then works, that traffic "
                "is redirected (PCIe ACS, IOMMU) or not supported by these boards.",
                {"NCCL_P2P_DISABLE": "1"},
                "environment",
            ),
        )
    return Finding(
        code=entry.code,
        name=name,
        severity=Severity(entry.severity),
        title=title,
        detail=detail,
        evidence=evidence,
        gpus=() if run.target.index is None else (run.target.index,),
        clears_with=clears,
        caused_by=behind if behind and catalogue.find(behind) else None,
        next_look="; ".join(follow_up(name).look) or None,
        still_possible=entry.still_possible,
        remedies=remedies,
    )


def _first_line(text: str) -> str:
    line = text.strip().splitlines()[0] if text.strip() else ""
    return line if len(line) <= _SHORT else line[:_SHORT] + " …"


def _merged(found: Sequence[Finding]) -> tuple[Finding, ...]:
    """One finding where the same thing is said of several GPUs; causes before what they cause."""
    by_title: dict[tuple[str, str], Finding] = {}
    for finding in found:
        place = (finding.name, finding.title)
        known = by_title.get(place)
        if known is None:
            by_title[place] = finding
        else:
            gpus = tuple(sorted({*known.gpus, *finding.gpus}))
            by_title[place] = replace(known, gpus=gpus)
    order = {name: rank for rank, name in enumerate(_ORDER)}
    return tuple(sorted(by_title.values(), key=lambda one: order.get(one.name, -1)))


# Whatever is not in this list is a cause, and stands before them.
_ORDER = (
    "torch-import-crash",
    "torch-import-hang",
    "wrong-numbers",
    "smoke-crashed",
    "smoke-hung",
    "smoke-failed",
    "slower-than-its-sheet",
)
