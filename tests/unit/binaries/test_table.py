"""A scan judged for GPUs: what counts as a fault, and what is left out."""

from __future__ import annotations

import pytest

from gpudoctor.binaries.judgement.coverage import GpuByGfx
from gpudoctor.binaries.judgement.distribution import FOR_NEWER, ON_PURPOSE, OTHER_BUILD
from gpudoctor.binaries.scan import Scan
from gpudoctor.binaries.table import NVIDIAS_OWN, OTHER_VENDORS, ScanTable, judge
from gpudoctor.compat.architecture import ComputeCapability
from gpudoctor.model.facts import CodeGroup, Library
from gpudoctor.model.parts.binary import BundleGroup, KernelArchive

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
    elsewhere = library("other/_ampere.so", "sm_80", distribution="other")
    assert judged(broad, elsewhere, gpu=BLACKWELL).fails


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


def of(distribution: str, **libraries: str) -> tuple[Library, ...]:
    """Libraries by name, each `665: sm_80 sm_86; 1: sm_90`: containers by their images."""
    found = []
    for name, text in libraries.items():
        groups = []
        for part in text.split(";"):
            count, _, images = part.partition(":")
            names = images.split()
            ptx = tuple(each for each in names if each.startswith("compute_"))
            sass = tuple(each for each in names if each.startswith("sm_"))
            groups.append(CodeGroup(sass=sass, ptx=ptx, count=int(count)))
        path = f"{distribution}/{name}.so"
        found.append(Library(path=path, distribution=distribution, groups=tuple(groups)))
    return tuple(found)


PADDLE_2_6 = of(
    "paddlepaddle-gpu",
    libpaddle="138: sm_61 sm_70 sm_75 sm_80 sm_86",
    libflashattn="43: sm_80 sm_86",
    libphi="665: sm_61 sm_70 sm_75 sm_80 sm_86; 1: sm_35 sm_50 sm_52 sm_60 sm_61 sm_70 sm_90",
    libwarpctc="2: sm_35 sm_50 sm_52 sm_60 sm_61 sm_62 sm_70 sm_75 sm_80 sm_86 sm_90",
    libwarprnnt="1: sm_35 sm_50 sm_52 sm_60 sm_61 sm_62 sm_70 sm_75 sm_80 sm_86 sm_90",
)
TORCHAO_0_18 = of("torchao", _C_cutlass_90a="6: sm_90a", _C_mxfp8="3: sm_100 compute_120")
AUTOAWQ = of(
    "autoawq-kernels",
    awq_ext="7: sm_75 sm_80 sm_86 sm_87 sm_89 sm_90",
    awq_v2_ext="2: sm_80 sm_86 sm_89 sm_90",
    exl_ext="4: sm_75 sm_80 sm_86 sm_87 sm_89 sm_90",
)
XFORMERS = of(
    "xformers",
    _C="11: sm_75 sm_80 sm_90a compute_80",
    flash_attn_3="96: sm_80; 96: sm_90a",
)
FLASH_ATTENTION_2 = of("flash-attn", flash_attn_2_cuda="72: sm_80 sm_90 sm_100 sm_120")
FLASH_ATTENTION_3 = of("flash-attn-3", _C="192: sm_90a")
BUILT_HERE = of("mine", _C="12: sm_89")
DALI = of("nvidia-dali-cuda120", libdali_kernels="200: sm_50 sm_60 sm_70 sm_75 sm_80")


@pytest.mark.parametrize(
    ("libraries", "gpu", "fails"),
    [
        (PADDLE_2_6, "sm_90", True),
        (PADDLE_2_6, "sm_120", True),
        (PADDLE_2_6, "sm_86", False),
        (PADDLE_2_6, "sm_75", False),
        (PADDLE_2_6, "sm_89", False),
        *((TORCHAO_0_18, gpu, False) for gpu in ("sm_75", "sm_80", "sm_89", "sm_90", "sm_120")),
        (AUTOAWQ, "sm_75", False),
        (AUTOAWQ, "sm_90", False),
        (AUTOAWQ, "sm_120", True),
        (XFORMERS, "sm_75", False),
        (XFORMERS, "sm_89", False),
        (XFORMERS, "sm_70", True),
        (FLASH_ATTENTION_2, "sm_75", True),
        (FLASH_ATTENTION_2, "sm_89", False),
        (FLASH_ATTENTION_3, "sm_80", False),
        (FLASH_ATTENTION_3, "sm_90", False),
        (FLASH_ATTENTION_3, "sm_120", True),
        (BUILT_HERE, "sm_89", False),
        (BUILT_HERE, "sm_80", True),
        (BUILT_HERE, "sm_120", True),
        (DALI, "sm_120", True),
    ],
)
def test_a_distribution_is_judged_as_a_whole(
    libraries: tuple[Library, ...], gpu: str, fails: bool
) -> None:
    table = judged(*libraries, gpu=ComputeCapability.parse(gpu))
    assert table.fails is fails
    assert any(cell.fails for row in table.rows for cell in row.cells) is fails


def test_what_is_added_for_newer_gpus_says_so() -> None:
    turing = ComputeCapability(7, 5)
    assert ignored(judged(*AUTOAWQ, gpu=turing)) == [None, FOR_NEWER, None]
    assert ignored(judged(*TORCHAO_0_18, gpu=turing)) == [ON_PURPOSE, FOR_NEWER]


def test_a_gap_in_torch_itself_is_shown_and_does_not_decide() -> None:
    torch = of(
        "torch",
        libtorch_cuda="397: sm_75 sm_80 sm_90 sm_100 sm_120",
        libtorch_cuda_linalg="33: sm_80 sm_90 sm_100 sm_120",
    )
    table = judged(*torch, gpu=ComputeCapability(7, 5))
    assert ignored(table) == [None, None]
    assert not table.fails
    alone = Library(path="libtorch_cuda_linalg.so", groups=torch[1].groups)
    assert judged(alone, gpu=ComputeCapability(7, 5)).fails


def test_code_for_other_vendors_gpus_has_no_verdict() -> None:
    table = judged(Library(path="x.so", distribution="pkg", hip={"gfx1100": 2}))
    assert (table.rows[0].cells, table.rows[0].note) == ((), OTHER_VENDORS)


@pytest.mark.parametrize("count", [3000])
def test_many_libraries_are_judged_in_linear_time(count: int) -> None:
    many = [library(f"pkg/{number}.so", f"sm_{50 + number % 70}") for number in range(count)]
    assert len(judged(*many).rows) == count


def amd(path: str, *bundles: str, distribution: str | None = "pkg") -> Library:
    groups = tuple(BundleGroup(targets=tuple(each.split())) for each in bundles)
    hip = {name: 1 for each in groups for name in each.targets}
    return Library(path=path, distribution=distribution, hip=hip, bundles=groups)


@pytest.mark.parametrize(
    ("bundles", "gfx", "said"),
    [
        (("gfx90a gfx1100", "gfx1100"), "gfx1100", "native 2/2"),
        (("gfx90a gfx1100", "gfx1100"), "gfx90a", "partial 1/2"),
        (("gfx90a gfx1100",), "gfx1201", "none 0/1"),
        (("gfx11-generic",), "gfx1101", "native 1/1"),
        (("gfx90a amdgcnspirv",), "gfx1201", "jit 1/1"),
        (("gfx90a:xnack+",), "gfx90a", "none 0/1"),
        (("gfx90a:xnack-",), "gfx90a", "native 1/1"),
    ],
)
def test_amds_code_is_judged_by_its_bundles(bundles: tuple[str, ...], gfx: str, said: str) -> None:
    (row,) = judge(Scan(files=(amd("x.so", *bundles),)), [GpuByGfx(gfx)]).rows
    found = row.cells[0].coverage
    assert f"{found.status} {found.runnable}/{found.of}" == said
    assert row.cells[0].fails is (found.status == "none")


def test_of_amds_libraries_of_a_distribution_one_that_runs_is_enough() -> None:
    old, new = amd("rocm62.so", "gfx90a"), amd("rocm70.so", "gfx90a gfx1100")
    table = judge(Scan(files=(old, new)), [GpuByGfx("gfx1100")])
    assert not table.fails
    assert ignored(table) == [OTHER_BUILD, None]


def test_code_in_archives_counts_for_the_targets_that_are_there() -> None:
    moved = Library(
        path="libtorch_hip.so",
        kernel_archive=KernelArchive(name="x", paths=("../@GFXARCH@.kpack",)),
        archived=("gfx1100",),
    )
    for gfx, fails in (("gfx1100", False), ("gfx942", True)):
        assert judge(Scan(files=(moved,)), [GpuByGfx(gfx)]).fails is fails


def test_gpus_of_both_vendors_each_judge_their_own_code() -> None:
    table = judge(
        Scan(files=(library("a.so", "sm_89"), amd("b.so", "gfx1100"))), [ADA, GpuByGfx("gfx1100")]
    )
    assert [[cell.ignored for cell in row.cells] for row in table.rows] == [
        [None, OTHER_VENDORS],
        [OTHER_VENDORS, None],
    ]
