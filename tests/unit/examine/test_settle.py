"""Where facts and kernels disagree, the kernels are believed, and both are named."""

from __future__ import annotations

from gpudoctor.examine.settle import settle
from gpudoctor.model.finding import Evidence, Finding, Severity
from gpudoctor.model.report import Smoke, SmokeDevice


def finding(name: str, *gpus: int, severity: Severity = Severity.ERROR, **more: object) -> Finding:
    return Finding(
        code="GPU999",
        name=name,
        severity=severity,
        title=f"{name} is so",
        gpus=gpus,
        evidence=(Evidence(fact=name, value="x"),),
        **more,  # type: ignore[arg-type]
    )


def smoke(**status: str) -> Smoke:
    devices = tuple(
        SmokeDevice(index=int(name[1:]), status=value)  # type: ignore[arg-type]
        for name, value in status.items()
    )
    return Smoke(level="quick", gpus=devices)


def test_a_foretold_failure_that_did_not_come_is_information_that_says_both() -> None:
    static = finding("torch-lacks-arch-new-gpu", 0)
    [settled] = settle((static,), (), smoke(g0="passed"))
    assert settled.severity is Severity.INFO
    assert "its kernels ran" in settled.title
    assert "torch-lacks-arch-new-gpu is so" in settled.title
    assert [e.fact for e in settled.evidence] == ["torch-lacks-arch-new-gpu", "smoke"]


def test_it_stands_where_another_gpu_passed() -> None:
    static = finding("torch-lacks-arch-new-gpu", 0, 1)
    [settled] = settle((static,), (), smoke(g0="skipped", g1="passed"))
    assert settled.severity is Severity.ERROR


def test_what_kernels_cannot_disprove_stands() -> None:
    static = finding("torchvision-torchaudio-version-mismatch")
    assert settle((static,), (), smoke(g0="passed")) == (static,)


def test_nothing_is_disproved_where_nothing_ran() -> None:
    static = finding("driver-too-old")
    assert settle((static,), (), smoke()) == (static,)


def test_what_both_found_is_one_finding_with_both_proofs() -> None:
    static = finding("torch-lacks-arch-new-gpu", 0)
    proved = finding("torch-lacks-arch-new-gpu", 0)
    [settled] = settle((static,), (proved,), smoke(g0="failed"))
    assert len(settled.evidence) == 2


def test_a_failure_that_was_foretold_follows_from_what_foretold_it() -> None:
    static = finding("driver-too-old")
    proved = finding("smoke-failed", 0)
    first, second = settle((static,), (proved,), smoke(g0="failed"))
    assert (first.name, second.name) == ("driver-too-old", "smoke-failed")
    assert second.caused_by == "driver-too-old"


def test_a_failure_on_another_gpu_is_not_explained_by_it() -> None:
    static = finding("torch-lacks-arch-new-gpu", 1)
    proved = finding("smoke-failed", 0)
    settled = settle((static,), (proved,), smoke(g0="failed", g1="failed"))
    [failed] = [one for one in settled if one.name == "smoke-failed"]
    assert failed.caused_by is None
    assert "the kernels say otherwise" in failed.detail


def test_errors_come_before_warnings_and_causes_before_what_they_cause() -> None:
    settled = settle(
        (finding("a-warning", severity=Severity.WARNING),),
        (
            finding("smoke-failed", 0, caused_by="no-kernel-image"),
            finding("no-kernel-image", 0),
        ),
        smoke(g0="failed"),
    )
    assert [one.name for one in settled] == ["no-kernel-image", "smoke-failed", "a-warning"]
