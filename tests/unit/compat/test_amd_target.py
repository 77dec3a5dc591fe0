"""On which AMD GPUs a code object runs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpudoctor.compat.amd_target import best_service, generation, pretended, service
from gpudoctor.kb.hardware import amd_gpus as amd


@pytest.mark.parametrize(
    ("target", "gfx", "expected"),
    [
        ("gfx1100", "gfx1100", "native"),
        ("gfx1100", "gfx1101", "none"),
        ("gfx11-generic", "gfx1101", "native"),
        ("gfx11-generic", "gfx1201", "none"),
        ("gfx10-3-generic", "gfx1036", "native"),
        ("gfx9-4-generic", "gfx942", "native"),
        ("gfx9-generic", "gfx90c", "native"),
        ("amdgcnspirv", "gfx1201", "jit"),
        ("gfx90a:xnack-", "gfx90a", "native"),
        ("gfx90a:xnack+", "gfx90a", "none"),
        ("gfx90a:sramecc+:xnack-", "gfx90a", "native"),
        ("gfx906:sramecc-", "gfx906", "native"),
    ],
)
def test_a_code_object_serves_its_own_gpu_its_family_or_any(
    target: str, gfx: str, expected: str
) -> None:
    assert service(target, gfx) == expected


def test_with_retry_on_page_faults_the_other_half_counts() -> None:
    both = ("gfx90a:xnack-", "gfx90a:xnack+")
    assert best_service(both[1:], "gfx90a", xnack=True) == "native"
    assert best_service(both[:1], "gfx90a", xnack=True) == "none"
    assert best_service(both, "gfx90a") == best_service(both, "gfx90a", xnack=True) == "native"


def test_machine_code_comes_before_what_is_compiled_at_run_time() -> None:
    assert best_service(("amdgcnspirv", "gfx1100"), "gfx1100") == "native"
    assert best_service(("amdgcnspirv", "gfx1100"), "gfx1036") == "jit"
    assert best_service((), "gfx1100") == "none"


@pytest.mark.parametrize(
    ("value", "gfx"),
    [
        ("10.3.0", "gfx1030"),
        ("11.0.0", "gfx1100"),
        ("9.0.10", "gfx90a"),
        ("9.4.2", "gfx942"),
        ("11.5.1", "gfx1151"),
        ("1030", None),
        ("gfx1030", None),
        ("10.3", None),
        ("10.3.0.1", None),
        ("", None),
    ],
)
def test_an_override_is_three_numbers(value: str, gfx: str | None) -> None:
    assert pretended(value) == gfx


@pytest.mark.parametrize("row", amd.overrides(), ids=lambda row: row.value)
def test_what_the_table_of_overrides_claims_is_what_the_value_says(row: amd.Override) -> None:
    assert pretended(row.value) == row.runs_as


@given(st.text(max_size=12))
def test_no_text_is_too_strange(text: str) -> None:
    pretended(text)
    service(text, "gfx1100")
    generation(text)
