"""Environment variables: masks that hide GPUs, and settings that break or slow PyTorch."""

from __future__ import annotations

from collections.abc import Iterator

from gpudoctor.kb.environment_variables import slowing_switches
from gpudoctor.model.fact import Unknown
from gpudoctor.model.finding import Evidence, Finding, Severity
from gpudoctor.model.step import Step
from gpudoctor.model.terms.shell import environment_step, posix_step
from gpudoctor.rules.engine import knowledge_queries as knowledge
from gpudoctor.rules.engine.all_rules import rule
from gpudoctor.rules.engine.case import Case, Device
from gpudoctor.rules.engine.wording import finding, names, verb
from gpudoctor.rules.machine.masks_of_others import other_masks, set_by

_MASK = "CUDA_VISIBLE_DEVICES"
_CONTAINER_MASK = "NVIDIA_VISIBLE_DEVICES"


def _entries(case: Case) -> list[str] | None:
    """What the mask lists; `None` where it is not set."""
    mask = case.environment.get(_MASK)
    return None if mask is None else [part.strip() for part in mask.split(",")]


def _is_number(text: str) -> bool:
    return text.isascii() and text.lstrip("+-").isdigit()


def _hides_all(entries: list[str]) -> bool:
    """Whether a mask leaves nothing on any machine: CUDA stops at the first invalid entry."""
    first = entries[0]
    if first.upper().startswith(("GPU-", "MIG-")):
        return False
    return not _is_number(first) or first.startswith("-")


def _unset(name: str) -> Step:
    return environment_step(f"Remove {name} from the environment.", {name: None}, "environment")


def _evidence(case: Case, name: str) -> Evidence:
    value = case.environment.get(name, "") or "(empty)"
    return Evidence(fact=f"environment.{name}", value=value, source="environment")


@rule("cuda-visible-devices-hides-gpus", uses=("environment", "host.container"), needs=("gpus",))
def cuda_visible_devices_hides_gpus(case: Case) -> Iterator[Finding | Unknown]:
    """The mask is empty, -1 or void: no GPU is left to any program."""
    if not case.knows("environment"):
        yield from _all_hidden(case)
        return
    yield from other_masks(case)
    if not case.nvidia:
        return
    entries = _entries(case)
    name = None
    if entries is not None and (_hides_all(entries) or _leaves_none(case, entries)):
        name = _MASK
    elif (
        case.environment.get(_CONTAINER_MASK) in ("void", "none")
        and case.host.container
        and not case.cuda_works
        and not any(case.listed_by_driver(device) for device in case.nvidia)
    ):
        name = _CONTAINER_MASK
    if name is None:
        return
    yield finding(
        "cuda-visible-devices-hides-gpus",
        f"{name} hides every GPU ({name}={case.environment[name]!r})",
        f"{names(case.nvidia)} {verb(case.nvidia, 'is', 'are')} there, but this variable tells "
        f"programs to use none{_why_none(case, entries) if name == _MASK else ''}. "
        + set_by(case, name),
        evidence=[_evidence(case, name)],
        gpus=case.nvidia,
        clears_with=("environment",),
        remedies=(_unset(name),),
    )


def _why_none(case: Case, entries: list[str] | None) -> str:
    """Why a mask that is set leaves nothing, as a clause; empty where its value says it."""
    for position, entry in enumerate(entries or ()):
        if not entry or (_is_number(entry) and entry.startswith("-")):
            return "" if position == 0 else f": CUDA stops at {entry!r}, which is no GPU"
        meant = _meant(case, entry)
        if len(meant) > 1:
            return f": {entry!r} fits {names(meant)}, and CUDA takes no UUID that fits several"
        before = [device for other in (entries or ())[:position] for device in _meant(case, other)]
        if meant and meant[0] in before:
            return f": it names {names(meant)} twice, with which CUDA shows none at all"
        if not meant and position == 0:
            return f": CUDA stops at the first entry that is no GPU, {entry!r}"
    return ""


def _meant(case: Case, entry: str) -> list[Device]:
    """The GPUs that one entry of the mask fits: a number, or the beginning of a UUID."""
    if _is_number(entry):
        return [device for device in case.nvidia if device.index == int(entry)]
    if not entry.upper().startswith("GPU-"):
        return []
    return [s for s in case.nvidia if (s.gpu.uuid or "").lower().startswith(entry.lower())]


def _leaves_none(case: Case, entries: list[str]) -> bool:
    """Whether the driver itself shows no GPU under this mask, for a reason not told elsewhere.

    So it answers a mask that names a GPU twice, and a UUID so short that it fits several.
    """
    if case.visible or any(device.gpu.mig_mode for device in case.nvidia):
        return False
    if not any(case.listed_by_driver(device) for device in case.nvidia):
        return False  # hidden for another reason: handed to a virtual machine
    told = all(case.knows(f"{device.path}.visible") for device in case.nvidia)
    return told and _wrong_entry(case, entries) is None


def _all_hidden(case: Case) -> Iterator[Finding]:
    """A saved machine whose GPUs are all said to be hidden, and its variables are not told."""
    shown = [device for device in case.devices if device.gpu.visible is not False]
    hidden = [device for device in case.nvidia if case.knows(f"{device.path}.visible")]
    if shown or not hidden or len(hidden) < len(case.devices):
        return
    yield finding(
        "cuda-visible-devices-hides-gpus",
        f"{_MASK} leaves no GPU to programs",
        f"{names(hidden)} {verb(hidden, 'is', 'are')} there, and programs do not see it. The "
        "variable is set in the shell or in the file that starts the program, sometimes by a "
        "job scheduler.",
        evidence=[case.evidence(f"{device.path}.visible") for device in hidden],
        gpus=hidden,
        clears_with=("environment",),
        remedies=(_unset(_MASK),),
    )


@rule(
    "cuda-visible-devices-wrong-index",
    uses=("gpus[*].uuid",),
    needs=("gpus", "environment"),
    unless=("cuda-visible-devices-hides-gpus", "mig-visibility"),
    where="environment",
)
def cuda_visible_devices_wrong_index(case: Case) -> Iterator[Finding | Unknown]:
    """The mask names a GPU that does not exist; CUDA ignores what comes after it."""
    entries = _entries(case)
    if entries is None or not case.nvidia:
        return
    if any(device.gpu.mig_mode for device in case.nvidia):
        return
    found = _wrong_entry(case, entries)
    if found is None:
        return
    wrong, kept, count = found
    left = f"{kept} of {count} GPUs {'is' if kept == 1 else 'are'} left"
    yield finding(
        "cuda-visible-devices-wrong-index",
        f"{_MASK} names {wrong!r}, which does not exist; "
        + (left if kept else "programs see no GPU"),
        f"The driver lists {count} NVIDIA GPU{'s' if count > 1 else ''} here, "
        "counted from 0. CUDA drops the first entry that does not exist and everything behind it.",
        severity=Severity.WARNING if kept else Severity.ERROR,
        evidence=[_evidence(case, _MASK), case.evidence("gpus", names(case.nvidia))],
        gpus=() if kept else case.nvidia,
        clears_with=("environment",),
        remedies=(
            _unset(_MASK),
            posix_step(
                "manual",
                "It can also be set inside the program, which this finds:",
                f"grep -rn {_MASK} .",
            ),
        ),
    )


def _wrong_entry(case: Case, entries: list[str]) -> tuple[str, int, int] | None:
    """The first entry that names no GPU, how many come before it, and how many GPUs there are.

    `None` if every entry names one, or that cannot be told.
    """
    # What only PCI shows has no number.
    count = len([s for s in case.nvidia if case.listed_by_driver(s)]) or len(case.nvidia)
    for kept, entry in enumerate(entries):
        if _is_number(entry):
            if not 0 <= int(entry) < count:
                return entry, kept, count
        elif entry.upper().startswith("GPU-"):
            uuids = [device.gpu.uuid for device in case.nvidia]
            if not all(uuids) or not all(
                case.knows(f"{device.path}.uuid") for device in case.nvidia
            ):
                return None
            if not any(str(uuid).lower().startswith(entry.lower()) for uuid in uuids):
                return entry, kept, count
        else:
            return entry, kept, count
    return None


@rule(
    "harmful-environment-variable",
    uses=("torch.cuda", "torch.sass", "torch.ptx", "gpus[*].compute_capability"),
    needs=("environment", "gpus"),
    where="environment",
    gravest=Severity.ERROR,
)
def harmful_environment_variable(case: Case) -> Iterator[Finding | Unknown]:
    """Variables that break this build on these GPUs, or slow every program down."""
    if not case.visible:
        return
    yield from _jit_switches(case)
    yield from _slow_switches(case)


def _on(case: Case, name: str) -> bool:
    return case.environment.get(name, "0").strip().lower() not in ("", "0", "false", "no")


def _jit_switches(case: Case) -> Iterator[Finding | Unknown]:
    """CUDA_FORCE_PTX_JIT with a build that has no PTX, and its opposite."""
    code = case.code
    if code is None:
        return
    forced = next((n for n in ("CUDA_FORCE_PTX_JIT", "CUDA_FORCE_JIT") if _on(case, n)), None)
    barred = next((n for n in ("CUDA_DISABLE_PTX_JIT", "CUDA_DISABLE_JIT") if _on(case, n)), None)
    for device in case.visible if forced or barred else ():
        if device.capability is None:
            continue
        native = knowledge.native(code.sass, device.capability)
        jittable = knowledge.jittable(code.ptx, device.capability)
        if forced and native and not jittable:
            yield _breaks(case, forced, f"no PTX for {device.label}", "machine code", device.path)
            return
        if barred and jittable and not native:
            yield _breaks(case, barred, f"only PTX for {device.label}", "PTX", device.path)
            return


def _breaks(case: Case, name: str, has: str, ignored: str, path: str) -> Finding:
    return finding(
        "harmful-environment-variable",
        f"{name} makes CUDA ignore {ignored}, and torch has {has}",
        "This variable is meant for tests of builds. With it, every kernel of torch fails with "
        "`no kernel image is available`.",
        severity=Severity.ERROR,
        evidence=[
            _evidence(case, name),
            case.evidence("torch.sass"),
            case.evidence("torch.ptx"),
            case.evidence(f"{path}.compute_capability"),
        ],
        clears_with=("environment",),
        remedies=(_unset(name),),
    )


def _slow_switches(case: Case) -> Iterator[Finding | Unknown]:
    for name, harm in slowing_switches().items():
        if _on(case, name):
            yield finding(
                "harmful-environment-variable",
                f"{name} is set, which {harm}",
                "Nothing is broken; unset it when you are done with what it was set for.",
                severity=Severity.INFO,
                evidence=[_evidence(case, name)],
                clears_with=("environment",),
                remedies=(_unset(name),),
            )
