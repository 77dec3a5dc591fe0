"""Which part of a library runs on a GPU; the libraries are those of real wheels."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpudoctor.binaries.judgement.coverage import CanJit, coverage, driver_compiles
from gpudoctor.binaries.judgement.general import (
    common_architectures,
    made_on_purpose,
    widest_breadth,
)
from gpudoctor.compat.architecture import ComputeCapability
from gpudoctor.model.facts import CodeGroup, Library


def group(
    text: str, count: int = 1, isa: str | None = None, *, relinkable: bool = False
) -> CodeGroup:
    names = text.split()
    ptx = tuple(name for name in names if name.startswith("compute_"))
    sass = tuple(f"sm_{name}" for name in names if not name.startswith("compute_"))
    return CodeGroup(
        sass=sass,
        ptx=ptx,
        count=count,
        ptx_isa=isa or ("9.0" if ptx else None),
        relinkable=relinkable,
    )


def library(*groups: CodeGroup, objects: tuple[CodeGroup, ...] = (), path: str = "x.so") -> Library:
    return Library(
        path=path,
        fatbins=sum(each.count for each in groups),
        groups=groups,
        relocatable=objects,
        distribution="x",
    )


def verdict(it: Library, gpu: str, can_jit: CanJit | None = None) -> str:
    found = coverage(it, ComputeCapability.parse(gpu), can_jit)
    return f"{found.status} {found.runnable}/{found.of}"


TORCH_2_9 = library(
    group("70 75 80 86 90 100 120", 393),
    group("70 75 80 86 90 90a 100 120", 2),
    group("70 75 80 86 89 90 90a 100 100a 120 120a", 1),
    group("70 75 80 86 90 90a 100 100a 120", 1),
)
LINALG_2_15 = library(group("80 86 90 100 120", 32), group("75 80 86 90 100 120", 1))
ONNXRUNTIME = library(
    group("90a", 292),
    group("75 80 86 89 90a 120a", 217),
    group("80 86 89 90a 120a", 91),
    group("120a", 9),
)
ONNXRUNTIME_WINDOWS = library(
    group("90a", 290),
    group("75 80 86 89 120a", 179),
    group("80 86 89 120a", 91),
    group("75 80 86 89 compute_120", 38),
    group("120a", 9),
)
NCCL = library(group("60 61 70 80 90 100 120 compute_120", 54), group("100f", 20))
XFORMERS = library(group("75 80 90a compute_80", 11, "8.7"))
CUSPARSE = library(
    group("50 52 60 61 70 75 80 86 89 90 100 101 103 120 121 compute_121", 104, "8.8"),
    group(
        "50 52 60 61 90 100 101 103 120 121 compute_50 compute_61 compute_90 compute_121", 8, "8.8"
    ),
    group("80", 8),
    group("86", 8),
    group("75", 4),
    group("70", 3),
)
VLLM_0_20 = library(
    group("75 80 86 89 90 100 120", 27),
    group("90a", 10),
    group("100f 120f", 8),
    group("80 90 compute_80 compute_90", 8),
    group("75", 7),
    group("80 compute_80", 7),
    group("89 120", 5),
    group("80 86 89", 2),
)
VLLM_0_8 = library(
    group("70 75 80 86 89 90", 27),
    group("90a", 18),
    group("80 86 89 90", 7),
    group("80 86 89", 2),
    group("52 compute_52"),
    group("75 80 86 89 90"),
)
BITSANDBYTES = library(
    group("75 80 86 89 90 100 120", relinkable=True),
    objects=(group("75 80 86 89 90 100 120 compute_120", 6),),
)
NVSHMEM = library(
    group("70 75 80 86 90 100 120", relinkable=True),
    objects=(group("70 75 80 86 90 100 120", 2), group("70 80 89 90 compute_90", 2)),
)


@pytest.mark.parametrize(
    ("it", "gpu", "expected"),
    [
        (TORCH_2_9, "sm_75", "native 397/397"),
        (TORCH_2_9, "sm_89", "native 397/397"),
        (TORCH_2_9, "sm_121", "native 397/397"),
        (TORCH_2_9, "sm_61", "none 0/397"),
        (TORCH_2_9, "sm_87", "none 0/397"),
        (TORCH_2_9, "sm_110", "none 0/397"),
        (LINALG_2_15, "sm_75", "partial 1/33"),
        (LINALG_2_15, "sm_80", "native 33/33"),
        # sm_90a and sm_120a kernels beside general ones say nothing about other GPUs …
        (ONNXRUNTIME, "sm_80", "native 308/308"),
        (ONNXRUNTIME, "sm_120", "native 308/308"),
        (ONNXRUNTIME, "sm_121", "none 0/308"),
        (ONNXRUNTIME, "sm_75", "partial 217/308"),
        # … and do not stand for them either: the Windows build has only those for 9.0.
        (ONNXRUNTIME_WINDOWS, "sm_90", "none 0/308"),
        (ONNXRUNTIME_WINDOWS, "sm_120", "jit 308/308"),
        (ONNXRUNTIME_WINDOWS, "sm_121", "partial 38/308"),
        (NCCL, "sm_100", "native 54/54"),
        (NCCL, "sm_120", "native 54/54"),
        (NCCL, "sm_110", "none 0/54"),
        (XFORMERS, "sm_90", "native 11/11"),
        (XFORMERS, "sm_120", "jit 11/11"),
        (XFORMERS, "sm_87", "jit 11/11"),
        (XFORMERS, "sm_70", "none 0/11"),
        # cuSPARSE brings 7.0 to 8.6 kernels of their own in other containers.
        (CUSPARSE, "sm_80", "native 104/104"),
        (CUSPARSE, "sm_61", "native 112/112"),
        (CUSPARSE, "sm_90", "native 112/112"),
        (VLLM_0_20, "sm_75", "native 27/27"),
        # Its kernels for 8.0 with PTX are compiled by the driver of a newer GPU.
        (VLLM_0_20, "sm_90", "jit 34/34"),
        (VLLM_0_20, "sm_120", "jit 42/42"),
        (VLLM_0_8, "sm_90", "jit 36/36"),
        (VLLM_0_8, "sm_75", "partial 28/35"),
        (VLLM_0_8, "sm_120", "none 0/35"),
        (BITSANDBYTES, "sm_120", "native 1/1"),
        (BITSANDBYTES, "sm_70", "none 0/1"),
        # A device link is linked again from its objects if all of them have PTX that serves.
        (NVSHMEM, "sm_121", "native 1/1"),
        (NVSHMEM, "sm_110", "none 0/1"),
    ],
)
def test_real_libraries(it: Library, gpu: str, expected: str) -> None:
    assert verdict(it, gpu) == expected


def test_a_device_link_is_made_again_from_objects_with_ptx() -> None:
    older = library(
        group("60 70 75 80 86 89 90", relinkable=True),
        objects=(group("60 70 75 80 86 89 90 compute_90", 6, "8.5"),),
    )
    assert verdict(older, "sm_120") == "jit 1/1"
    assert verdict(older, "sm_120", driver_compiles("12.4")) == "none 0/1"
    assert verdict(older, "sm_53") == "none 0/1"


def test_an_ordinary_kernel_without_code_is_not_saved_by_relocatable_objects() -> None:
    mixed = library(
        group("80 90", 3),
        group("80 90", relinkable=True),
        objects=(group("80 90 compute_90"),),
    )
    assert verdict(mixed, "sm_120") == "partial 1/4"


def test_a_device_link_of_nothing_does_not_count() -> None:
    """libcurand for Windows registers one."""
    curand = library(group("50 90 compute_90", 10), group("50 90", relinkable=True))
    assert verdict(curand, "sm_120") == "jit 10/10"


def test_relocatable_code_alone_is_judged_as_if_it_were_linked() -> None:
    only = library(objects=(group("80 compute_80", 2),))
    assert verdict(only, "sm_86") == "native 2/2"
    assert verdict(only, "sm_120") == "jit 2/2"


def test_an_extension_built_for_one_gpu_is_judged_by_all_it_has() -> None:
    built_here = library(group("89", 12))
    assert verdict(built_here, "sm_89") == "native 12/12"
    assert verdict(built_here, "sm_120") == "none 0/12"


def test_ptx_that_this_driver_cannot_compile_does_not_run() -> None:
    found = coverage(XFORMERS, ComputeCapability(12, 0), driver_compiles("12.4"))
    assert (found.status, found.missing, found.too_new_ptx) == (
        "none", XFORMERS.groups, XFORMERS.groups,
    )  # fmt: skip
    assert verdict(XFORMERS, "sm_120", driver_compiles("12.8")) == "jit 11/11"
    assert verdict(XFORMERS, "sm_90", driver_compiles("12.4")) == "native 11/11"


def test_without_a_driver_nothing_is_held_against_ptx() -> None:
    assert driver_compiles(None) is None


def test_ptx_of_an_unknown_version_is_given_the_benefit_of_the_doubt() -> None:
    compiles = driver_compiles("12.4")
    assert compiles is not None
    assert compiles(None)
    assert compiles("99.9")


def test_missing_kernels_for_newer_gpus_alone_are_told_from_gaps() -> None:
    older = coverage(ONNXRUNTIME, ComputeCapability(7, 5))
    assert older.below_floor
    assert [each.count for each in older.missing] == [91]
    assert not coverage(ONNXRUNTIME, ComputeCapability(12, 1)).below_floor
    assert not coverage(ONNXRUNTIME, ComputeCapability(8, 0)).below_floor


def test_names_of_no_known_form_run_nowhere_and_stop_nothing() -> None:
    odd = library(group("4294967295 80"), group("0"))
    assert verdict(odd, "sm_80") == "partial 1/2"


def test_a_library_without_groups_covers_nothing_of_nothing() -> None:
    assert coverage(library(), ComputeCapability(8, 0)).of == 0


def test_the_list_a_library_was_compiled_with_leaves_single_kernels_out() -> None:
    assert common_architectures(TORCH_2_9) == (
        ("sm_70", "sm_75", "sm_80", "sm_86", "sm_90", "sm_100", "sm_120"),
        (),
    )
    assert common_architectures(library(group("90a", 3))) == (("sm_90a",), ())
    assert common_architectures(library()) == ((), ())


def test_a_library_for_few_gpus_is_told_from_broader_ones_beside_it() -> None:
    """vllm's FlashAttention 3 and FlashMLA."""
    attention, latent = library(group("90a", 192)), library(group("90a 100f", 22))
    beside = [attention, latent, VLLM_0_20]
    widest = widest_breadth(beside)
    assert [made_on_purpose(each, widest) for each in beside] == [True, True, False]
    assert not made_on_purpose(attention, widest_breadth([attention, latent]))
    assert not made_on_purpose(LINALG_2_15, widest_breadth([TORCH_2_9, LINALG_2_15]))


def test_a_few_containers_do_not_say_how_the_others_were_meant() -> None:
    broad = group("35 50 52 60 61 62 70 75 80 86 90", 3)
    most = library(group("61 70 75 80 86", 400), broad)
    assert verdict(most, "sm_90") == "partial 3/403"


def test_a_kernel_that_needs_the_driver_to_compile_it_is_not_native() -> None:
    """spconv: 195 of its containers are for 5.2 with PTX."""
    spconv = library(
        group("60 70 75 80 86 89 90 compute_90", 278),
        group("52 compute_52", 195),
        group("50 52 60 61 70 75 80 86 89 90 compute_90", 133),
    )
    assert verdict(spconv, "sm_86") == "jit 606/606"
    assert verdict(spconv, "sm_52") == "partial 133/411"


CAPABILITIES = [
    ComputeCapability(*each) for each in ((6, 1), (7, 5), (8, 0), (8, 7), (9, 0), (12, 0))
]
NAMES = ["61", "75", "80", "87", "90", "90a", "100f", "120", "120a", "compute_75", "compute_120f"]
GROUPS = st.builds(
    lambda chosen, count: group(" ".join(chosen), count),
    st.lists(st.sampled_from(NAMES), min_size=1, unique=True),
    st.integers(1, 50),
)


@given(st.lists(GROUPS, min_size=1, max_size=6), st.sampled_from(CAPABILITIES))
def test_counts_and_status_agree(groups: list[CodeGroup], gpu: ComputeCapability) -> None:
    found = coverage(library(*groups), gpu)
    assert found.runnable + sum(each.count for each in found.missing) == found.of
    assert (found.status == "none") == (found.runnable == 0)
    assert (found.status == "partial") == (0 < found.runnable < found.of)
    assert (found.status == "native") == (found.runnable == found.of and not found.jit)


@given(st.lists(GROUPS, min_size=1, max_size=6), st.sampled_from(CAPABILITIES))
def test_a_driver_that_compiles_nothing_never_makes_more_run(
    groups: list[CodeGroup], gpu: ComputeCapability
) -> None:
    it = library(*groups)
    assert coverage(it, gpu, lambda _: False).runnable <= coverage(it, gpu).runnable
