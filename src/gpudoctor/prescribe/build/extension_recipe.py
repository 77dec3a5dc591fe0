"""How to rebuild an extension of torch from its published source."""

from __future__ import annotations

from gpudoctor.compat.architecture import ComputeCapability
from gpudoctor.kb.software import packages as kb_packages
from gpudoctor.model.facts import Host, Package
from gpudoctor.model.prescription import Step
from gpudoctor.model.terms.version import public_version
from gpudoctor.prescribe.commands.compile_commands import arch_list, max_jobs, with_variables


def extension_recipe(
    package: Package,
    gpus: tuple[ComputeCapability, ...],
    host: Host | None,
    python: str,
    why: str,
    *,
    for_code: bool,
) -> Step:
    """How to rebuild an extension against the torch that is then installed.

    `why`: what is wrong with the installed one, as a clause; `for_code`: whether that is the code
    for a GPU, which a ready wheel lacks too.
    """
    # The sources are published without the label that a ready wheel carries.
    public = public_version(package.version or "")
    wanted = f"{package.name}=={public}" if public else package.name
    argv = (python, "-m", "pip", "install", "--no-build-isolation", "--no-deps",
            "--force-reinstall", "--no-cache-dir", "--no-binary", package.name, wanted)  # fmt: skip
    variables = {"MAX_JOBS": str(max_jobs(host))}
    if gpus:
        variables["TORCH_CUDA_ARCH_LIST"] = arch_list(gpus)
    if for_code and (variable := kb_packages.compiling_variable(package.name)):
        variables[variable] = "TRUE"
    lines = with_variables(variables, (argv,))
    where = f" (it came from {package.origin})" if package.origin and package.editable else ""
    return Step(
        kind="source-build",
        text=f"Rebuild {package.name} for these GPUs against the torch that is then there: {why}, "
        f"and no release is known that fits{where}. It needs the CUDA toolkit and a compiler.",
        posix=lines[0],
        powershell=lines[1],
        cmd=lines[2],
        risk="medium",
    )
