"""Reports that the renderers are shown, one of them written by an enemy."""

from __future__ import annotations

from gpudoctor.model.fact import Unknown
from gpudoctor.model.facts import Driver, Facts, Gpu, Host, Python, Torch
from gpudoctor.model.finding import Evidence, Finding, Severity
from gpudoctor.model.prescription import Alternative, Prescription, Step
from gpudoctor.model.report import Knowledge, Report, Smoke, SmokeDevice, SmokeTest
from gpudoctor.model.sheet import FactSheet

ESCAPES = "\x1b[31mred\x1b]0;title\x07\x9b2J\u202e[bold]x[/bold]<b>&amp;</b>`|::error::\r\n%0A"


def report(hostile=False):
    name = ESCAPES if hostile else "NVIDIA GeForce RTX 5060 Ti"
    command = (
        "python -m pip install --index-url https://download.pytorch.org/whl/cu128 "
        + " ".join(["torch==2.9.1+cu128", "torchvision==0.24.1+cu128", "torchaudio==2.9.1+cu128"])
    )
    return Report(
        version="0.1.0",
        knowledge=Knowledge(version="1", date="2026-11-20"),
        verdict="broken",
        exit_code=1,
        sheet=FactSheet(
            Facts(
                host=Host(os="linux", arch="x86_64", distribution="Ubuntu 24.04.1 LTS"),
                driver=Driver(version="570.172.08", cuda="12.8"),
                gpus=(
                    Gpu(
                        index=0,
                        name=name,
                        sm="sm_120",
                        compute_capability="12.0",
                        memory_bytes=17103323136,
                    ),
                ),
                python=Python(
                    executable="/x/bin/python",
                    version="3.11.7",
                    environment="venv",
                    chosen_because="VIRTUAL_ENV",
                ),
                torch=Torch(
                    version="2.6.0+cu124",
                    cuda="12.4",
                    sass=("sm_50", "sm_90"),
                    arch_source="binary",
                ),
            ),
            unknown=(Unknown("gpus[0].uuid", "removed as private", "redaction"),),
            sources={"torch": "torch/version.py"},
        ),
        findings=(
            Finding(
                code="GPU201",
                name="torch-lacks-arch-new-gpu",
                severity=Severity.ERROR,
                title=f"torch 2.6.0+cu124 has no code for sm_120 ({name})",
                detail="The build is older than the GPU.",
                evidence=(Evidence(fact="torch.sass", value="sm_50, sm_90", source="binary"),),
                gpus=(0,),
                clears_with=("install",),
            ),
            Finding(
                code="GPU305",
                name="wheel-line-ending",
                severity=Severity.INFO,
                title="The line ends",
            ),
        ),
        not_judged=(Unknown("mig-visibility", "gpus[0].uuid is unknown"),),
        prescription=Prescription(
            status="resolved",
            why="The newest stable build that serves sm_120.",
            torch="2.9.1",
            variant="cu128",
            index_url="https://download.pytorch.org/whl/cu128",
            packages=("torch==2.9.1+cu128",),
            steps=(
                Step(
                    kind="install",
                    text="Install the build.",
                    posix=command,
                    powershell="& " + command,
                    cmd=command,
                ),
            ),
            alternatives=(Alternative(why="cu130 needs driver 580"),),
        ),
        smoke=Smoke(
            level="quick",
            gpus=(
                SmokeDevice(
                    index=0,
                    status="failed",
                    tests=(
                        SmokeTest(name="matmul", dtype="float32", status="failed", error=name),
                        SmokeTest(name="relu", status="skipped"),
                    ),
                ),
            ),
        ),
        timings_ms={"collect": 81.23},
    )
