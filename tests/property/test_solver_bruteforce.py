"""The solver against a search that is slow, simple, and written without it.

Both look at the same published builds. The search below knows nothing of the solver's classes:
it compares strings and numbers, one build after the other.
"""

from __future__ import annotations

import itertools
import os

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from gpudoctor.binaries.judgement.published import gaps
from gpudoctor.compat.architecture import ComputeCapability
from gpudoctor.kb.software import torch_releases
from gpudoctor.model.finding import Severity
from gpudoctor.prescribe.build.companion_changes import Along
from gpudoctor.prescribe.build.feasible import feasible
from gpudoctor.prescribe.build.prediction import with_build
from gpudoctor.prescribe.build.solver import best, explain, ranked
from gpudoctor.prescribe.request.target import Target
from gpudoctor.rules import judge
from unit.prescribe.sheets import sheet

_CONFIGS = os.path.join(os.path.dirname(__file__), "..", "..", "configs")
_TEGRA = {"53", "62", "72", "87", "110"}

SINGLES = ["3.5", "3.7", "5.0", "5.2", "5.3", "6.0", "6.1", "6.2", "7.0", "7.2", "7.5", "8.0",
           "8.6", "8.7", "8.9", "9.0", "10.0", "10.3", "11.0", "12.0", "12.1"]  # fmt: skip
SETS = [(one,) for one in SINGLES] + [
    ("7.0", "9.0"), ("6.1", "12.0"), ("7.5", "9.0"), ("5.2", "8.6"), ("3.7", "6.0"),
    ("8.0", "12.0"), ("7.0", "12.0"), ("6.1", "7.5", "8.9"), ("9.0", "10.0", "12.0"),
    ("8.7", "12.0"), ("3.5", "9.0"),
]  # fmt: skip
DRIVERS = [None, "450.80.02", "470.256.02", "525.60.13", "528.33", "535.183.01", "550.54.15",
           "572.61", "580.64", "580.95.05", "595.58.03"]  # fmt: skip
PLATFORMS = [("linux", "linux_x86_64"), ("linux", "linux_aarch64"), ("windows", "win_amd64")]
PYTHONS = [None, "3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3.13t", "3.14", "3.14t", "3.15"]
GRID = list(itertools.product(SETS, DRIVERS, PLATFORMS, PYTHONS))


def _yaml(name):
    with open(os.path.join(_CONFIGS, name), encoding="utf-8") as file:
        return yaml.load(file, getattr(yaml, "CSafeLoader", yaml.SafeLoader))


_CUDA = _yaml("cuda.yaml")
_FIRST = {row["sm"]: row["first"] for row in _CUDA["architectures"]}
_BRANCHES = {row["branch"]: row["cuda"] for row in _CUDA["branches"]}


def _numbers(text):
    return [int(part) for part in text.split("+")[0].split(".") if part.isdigit()]


def _split(name):
    """`sm_90a` → (90 as text, a)."""
    digits = name.split("_")[1]
    return (digits[:-1], digits[-1]) if digits[-1] in "af" else (digits, "")


def _native(name, gpu):
    code, suffix = _split(name)
    if suffix == "a" or code in _TEGRA or gpu in _TEGRA:
        return code == gpu
    return code[:-1] == gpu[:-1] and int(code) <= int(gpu)


def _jit(build, gpu, driver):
    if build.cuda is None or not any(
        int(_split(name)[0]) <= int(gpu) and not _split(name)[1] for name in build.ptx
    ):
        return False
    toolkit = _numbers(build.cuda)[:2]
    if gpu in _FIRST and _numbers(_FIRST[gpu])[:2] > toolkit:
        return False  # its libraries have nothing for this GPU
    if driver is None:
        return True
    known = [branch for branch in _BRANCHES if branch <= _numbers(driver)[0]]
    return not known or _numbers(_BRANCHES[max(known)])[:2] >= toolkit


def _cudnn_serves(build, gpu):
    if not build.cudnn:
        return True
    lowest = None
    for row in _CUDA["cudnn"]:
        if _numbers(row["since"]) <= _numbers(build.cudnn):
            lowest = row["lowest"]
    return lowest is None or _numbers(lowest) <= [int(gpu[:-1]), int(gpu[-1])]


def _floor(cuda, system):
    for row in _CUDA["majors"]:
        if row["cuda"] == _numbers(cuda)[0]:
            return row[system]
    return None


def search(gpus, driver, system, platform, python):
    """Every published CUDA build that runs there, as (torch, variant)."""
    found = set()
    for build in torch_releases.builds():
        if build.kind != "cuda" or build.published == "unconfirmed" or build.platform != platform:
            continue
        if python is not None and python not in build.pythons:
            continue
        if driver is not None and _numbers(driver) < _numbers(_floor(build.cuda, system)):
            continue
        good = True
        for capability in gpus:
            gpu = capability.replace(".", "")
            code = any(_native(name, gpu) for name in build.sass) or _jit(build, gpu, driver)
            if not code or not _cudnn_serves(build, gpu):
                good = False
        if good:
            found.add((build.torch, build.variant))
    return found


def target(gpus, driver, system, platform, python):
    return Target(
        gpus=tuple(ComputeCapability.parse(name) for name in gpus),
        driver=driver,
        os=system,
        platform=platform,
        python=python,
    )


def test_the_grid_is_as_large_as_promised():
    assert len(GRID) >= 10_000


def test_solver_and_search_agree_on_every_point_of_the_grid():
    wrong = []
    for gpus, driver, (system, platform), python in GRID:
        chosen = best(target(gpus, driver, system, platform, python))
        expected = search(gpus, driver, system, platform, python)
        if (chosen is None) != (not expected) or (
            chosen is not None and (chosen.torch, chosen.variant) not in expected
        ):
            wrong.append((gpus, driver, platform, python, chosen and chosen.torch))
    assert not wrong, wrong[:10]


def test_every_choice_of_the_grid_is_healthy_by_the_rules():
    """Put back into the rules; whether the driver knows the GPU is another matter."""
    judged = set()
    for gpus, driver, (system, platform), python in GRID:
        chosen = best(target(gpus, driver, system, platform, python))
        if chosen is None or driver is None or (gpus, driver, chosen) in judged:
            continue
        judged.add((gpus, driver, chosen))
        machine = sheet(
            *gpus,
            driver=driver,
            os=system,
            arch="aarch64" if platform.endswith("aarch64") else "x86_64",
            python=f"{(python or '3.12').rstrip('t')}.1",
        )
        after = with_build(machine, chosen, Along(versions={}))
        found = {f.name for f in judge(after).findings if f.severity is Severity.ERROR}
        found -= {"gpu-needs-other-driver-branch", "open-kernel-module-required"}
        assert not found, (gpus, driver, platform, chosen.torch, chosen.variant, found)
    assert len(judged) > 500


@pytest.mark.parametrize("platform", [name for _, name in PLATFORMS])
def test_every_pair_of_capability_and_variant_is_kept_or_has_a_reason(platform):
    for name in SINGLES:
        wanted = target((name,), None, "linux", platform, None)
        kept = {f"torch {o.build.torch}+{o.build.variant}" for o in feasible(wanted)}
        reasons = explain(wanted)
        assert kept == {label for label, found in reasons.items() if not found}
        assert all(r.text and not r.text.endswith(".") for found in reasons.values() for r in found)


capabilities = st.lists(st.sampled_from(SINGLES), min_size=1, max_size=3, unique=True)


@settings(max_examples=300, deadline=None)
@given(
    gpus=capabilities,
    driver=st.one_of(
        st.none(),
        st.tuples(st.integers(440, 620), st.integers(0, 200), st.integers(0, 99)).map(
            lambda parts: ".".join(map(str, parts))
        ),
    ),
    place=st.sampled_from(PLATFORMS),
    python=st.sampled_from(PYTHONS),
)
def test_solver_and_search_agree_anywhere(gpus, driver, place, python):
    ours = {(b.torch, b.variant) for b in ranked(target(gpus, driver, *place, python))}
    if driver is not None and int(driver[:3]) > 615 + 4:
        return  # newer than every known branch: what it compiles is not known
    assert ours == search(gpus, driver, place[0], place[1], python)


@settings(max_examples=200, deadline=None)
@given(gpus=capabilities, place=st.sampled_from(PLATFORMS), more=st.sampled_from(SINGLES))
def test_more_gpus_never_allow_more_builds(gpus, place, more):
    few = {(b.torch, b.variant) for b in ranked(target(gpus, None, *place, None))}
    many = {(b.torch, b.variant) for b in ranked(target({*gpus, more}, None, *place, None))}
    assert many <= few


@settings(max_examples=200, deadline=None)
@given(gpus=capabilities, place=st.sampled_from(PLATFORMS))
def test_the_installed_release_is_kept_wherever_it_serves_everything(gpus, place):
    machine = target(gpus, None, *place, None)
    for build in ranked(machine)[::7]:
        release = [b for b in ranked(machine) if b.torch == build.torch]
        if all(gaps(b, machine.gpus) for b in release):
            continue
        chosen = best(target(gpus, None, *place, None), installed=f"{build.torch}+cpu")
        assert chosen is not None
        assert chosen.torch == build.torch
