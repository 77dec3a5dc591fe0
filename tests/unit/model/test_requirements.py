"""One room reads requirements, and its short ways answer as `packaging` does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

import gpudoctor
from gpudoctor.model.requirements.marker import environment_values, holds
from gpudoctor.model.requirements.requirement_line import normal, read_line, read_metadata_line
from gpudoctor.model.requirements.specifier import allows, specifier_of
from gpudoctor.model.terms.version import satisfies

VALUES = environment_values(os_name="linux", machine="x86_64", version="3.12.7") | {"extra": "gpu"}
NAMES = st.sampled_from(["torch", "nvidia-cudnn-cu12", "Flash_Attn", "zope.interface"])
VERSIONS = st.sampled_from(["2.9.1", "2.10.0", "2.8.0", "2.9.0", "3.0", "2.9.1+cu128"])
CLAUSES = st.builds(
    lambda operator, version: operator + version.partition("+")[0],
    st.sampled_from(["==", ">=", "<=", "<", ">", "!=", "~="]),
    VERSIONS,
)
SPECIFIERS = st.lists(CLAUSES, max_size=3, unique=True).map(",".join)
TERMS = st.sampled_from(
    [
        'platform_system == "Linux"', "platform_machine != 'x86_64'", 'extra == "gpu"',
        'sys_platform == "win32"', 'python_version < "3.13"', "platform_machine in 'x86_64 AMD64'",
        "(os_name == 'posix')",
    ]
)  # fmt: skip
MARKERS = st.recursive(
    TERMS,
    lambda inner: st.tuples(inner, st.sampled_from([" and ", " or "]), inner).map(
        lambda three: f"({''.join(three)})"
    ),
    max_leaves=4,
)


def test_packaging_is_asked_in_one_room_alone() -> None:
    source = Path(gpudoctor.__file__).parent
    asking = {
        str(file.relative_to(source).parent)
        for file in source.rglob("*.py")
        if re.search(r"^\s*(from|import) packaging\b", file.read_text(encoding="utf-8"), re.M)
    }
    assert asking == {str(Path("model/requirements"))}


@given(NAMES, SPECIFIERS, MARKERS)
def test_a_line_of_metadata_reads_as_packaging_has_it(name, specifier, marker) -> None:
    text = f"{name}[a-b]{specifier} ; {marker}"
    plain, whole = read_metadata_line(text), read_line(text)
    assert plain is not None
    assert whole is not None
    assert (plain.name, plain.extras) == (whole.name, whole.extras) == (normal(name), ("a-b",))
    assert SpecifierSet(plain.specifier) == Requirement(text).specifier
    assert Marker(plain.marker) == Marker(whole.marker)


@given(MARKERS)
def test_a_marker_holds_as_packaging_has_it(marker) -> None:
    assert holds(marker, VALUES) == Marker(marker).evaluate({**VALUES})


@given(SPECIFIERS.filter(bool), VERSIONS)
def test_the_comparison_that_costs_no_start_answers_alike(specifier, version) -> None:
    assert satisfies(version, specifier) == allows(specifier, version)


@pytest.mark.parametrize(
    ("text", "said"),
    [("2.9", "==2.9.*"), ("==2.9", "==2.9.*"), ("2.9.1", "==2.9.1"), ("2.9.*", "==2.9.*"),
     ("2.9.1+cu128", "==2.9.1+cu128"), ("~=2.9.0", "~=2.9.0"), (">=2.8,<2.11", "<2.11,>=2.8"),
     ("===2.9", "===2.9"), ("2.9rc1", "==2.9rc1"), ("2", "==2.*")],
)  # fmt: skip
def test_a_specifier_as_people_write_it(text: str, said: str) -> None:
    assert specifier_of(text) == said


@pytest.mark.parametrize("text", ["", " ", "latest", "==", ">=", "2.9.1 2.9.2", "\u0662.9"])
def test_what_is_no_specifier(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        specifier_of(text)
