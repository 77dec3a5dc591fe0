"""AMD GPUs: which build of torch serves them, and what the environment makes of them."""

from __future__ import annotations

from collections.abc import Iterator

from gpudoctor.kb import amd
from gpudoctor.model.fact import Unknown
from gpudoctor.model.finding import Evidence, Finding
from gpudoctor.model.shell import environment_step, sentence_step
from gpudoctor.model.step import Step
from gpudoctor.rules.engine import knowledge_queries as book
from gpudoctor.rules.engine.case import Case, Seat
from gpudoctor.rules.engine.registry import rule
from gpudoctor.rules.engine.wording import finding, names, verb

_OVERRIDE = "HSA_OVERRIDE_GFX_VERSION"


def in_question(case: Case) -> list[Seat]:
    """The AMD GPUs that people would train on: none where an NVIDIA GPU is there for it.

    The graphics inside a processor do not count beside a card: nobody trains on them, and torch
    runs on the card all the same.
    """
    if case.visible and not case.rocm_serves:
        return []
    seats = [
        seat
        for seat in case.seats
        if seat.gpu.vendor == "amd" and seat.gpu.visible is not False and case.could_train(seat)
    ]
    return [seat for seat in seats if not seat.gpu.integrated] or seats


@rule("amd-gpu-unsupported", needs=("gpus",), uses=("gpus[*].gfx",))
def amd_gpu_unsupported(case: Case) -> Iterator[Finding | Unknown]:
    """No build of torch, PyTorch's or AMD's own, has code for the GPU."""
    seats = in_question(case)
    old = [seat for seat in seats if seat.gpu.gfx and not book.gfx_is_served(seat.gpu.gfx)]
    if not old or len(old) < len(seats):
        return
    yield finding(
        "amd-gpu-unsupported",
        f"No published build of torch serves {names(old)}",
        "AMD GPUs run only code compiled for their own instruction set, and no build contains the "
        "one of this GPU. PyTorch runs on the CPU here.",
        evidence=[case.evidence(f"{seat.path}.gfx") for seat in old],
        gpus=old,
        clears_with=("manual",),
    )


@rule(
    "amd-gpu-needs-rocm-torch",
    needs=("gpus", "torch.version", "torch.hip"),
    unless=("amd-gpu-unsupported",),
)
def amd_gpu_needs_rocm_torch(case: Case) -> Iterator[Finding | Unknown]:
    """The installed torch is no ROCm build, and the GPU is one from AMD."""
    torch = case.facts.torch
    seats = [s for s in in_question(case) if not s.gpu.gfx or book.gfx_is_served(s.gpu.gfx)]
    if torch is None or torch.hip is not None or not seats or case.host.os == "macos":
        return
    if torch.xpu and any(seat.gpu.vendor == "intel" for seat in case.seats):
        return
    kind = f"built for CUDA {torch.cuda}" if torch.cuda else "built for the CPU alone"
    gfx = sorted({seat.gpu.gfx for seat in seats if seat.gpu.gfx})
    remedies: tuple[Step, ...] = ()
    if case.host.os == "windows" or (gfx and not any(map(book.gfx_on_index, gfx))):
        remedies = (
            sentence_step(
                "install",
                "PyTorch's own index has no build for this GPU and system; AMD publishes some at "
                "https://repo.amd.com/rocm/whl-multi-arch/ (an index of its own).",
            ),
        )
    yield finding(
        "amd-gpu-needs-rocm-torch",
        f"torch {torch.version} is {kind}; {names(seats)} "
        f"{verb(seats, 'needs', 'need')} a ROCm build",
        "GPUs from AMD are served by builds of PyTorch for ROCm, AMD's counterpart of CUDA. They "
        "lie on an index of their own, so a plain `pip install torch` does not bring them.",
        evidence=[
            case.evidence("torch.version"),
            case.evidence("torch.hip"),
            *(case.evidence(f"{seat.path}.gfx") for seat in seats),
        ],
        gpus=seats,
        clears_with=("install",),
        remedies=remedies,
    )


@rule("rocm-torch-lacks-gfx", needs=("gpus", "torch.version", "torch.hip"), uses=("gpus[*].gfx",))
def rocm_torch_lacks_gfx(case: Case) -> Iterator[Finding | Unknown]:
    """The installed ROCm build has no code for the GPU's instruction set."""
    torch = case.facts.torch
    if torch is None or not torch.hip or not torch.version or case.environment.get(_OVERRIDE):
        return
    build = book.rocm_build_of(torch.version, torch.hip)
    if build is None or not build.gfx:
        return
    seats = [s for s in in_question(case) if s.gpu.gfx and s.gpu.gfx not in build.gfx]
    if not seats:
        return
    override = amd.override_for(seats[0].gpu.gfx or "")
    remedies: tuple[Step, ...] = ()
    if override and override.works == "usually" and override.runs_as in build.gfx:
        text = "On Linux this usually works: let the GPU pass for a relative that is served."
        remedies = (environment_step(text, {_OVERRIDE: override.value}, "environment"),)
    yield finding(
        "rocm-torch-lacks-gfx",
        f"torch {torch.version} has no code for {seats[0].gpu.gfx} ({names(seats)})",
        "AMD GPUs run only code compiled for their own instruction set, and this build does not "
        "contain the one of this GPU. Kernels fail with `invalid device function`.",
        evidence=[
            Evidence(fact="torch.gfx", value=", ".join(build.gfx), source="knowledge base"),
            *(case.evidence(f"{seat.path}.gfx") for seat in seats),
        ],
        gpus=seats,
        clears_with=("install", "environment"),
        remedies=remedies,
    )


@rule("hsa-override-wrong", needs=("gpus", "environment"), uses=("gpus[*].gfx",))
def hsa_override_wrong(case: Case) -> Iterator[Finding | Unknown]:
    """HSA_OVERRIDE_GFX_VERSION makes the GPU run code that does not suit it."""
    value = case.environment.get(_OVERRIDE)
    if not value:
        return
    for seat in in_question(case):
        gfx = seat.gpu.gfx
        if not gfx:
            continue
        override = amd.override_for(gfx)
        bad = override is not None and override.works != "usually" and override.value == value
        foreign = book.numbers(value)[:1] != _family(gfx)
        if not bad and not foreign:
            continue
        note = override.note if override is not None and bad else None
        yield finding(
            "hsa-override-wrong",
            f"{_OVERRIDE}={value} does not suit {seat.label} ({gfx})",
            "The variable makes the GPU claim another instruction set than its own. Between "
            "families that leads to crashes, hangs or wrong results"
            + (f" ({note})." if note else "."),
            evidence=[
                Evidence(fact=f"environment.{_OVERRIDE}", value=value, source="environment"),
                case.evidence(f"{seat.path}.gfx"),
            ],
            gpus=(seat,),
            clears_with=("environment",),
            remedies=(
                environment_step(
                    f"Remove {_OVERRIDE} from the environment.", {_OVERRIDE: None}, "environment"
                ),
            ),
        )


def _family(gfx: str) -> tuple[int, ...]:
    """The first number of an instruction set: `gfx1030` → 10, `gfx90a` → 9."""
    digits = gfx.removeprefix("gfx")[:-2]
    return (int(digits),) if digits.isascii() and digits.isdigit() else ()
