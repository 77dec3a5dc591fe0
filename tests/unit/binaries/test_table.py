"""A scan judged for GPUs: what counts as a fault, and what is left out."""

from __future__ import annotations

from gpudoctor.binaries.scan import Scan
from gpudoctor.binaries.table import NVIDIAS_OWN, ON_PURPOSE, OTHER_BUILD, ScanTable, judge
from gpudoctor.compat.architecture import ComputeCapability
from gpudoctor.model.facts import CodeGroup, Library

ADA, BLACKWELL = ComputeCapability(8, 9), ComputeCapability(12, 0)


def library(path: str, *sass: str, distribution: str | None = "pkg") -> Library:
    return Library(path=path, distribution=distribution, fatbins=1, groups=(CodeGroup(sass=sass),))


def judged(*libraries: Library, gpu: ComputeCapability = ADA) -> ScanTable:
    return judge(Scan(files=libraries), [gpu])


def ignored(table: ScanTable) -> list[str | None]:
    return [row.note or (row.cells[0].ignored if row.cells else None) for row in table.rows]


def test_a_library_that_does_not_run_is_a_fault() -> None:
    table = judged(library("a.so", "sm_75", "sm_80"), gpu=BLACKWELL)
    assert table.fails
    assert ignored(table) == [None]


def test_a_library_that_runs_in_part_is_none() -> None:
    groups = (CodeGroup(sass=("sm_80", "sm_90")), CodeGroup(sass=("sm_90", "sm_120")))
    partly = Library(path="a.so", fatbins=2, groups=groups)
    table = judged(partly, gpu=BLACKWELL)
    assert table.rows[0].cells[0].coverage.status == "partial"
    assert not table.fails


def test_a_library_for_few_gpus_is_no_fault_beside_a_broad_one() -> None:
    broad = library("pkg/_C.so", "sm_80", "sm_89", "sm_90", "sm_120")
    hopper = library("pkg/_hopper.so", "sm_90a")
    assert ignored(judged(broad, hopper)) == [None, ON_PURPOSE]
    assert not judged(broad, hopper).fails
    elsewhere = library("other/_hopper.so", "sm_90a", distribution="other")
    assert judged(broad, elsewhere).fails


def test_files_that_belong_to_nothing_stand_for_themselves() -> None:
    broad = library("x/_C.so", "sm_80", "sm_89", "sm_90", distribution=None)
    hopper = library("x/_hopper.so", "sm_90a", distribution=None)
    assert judged(broad, hopper).fails


def test_of_several_builds_of_a_library_one_that_runs_is_enough() -> None:
    old = library("bnb/libbitsandbytes_cuda118.so", "sm_75", "sm_80")
    new = library("bnb/libbitsandbytes_cuda128.so", "sm_80", "sm_120")
    assert ignored(judged(old, new, gpu=BLACKWELL)) == [OTHER_BUILD, None]
    assert not judged(old, new, gpu=BLACKWELL).fails
    assert judged(old, gpu=BLACKWELL).fails


def test_nvidias_own_libraries_have_a_note_and_no_verdict() -> None:
    table = judged(library("libcufft.so.11", "sm_52"), gpu=BLACKWELL)
    assert (table.rows[0].cells, table.rows[0].note) == ((), NVIDIAS_OWN)
    assert not table.fails


def test_without_gpus_nothing_is_judged() -> None:
    table = judge(Scan(files=(library("a.so", "sm_80"), library("libcufft.so", "sm_52"))), [])
    assert [(row.cells, row.note) for row in table.rows] == [((), None), ((), None)]
    assert not table.fails
