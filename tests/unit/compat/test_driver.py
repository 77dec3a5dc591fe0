"""What a driver can do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpudoctor.compat import driver
from gpudoctor.compat.driver import DriverVersion
from gpudoctor.kb.hardware import nvidia_gpus as gpus

PARTS = st.lists(st.integers(100, 999), min_size=1, max_size=1).flatmap(
    lambda first: st.lists(st.integers(0, 999), max_size=3).map(lambda rest: [*first, *rest])
)


def version(text: str) -> DriverVersion:
    return DriverVersion.parse(text)


@given(PARTS, PARTS)
def test_versions_compare_as_numbers(left: list[int], right: list[int]) -> None:
    one, two = (version(".".join(map(str, parts))) for parts in (left, right))
    assert (one < two) == (left < right)
    assert (one == two) == (left == right)


def test_leading_zeros_do_not_matter() -> None:
    assert version("525.60.13") > version("525.60.9")
    assert version("580.65.06") == version("580.65.6")
    assert str(version(" 580.65.06 ")) == "580.65.06"


@pytest.mark.parametrize("text", ["", "N/A", "[Unknown]", "570.x", "1", "570.1.2.3.4", "５７０.1"])
def test_what_is_no_version_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no driver version"):
        version(text)
    assert driver.parse_driver(text) is None


@pytest.mark.parametrize(
    ("text", "cuda", "os", "serves"),
    [
        ("535.104.05", "12.8", "linux", True),
        ("535.104.05", "13.0", "linux", False),
        ("525.60.13", "12.9", "linux", True),
        ("525.60.11", "12.0", "linux", False),
        ("580.65.06", "13.4", "linux", True),
        ("450.80.02", "11.8", "linux", True),
        ("528.33", "12.8", "windows", True),
        ("528.02", "12.8", "wsl", False),
        ("580.88", "13.0", "wsl", True),
        ("570.26", "14.0", "linux", None),
        ("570.26", "", "linux", None),
    ],
)
def test_the_floor_of_the_major_decides(
    text: str, cuda: str, os: driver.DriverOs, serves: bool | None
) -> None:
    assert driver.starts(cuda, text, None, os) is serves


@pytest.mark.parametrize(
    ("text", "cuda"),
    [
        ("535.104.05", "12.2"),
        ("572.61", "12.8"),
        ("577.00", "12.9"),
        ("616.41", "13.4"),
        ("999.1", None),
    ],
)
def test_the_newest_cuda_of_a_driver(text: str, cuda: str | None) -> None:
    assert driver.newest_cuda(version(text)) == cuda


def test_ptx_does_not_profit_from_the_minor_version_rule() -> None:
    assert driver.compiles_ptx_of("12.8", "12.8.1")
    assert driver.compiles_ptx_of("13.0", "12.9")
    assert not driver.compiles_ptx_of("12.2", "12.8")
    assert driver.compiles_ptx_isa("12.8", "8.7") is True
    assert driver.compiles_ptx_isa("12.8", "9.0") is False
    assert driver.compiles_ptx_isa("12.8", "42.0") is None


@pytest.mark.parametrize(
    ("text", "capability", "known"),
    [
        ("590.48.01", "6.1", "too-new"),
        ("580.65.06", "6.1", "yes"),
        ("999.1", "6.1", "too-new"),
        ("495.29.05", "3.7", "too-new"),
        ("470.256.02", "3.7", "yes"),
        ("550.54.14", "12.0", "too-old"),
        ("570.26", "12.0", "yes"),
        ("572.61", "12.0", "yes"),
        ("535.54.03", "8.9", "yes"),
        ("515.43.04", "8.9", "too-old"),
        ("580.65.06", "11.0", None),
        ("580.65.06", "8.7", None),
        ("999.1", "12.0", None),
        ("580.65.06", "42.0", None),
    ],
)
def test_whether_a_driver_knows_a_gpu(text: str, capability: str, known: str | None) -> None:
    assert driver.knows_gpu(version(text), capability) == known


@given(st.sampled_from(gpus.all_capabilities()), st.integers(100, 999), st.integers(100, 999))
def test_a_newer_driver_never_goes_back_to_too_old(capability: str, one: int, two: int) -> None:
    order = ["too-old", "yes", "too-new"]
    older, newer = (driver.knows_gpu(version(str(n)), capability) for n in sorted((one, two)))
    if older is not None and newer is not None:
        assert order.index(older) <= order.index(newer)


@given(st.sampled_from([11, 12, 13]), st.sampled_from(["linux", "windows", "wsl"]), PARTS)
def test_the_floor_itself_serves_and_what_is_below_does_not(
    major: int, os: driver.DriverOs, parts: list[int]
) -> None:
    lowest = driver.floor_of(major, os)
    assert lowest is not None
    assert driver.starts(f"{major}.0", str(lowest), None, os) is True
    some = version(".".join(map(str, parts)))
    assert driver.starts(f"{major}.0", str(some), None, os) is (some >= lowest)


@pytest.mark.parametrize(
    ("flavour", "capability", "serves"),
    [
        ("proprietary", "12.0", False),
        ("open", "12.0", True),
        ("open", "7.0", False),
        ("proprietary", "7.0", True),
        ("open", "7.5", True),
        ("proprietary", "9.0", True),
        ("open", "8.7", None),
        ("open", "42.0", None),
    ],
)
def test_which_module_flavour_serves_a_gpu(
    flavour: driver.Flavour, capability: str, serves: bool | None
) -> None:
    assert driver.module_serves(flavour, capability) is serves


def test_branches_that_serve_a_mixed_machine() -> None:
    assert driver.common_branches(("6.1", "12.0")) == (570, 580)
    assert driver.common_branches(("7.0", "9.0")) == (520, 580)
    assert driver.common_branches(("3.5", "12.0")) is None
    assert driver.common_branches(("8.6", "9.0")) == (520, None)
    assert driver.common_branches(()) == (0, None)


def test_whose_numbers_count() -> None:
    assert driver.driver_os("linux") == "linux"
    assert driver.driver_os("linux", wsl=True) == "wsl"
    assert driver.driver_os("windows") == "windows"
    assert driver.driver_os("macos") is None
    assert driver.driver_os(None) is None


@pytest.mark.parametrize(
    ("cuda", "number", "reported", "os", "starts"),
    [
        ("13.0", "580.65.06", "13.0", "linux", True),
        ("13.0", "580.65.05", "13.0", "linux", False),  # in the floor's branch, below the floor
        ("13.0", "580", None, "linux", True),  # a bare branch stands for its newest driver
        ("13.0", "570.26", "13.0", "linux", True),  # a forward-compatibility package is loaded
        ("12.8", "535.104.05", "12.2", "linux", True),
        ("12.8", "535.104.05", None, "linux", True),
        ("13.0", "580.88", "13.0", "windows", True),
        ("12.4", None, "11.8", "linux", False),
        ("12.4", None, None, "linux", None),
        ("10.2", None, "10.1", "linux", False),
        ("", "580.65.06", None, "linux", None),
    ],
)
def test_one_answer_says_whether_programs_start(
    cuda: str, number: str | None, reported: str | None, os: str, starts: bool | None
) -> None:
    assert driver.starts(cuda, number, reported, os) is starts


@pytest.mark.parametrize(
    ("number", "name", "known"),
    [
        ("570.86.16", "NVIDIA GeForce RTX 5060 Ti", "too-old"),
        ("570.144", "NVIDIA GeForce RTX 5060 Ti", "too-old"),
        ("570.153.02", "NVIDIA GeForce RTX 5060 Ti", "yes"),
        ("580.65.06", "NVIDIA GeForce RTX 5060 Ti", "yes"),
        ("570.133.07", "NVIDIA GeForce RTX 5060", "too-old"),
        ("570.86.16", "NVIDIA GeForce RTX 5080", "yes"),
        ("570.86.16", None, "yes"),
    ],
)
def test_within_a_branch_the_models_first_driver_decides(
    number: str, name: str | None, known: str | None
) -> None:
    assert driver.knows(number, "12.0", name) == known


def test_a_bare_branch_is_its_newest_release():
    assert driver.knows("570", "12.0", "GeForce RTX 5090") == "yes"
    assert driver.knows("570.86.10", "12.0", "GeForce RTX 5090") == "too-old"
    assert driver.knows("565", "12.0", "GeForce RTX 5090") == "too-old"
