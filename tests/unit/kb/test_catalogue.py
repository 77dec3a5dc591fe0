"""The catalogue of findings."""

from __future__ import annotations

import pytest

from gpudoctor.kb.findings import catalogue

# The names that are promised to other programs (docs/codes has a page each).
PROMISED = {
    "torch-lacks-arch-new-gpu": "GPU201",
    "no-gpu-found": "GPU001",
    "driver-too-old": "GPU107",
    "wsl-linux-driver-installed": "GPU701",
    "rule-crashed": "GPU901",
}


def test_codes_and_names_are_unique() -> None:
    entries = catalogue.entries()
    assert len({entry.code for entry in entries}) == len(entries)
    assert len({entry.name for entry in entries}) == len(entries)


@pytest.mark.parametrize(("name", "code"), PROMISED.items())
def test_a_name_has_its_code(name: str, code: str) -> None:
    assert catalogue.code(name) == code
    for text in (name, code, code.lower(), f" {name.upper()} "):
        found = catalogue.find(text)
        assert found is not None
        assert found.name == name


def test_an_unknown_name_is_a_fault_of_the_caller() -> None:
    with pytest.raises(KeyError):
        catalogue.entry("no-such-finding")
    assert catalogue.find("no-such-finding") is None


def test_a_typing_error_is_answered_with_near_names() -> None:
    assert "driver-too-old" in catalogue.nearest("driver-to-old")
    assert catalogue.nearest("zzzzzzzzz") == ()


def test_look_alikes_exist() -> None:
    names = {entry.name for entry in catalogue.entries()}
    for entry in catalogue.entries():
        assert set(entry.looks_like) <= names, entry.name
        assert entry.name not in entry.looks_like


def test_meanings_are_sentences() -> None:
    for entry in catalogue.entries():
        assert entry.meaning.endswith("."), entry.code
        assert entry.severity in ("error", "warning", "info")
        assert entry.still_possible is None or entry.still_possible.endswith("."), entry.code


@pytest.mark.parametrize(
    ("name", "hundred"),
    [
        ("container-shm-too-small", "0"),
        ("nvml-driver-library-mismatch", "1"),
        ("wheel-line-ending", "2"),
        ("torch-missing", "3"),
        ("extension-lacks-arch", "4"),
        ("smoke-hung", "5"),
        ("amd-gpu-needs-rocm-torch", "6"),
        ("triton-not-installed-windows", "7"),
        ("unfinished-fix", "9"),
    ],
)
def test_the_hundred_says_where_a_finding_belongs(name: str, hundred: str) -> None:
    assert catalogue.code(name)[3] == hundred


HUNDREDS = {
    "0": "host", "1": "driver", "2": "build", "3": "environment", "4": "libraries",
    "5": "runtime", "6": "vendor", "7": "windows", "9": "gpudoctor",
}  # fmt: skip


@pytest.mark.parametrize("entry", catalogue.entries(), ids=lambda entry: entry.code)
def test_the_hundred_says_to_people_what_the_area_says_to_programs(
    entry: catalogue.Entry,
) -> None:
    # What AMD, Intel and Apple need lies in any layer: the area says in which.
    closer = {"host", "driver", "environment"} if entry.code[3] == "6" else set()
    assert entry.area in {HUNDREDS[entry.code[3]], *closer}
    assert catalogue.area(entry.code) == catalogue.area(entry.name) == entry.area


def test_what_is_in_no_catalogue_has_no_area() -> None:
    assert catalogue.area("GPU999") is None
