"""What commands that compile device code have in common: targets, jobs, variables."""

from __future__ import annotations

from gpudoctor.compat.architecture import ComputeCapability
from gpudoctor.model.facts import Host
from gpudoctor.model.terms.shell import cmd, posix, powershell
from gpudoctor.prescribe.known_steps import source_build


def arch_list(gpus: tuple[ComputeCapability, ...]) -> str:
    """`TORCH_CUDA_ARCH_LIST` for some GPUs: each capability, the highest with PTX as well."""
    names = [str(gpu) for gpu in sorted(gpus)]
    return ";".join([*names[:-1], f"{names[-1]}+PTX"]) if names else ""


def max_jobs(host: Host | None) -> int:
    """Parallel compiler jobs that the memory allows, and the processor; 2 if neither is known."""
    if host is None or not host.memory_bytes:
        return 2
    by_memory = host.memory_bytes // source_build().memory_bytes_per_job
    return max(1, min(by_memory, host.cpu_count or by_memory))


def with_variables(
    variables: dict[str, str], commands: tuple[tuple[str, ...], ...]
) -> tuple[str, str, str]:
    """Commands under environment variables, in the three shells."""
    assign = " ".join(posix((f"{name}={value}",)) if ";" not in value else f"{name}='{value}'"
                      for name, value in variables.items())  # fmt: skip
    ps = "; ".join(f"$env:{name} = '{value}'" for name, value in variables.items())
    dos = " && ".join(f'set "{name}={value}"' for name, value in variables.items())
    return (
        " && ".join([*map(posix, commands[:-1]), f"{assign} {posix(commands[-1])}"]),
        "; ".join([ps, *map(powershell, commands)]),
        " && ".join([dos, *map(cmd, commands)]),
    )
