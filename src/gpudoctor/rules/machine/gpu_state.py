"""The GPUs themselves: modes that keep programs out, and hardware that fails."""

from __future__ import annotations

from collections.abc import Iterator

from gpudoctor.model.fact import Unknown
from gpudoctor.model.finding import Evidence, Finding, Severity
from gpudoctor.model.pattern import late_pattern
from gpudoctor.model.step import Step
from gpudoctor.model.terms.shell import command_step, posix_step, sentence_step
from gpudoctor.rules.engine import knowledge_queries as knowledge
from gpudoctor.rules.engine.all_rules import rule
from gpudoctor.rules.engine.case import Case, Device
from gpudoctor.rules.engine.restart import restart
from gpudoctor.rules.engine.wording import finding, names, verb

# Xid numbers, NVIDIA's catalogue docs.nvidia.com/deploy/xid-errors: 79 the GPU fell off the bus,
# 119 and 120 the system processor (GSP) did not answer, 48, 94 and 95 uncorrectable memory errors.
_XID = late_pattern(
    r"Xid \(PCI:(?P<where>[0-9a-fA-F:.]+)\)?[^:]*: (?P<number>\d+)|Xid[^0-9]{1,4}(\d+)\b"
)
_FELL_OFF = (79,)
_GSP = (119, 120)
_MEMORY = (48, 94, 95)


def xid(line: str) -> int | None:
    """The Xid number of a kernel log line."""
    match = _XID.search(line)
    return None if match is None else int(match["number"] or match[3])


def _logged(case: Case, numbers: tuple[int, ...]) -> str | None:
    return next((line for line in case.facts.log if xid(line) in numbers), None)


@rule("gpu-fell-off-bus", needs=("log",))
def gpu_fell_off_bus(case: Case) -> Iterator[Finding | Unknown]:
    """The kernel logged that a GPU stopped answering on PCIe."""
    line = _logged(case, _FELL_OFF) or next(
        (line for line in case.facts.log if "fallen off the bus" in line), None
    )
    if line is None:
        return
    yield finding(
        "gpu-fell-off-bus",
        "A GPU stopped answering on the PCIe bus",
        "The kernel logged that a card vanished while it was in use: power, heat, a loose card "
        "or riser, or hardware that is dying. It is gone until the machine restarts.",
        severity=Severity.WARNING if case.cuda_works else Severity.ERROR,
        evidence=[Evidence(fact="log", value=line, source="kernel log")],
        clears_with=("reboot", "manual"),
        remedies=(
            sentence_step("reboot", "Restart the machine, power off in between."),
            sentence_step(
                "manual",
                "If it returns: reseat the card and its power cables, lower its power limit "
                "(`sudo nvidia-smi -pl WATTS`), or have it replaced.",
            ),
        ),
    )


@rule("gsp-firmware-timeout", needs=("log",))
def gsp_firmware_timeout(case: Case) -> Iterator[Finding | Unknown]:
    """The kernel logged that the GPU's system processor does not answer."""
    line = _logged(case, _GSP)
    if line is None:
        return
    yield finding(
        "gsp-firmware-timeout",
        "The system processor of a GPU stopped answering",
        "Newer GPUs run part of the driver on a processor of their own. When its firmware hangs, "
        "every call into the driver takes the better part of a minute, or fails.",
        severity=Severity.WARNING if case.cuda_works else Severity.ERROR,
        evidence=[Evidence(fact="log", value=line, source="kernel log")],
        clears_with=("reboot", "driver"),
        remedies=(
            restart(case),
            sentence_step("driver", "If it returns: install a newer driver."),
        ),
    )


@rule("ecc-uncorrectable", needs=("gpus",), uses=("gpus[*].ecc_uncorrected", "log"))
def ecc_uncorrectable(case: Case) -> Iterator[Finding | Unknown]:
    """A GPU counted memory errors that could not be corrected, or the kernel logged one."""
    line = _logged(case, _MEMORY)
    bad = [device for device in case.nvidia if (device.gpu.ecc_uncorrected or 0) > 0]
    if not bad and line is None:
        return
    yield finding(
        "ecc-uncorrectable",
        f"The memory of {names(bad) or 'a GPU'} had errors that could not be corrected",
        "This is hardware, not software. Programs that meet such an error are ended; a restart "
        "takes the bad memory out of use.",
        severity=Severity.WARNING,
        evidence=[
            *(case.evidence(f"{device.path}.ecc_uncorrected") for device in bad),
            *([Evidence(fact="log", value=line, source="kernel log")] if line else []),
        ],
        gpus=bad,
        clears_with=("reboot", "manual"),
        next_look="`nvidia-smi -q -d ECC,ROW_REMAPPER,PAGE_RETIREMENT`",
        remedies=(
            sentence_step("reboot", "End the programs on this GPU and restart the machine."),
            sentence_step("manual", "If the counters grow again, have the card replaced."),
        ),
    )


@rule(
    "gpu-exclusive-process-mode",
    needs=("gpus",),
    uses=("gpus[*].compute_mode", "gpus[*].processes"),
)
def gpu_exclusive_process_mode(case: Case) -> Iterator[Finding | Unknown]:
    """A GPU lets one process in and has one, or lets none in."""
    closed = [device for device in case.visible if device.gpu.compute_mode == "prohibited"]
    taken = [
        device
        for device in case.visible
        if device.gpu.compute_mode in ("exclusive_process", "exclusive_thread")
        and device.gpu.processes
        and case.knows(f"{device.path}.processes")
    ]
    if not closed and not taken:
        return
    for devices, title, detail in (
        (
            closed,
            (
                f"{names(closed)} {verb(closed, 'lets', 'let')} no program compute "
                "(compute mode “prohibited”)"
            ),
            "An administrator closed this GPU for CUDA, often because it drives a screen.",
        ),
        (
            taken,
            (
                f"{names(taken)} {verb(taken, 'lets', 'let')} one process in at a time, "
                "and one is there"
            ),
            (
                "The GPU is in the mode “exclusive process”. A second program is told that the "
                "device is busy or unavailable."
            ),
        ),
    ):
        if not devices:
            continue
        blocked = len(closed) + len(taken) == len(case.visible)
        yield finding(
            "gpu-exclusive-process-mode",
            title,
            detail,
            severity=Severity.ERROR if blocked else Severity.WARNING,
            evidence=[
                *(case.evidence(f"{device.path}.compute_mode") for device in devices),
                *(case.evidence(f"{s.path}.processes") for s in devices if s.gpu.processes),
            ],
            gpus=devices,
            clears_with=("manual", "mask-gpus"),
            remedies=(
                _let_in(case, ",".join(str(device.index) for device in devices)),
                sentence_step("manual", "Or use another GPU, one process on each."),
            ),
        )


@rule(
    "mig-visibility",
    needs=("gpus",),
    uses=("gpus[*].mig_mode", "gpus[*].mig_devices", "environment"),
    gravest=Severity.ERROR,
)
def mig_visibility(case: Case) -> Iterator[Finding | Unknown]:
    """MIG without instances, a mask that names none of them, or one that names several."""
    split = [device for device in case.nvidia if device.gpu.mig_mode]
    if not split:
        return
    mask = case.environment.get("CUDA_VISIBLE_DEVICES", "")
    asked = [part.strip() for part in mask.split(",") if part.strip().startswith("MIG-")]
    have = [uuid for device in split for uuid in device.gpu.mig_devices]
    empty = [
        device
        for device in split
        if not device.gpu.mig_devices
        and case.knows(f"{device.path}.mig_devices")
        and device.gpu.visible is not False
    ]
    others = [device for device in case.visible if device not in empty]
    said = None
    said_of_empty = False
    if asked and have and not any(uuid.startswith(one) for one in asked for uuid in have):
        said = (
            "CUDA_VISIBLE_DEVICES names a MIG instance that does not exist",
            (
                "This GPU is divided into instances, each with a UUID. The one that the variable "
                "names is not among them, so programs see no GPU."
            ),
            Severity.ERROR,
        )
    elif len(asked) > 1:
        said = (
            "CUDA_VISIBLE_DEVICES names several MIG instances, and a process gets only the first",
            (
                "A process can use one MIG instance. Several need several processes, each with its "
                "own variable; they cannot train one model together."
            ),
            Severity.WARNING,
        )
    elif empty:
        said_of_empty = True
        said = (
            f"{names(empty)} {verb(empty, 'is', 'are')} in MIG mode without an instance",
            (
                "In MIG mode a GPU computes only through instances that an administrator creates. "
                "There is none, so CUDA finds nothing on it."
            ),
            Severity.WARNING if others else Severity.ERROR,
        )
    elif case.driver.cu_init == 101:
        said = (
            f"CUDA does not accept the devices of {names(split)} in MIG mode (error 101)",
            (
                "This GPU is divided into instances, and the driver refuses the one that it was "
                "asked for."
            ),
            Severity.ERROR,
        )
    if said is None:
        return
    title, detail, severity = said
    yield finding(
        "mig-visibility",
        title,
        detail,
        severity=severity,
        evidence=[
            *([case.evidence("environment", f"CUDA_VISIBLE_DEVICES={mask}")] if mask else []),
            *(case.evidence(f"{device.path}.mig_devices") for device in split),
        ],
        gpus=empty or split,
        clears_with=("environment", "manual"),
        remedies=_undivided(empty) if said_of_empty else _CHOOSE_INSTANCE,
    )


_CHOOSE_INSTANCE = (
    command_step("manual", "List the instances.", ("nvidia-smi", "-L"), executable=False),
    sentence_step(
        "environment",
        "Name one instance for each process, by its UUID (CUDA_VISIBLE_DEVICES=MIG-…).",
    ),
)


def _undivided(devices: list[Device]) -> tuple[Step, ...]:
    listed = ",".join(str(device.index) for device in devices)
    return (
        posix_step(
            "manual",
            "Make the GPU whole again; this takes effect after a restart at the latest.",
            f"sudo nvidia-smi -i {listed} -mig 0",
        ),
        sentence_step(
            "manual",
            f"Or divide it: `sudo nvidia-smi mig -i {listed} -lgip` lists the profiles, and "
            f"`sudo nvidia-smi mig -i {listed} -cgi PROFILE -C` makes an instance.",
        ),
    )


def _let_in(case: Case, listed: str) -> Step:
    """The default mode, in which several processes share a GPU."""
    text = "Let several processes share the GPU."
    argv = ("nvidia-smi", "-i", listed, "-c", "DEFAULT")
    if case.host.os == "windows":
        return command_step("manual", text, argv, risk="medium", executable=False)
    return posix_step("manual", text, f"sudo {' '.join(argv)}")


@rule("unknown-gpu", needs=("gpus",))
def unknown_gpu(case: Case) -> Iterator[Finding | Unknown]:
    """A GPU that the knowledge base does not have."""
    for device in case.nvidia:
        gpu = device.gpu
        if (not gpu.name and not gpu.pci_id) or knowledge.is_known_gpu(gpu.name, gpu.pci_id):
            continue
        if knowledge.generation(device.capability) is not None:
            continue
        yield finding(
            "unknown-gpu",
            f"{device.label} is not in gpudoctor's knowledge base",
            "It is judged by what the driver reports of it; a newer gpudoctor may know it."
            if device.capability
            else "Its compute capability is not known, so nothing is said about it.",
            severity=Severity.INFO,
            evidence=[case.evidence(f"{device.path}.name"), case.evidence(f"{device.path}.pci_id")],
            gpus=(device,),
        )
