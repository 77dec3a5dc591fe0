"""Whatever is installed wherever: the prescription is possible, complete, and cures."""

from __future__ import annotations

import re
from dataclasses import replace

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gpudoctor import rules
from gpudoctor.kb.software import torch_releases
from gpudoctor.model.facts import Package
from gpudoctor.model.finding import Severity
from gpudoctor.model.sheet import FactSheet
from gpudoctor.prescribe.build.companion_changes import along
from gpudoctor.prescribe.build.prediction import with_build, without_packages
from gpudoctor.prescribe.driver.branches import DriverPlan, driver_for, knows
from gpudoctor.prescribe.request.target import target_of
from unit.prescribe.sheets import cure, errors, sheet

PLACES = {
    ("linux", "x86_64"): "linux_x86_64",
    ("linux", "aarch64"): "linux_aarch64",
    ("windows", "x86_64"): "win_amd64",
}
CARDS = ["Tesla K80", "GTX 980", "GTX 1080", "V100", "Tesla T4", "RTX 3090", "A100", "4090", "H100",
         "B200", "RTX 5090", "12.1", "11.0", "8.7"]  # fmt: skip
DRIVERS = ["450.80.02", "470.256.02", "525.60.13", "535.183.01", "550.54.15", "572.61", "580.95.05",
           "595.58.03", None]  # fmt: skip
EXTRAS = st.lists(
    st.sampled_from(
        [
            Package(name="torchvision", version="0.21.0+cu124"),
            Package(name="torchaudio", version="2.6.0+cu124"),
            Package(name="flash-attn", version="2.7.4", build="cu12torch2.6cxx11abiFALSE"),
            Package(name="vllm", version="0.8.0", requires=("torch==2.6.0",)),
            Package(name="xformers", version="0.0.29", requires=("torch==2.6.0",)),
            Package(name="nvidia-cudnn-cu12", version="9.1.0.70"),
            Package(name="nvidia-cublas-cu12", version="12.4.5.8"),
            Package(name="tensorflow", version="2.18", requires=("nvidia-cudnn-cu12>=9",)),
        ]
    ),
    unique_by=lambda package: package.name,
    max_size=4,
)


@st.composite
def machines(draw):
    place = draw(st.sampled_from(sorted(PLACES)))
    builds = [b for b in torch_releases.builds() if b.platform == PLACES[place] and b.exists]
    build = draw(st.sampled_from([b for b in builds if b.kind in ("cuda", "cpu")]))
    torch = draw(st.sampled_from([f"{build.torch}+{build.variant}", None]))
    return sheet(
        *draw(st.lists(st.sampled_from(CARDS), min_size=1, max_size=3)),
        os=place[0],
        arch=place[1],
        driver=draw(st.sampled_from(DRIVERS)),
        python=f"{draw(st.sampled_from(['3.9', '3.10', '3.12', '3.13', '3.14', '3.15']))}.1",
        torch=torch,
        packages=tuple(draw(EXTRAS)) if torch else (),
    )


def known(found, platform):
    """The published build that a prescription names."""
    return next(
        (
            build
            for build in (*torch_releases.builds(), *torch_releases.nightlies())
            if (build.torch, build.variant, build.platform)
            == (found.torch, found.variant, platform)
        ),
        None,
    )


@settings(max_examples=250, deadline=None)
@given(machines())
def test_a_prescription_is_whole_and_names_only_what_exists(machine):
    found = cure(machine)
    assert found.why
    assert "None" not in found.why
    for step in (*found.steps, *(step for way in found.alternatives for step in way.steps)):
        assert step.text
        assert "None" not in f"{step.text}{step.posix or ''}"
        if step.argv:
            assert step.posix
            assert step.powershell
            assert step.cmd
        assert step.kind != "driver" or not step.argv, "drivers are printed, never installed"
    if found.status == "resolved":
        assert found.steps
    if found.torch is not None and not any(s.kind == "source-build" for s in found.steps):
        platform = target_of(machine).platform
        build = known(found, platform)
        assert build is not None
        assert build.exists
        assert build.nightly or build.requirement in found.packages
        assert str(found.index_url) == build.index_url


@settings(max_examples=250, deadline=None)
@given(machines())
def test_what_was_prescribed_works_once_it_is_done(machine):
    """Carried out by hand, without the prediction that the prescription was proved with."""
    found = cure(machine)
    kinds = {step.kind for step in found.steps}
    assume(found.status == "resolved" and found.torch is not None)
    assume(not kinds & {"mask-gpus", "manual", "source-build"})
    assume(not any("JetPack" in step.text for step in found.steps))
    target = target_of(machine)
    build = known(found, target.platform)
    assert build is not None
    after = with_build(machine, build, along(machine.facts, build))
    for step in found.steps:
        if step.kind == "uninstall":
            after = without_packages(after, (step.posix or "").rpartition("--yes")[2].split())
    if "driver" in kinds:
        branch = next(
            int(re.search(r"branch (\d+)", step.text)[1])
            for step in found.steps
            if step.kind == "driver"
        )
        assert all(knows(f"{branch}.999", gpu) is not False for gpu in target.gpus)
        driver = sheet("4090", driver=f"{branch}.999").facts.driver
        module = machine.facts.kernel_module
        module = module and replace(module, version=f"{branch}.999")
        after = FactSheet(replace(after.facts, driver=driver, kernel_module=module))
    assert not errors(after)


@settings(max_examples=150, deadline=None)
@given(machines())
def test_a_machine_without_errors_is_left_as_it_is(machine):
    # A warning that another torch clears (an engine that demands it) may bring that torch.
    said = [f for f in rules.judge(machine).findings if f.severity is not Severity.INFO]
    if errors(machine) or any("install" in finding.clears_with for finding in said):
        return
    found = cure(machine)
    assert found.torch is None
    assert not any(step.kind in ("driver", "mask-gpus") for step in found.steps)


@settings(max_examples=100, deadline=None)
@given(machines())
def test_the_same_machine_gets_the_same_prescription(machine):
    assert cure(machine) == cure(machine)


@given(st.lists(st.sampled_from(CARDS), min_size=1, max_size=4), st.booleans())
@settings(max_examples=100, deadline=None)
def test_a_planned_driver_knows_every_gpu(cards, linux):
    gpus = target_of(sheet(*cards)).gpus
    plan = driver_for(gpus, linux=linux)
    if isinstance(plan, DriverPlan):
        assert all(knows(plan.version, gpu) is not False for gpu in gpus if not gpu.is_tegra)
