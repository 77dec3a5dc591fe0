"""Device files that are not there or closed to this user: one judgement for AMD and Intel."""

from __future__ import annotations

from collections.abc import Sequence

from gpudoctor.model.facts import VendorDriver
from gpudoctor.model.finding import Finding
from gpudoctor.model.terms.shell import posix_step
from gpudoctor.model.value import dataclass
from gpudoctor.rules.engine.case import Case, Device
from gpudoctor.rules.engine.wording import finding, several
from gpudoctor.rules.vendors.device_files import (
    closed_files,
    described,
    missing_nodes,
    passed_in,
    rights,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How the programs of one vendor reach its GPUs on Linux, and the words for it."""

    vendor: str
    """`amd`: the beginning of the findings' names and the place of the facts."""
    software: str
    """What finds no GPU then: `ROCm`."""
    paths: tuple[str, ...]
    """What a container must be started with."""
    way: str
    """How the GPU is reached, as a sentence."""
    made_by: str
    """When the kernel makes the files, as a sentence."""
    group: str
    """Which group opens them, as a sentence or two."""
    log: str
    """Shows why the kernel made none, with `text` before it."""
    log_text: str


def files_missing(
    case: Case, access: Access, stack: VendorDriver | None, devices: Sequence[Device]
) -> Finding | None:
    """The finding that a device file is not in `/dev`, or not in this container.

    Under WSL there is none by design, and other systems have no such files.
    """
    if stack is None or not devices or case.host.os != "linux" or case.host.wsl:
        return None
    compute = "/dev/kfd"
    lost = missing_nodes(stack, devices)
    missing = ((compute,) if compute in access.paths and not stack.compute_node else ()) + lost
    if not missing:
        return None
    container = case.host.container
    where = f"this {container} container" if container else "/dev"
    nodes = f"ls -l {' '.join(access.paths)}"
    files = "them" if len(access.paths) > 1 else "it"
    return finding(
        f"{access.vendor}-device-files-missing",
        f"{several([*missing[:2], *(['more'] if len(missing) > 2 else [])])} "
        f"{'is' if len(missing) == 1 else 'are'} not in {where}, so {access.software} finds no GPU",
        f"{access.way} "
        + (
            f"A container does not see {files} unless it is started with {files}."
            if container
            else access.made_by
        ),
        evidence=[
            case.evidence(
                f"{access.vendor}.device_files", [file.path for file in stack.device_files]
            ),
            *([case.evidence("host.container")] if container else []),
        ],
        gpus=devices,
        clears_with=("manual",),
        next_look=f"`{nodes}` on the host shows whether the host has {files}.",
        remedies=passed_in(case, access.paths)
        if container
        else (posix_step("manual", access.log_text, access.log),),
    )


def no_permission(
    case: Case, access: Access, stack: VendorDriver | None, devices: Sequence[Device]
) -> Finding | None:
    """The finding that this user may not open what the GPUs are reached through."""
    if stack is None or not devices or case.host.os not in ("linux", None):
        return None
    closed = closed_files(stack, devices)
    if not closed:
        return None
    return finding(
        f"{access.vendor}-device-permissions",
        f"This user may not open {several([file.path for file in closed[:2]])}, so "
        f"{access.software} finds no GPU",
        access.group,
        evidence=[
            case.evidence(f"{access.vendor}.device_files", [described(file) for file in closed])
        ],
        gpus=devices,
        clears_with=("manual",),
        remedies=rights(case, closed),
    )
