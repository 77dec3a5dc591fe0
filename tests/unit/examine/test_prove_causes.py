"""A failure's text means something only where the facts agree."""

from __future__ import annotations

import pytest

from gpudoctor.kb import smoke_figures as figures
from gpudoctor.kb.findings import catalogue
from gpudoctor.model.facts import Gpu
from gpudoctor.smoke.causes import cause, lacking_architecture

H200 = {"capability": "9.0", "memory_bytes": 100, "memory_free_bytes": 90}


def name(text: str, gpu: Gpu | None = None, **device: object) -> str | None:
    return cause(text, gpu=gpu, torch={}, device={**H200, **device})


def test_every_cause_is_in_the_catalogue_and_its_texts_are_in_lower_case() -> None:
    for known in figures.causes():
        assert catalogue.find(known.name) is not None, known.name
        assert all(text == text.casefold() for text in known.texts)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CUDA error: device-side assert triggered", "device-side-assert"),
        ("CUDA error: an illegal memory access was encountered", "illegal-memory-access"),
        ("CUDA error: uncorrectable ECC error encountered", "ecc-uncorrectable"),
        ("CUDA error: the launch timed out and was terminated", "display-watchdog-timeout"),
        ("PTX was compiled with an unsupported toolchain.", "ptx-unsupported-toolchain"),
        ("The NVIDIA driver on your system is too old (found version 11040).", "driver-too-old"),
        ("RuntimeError: Failed to find C compiler.", "c-compiler-missing-for-triton"),
        ("Python.h: No such file or directory", "python-headers-missing"),
        ("version `GLIBCXX_3.4.30' not found", "libstdcxx-too-old"),
        ("undefined symbol: __nvJitLinkComplete_12_4", "nvjitlink-older-on-library-path"),
        ("undefined symbol: ncclCommRegister", "nccl-older-copy-loaded"),
        ("something that nobody has seen before", None),
        ("", None),
    ],
)  # fmt: skip
def test_a_text_that_is_proof_by_itself_names_its_cause(text: str, expected: str | None) -> None:
    assert name(text) == expected


def test_a_library_that_is_mentioned_is_not_a_library_that_is_missing() -> None:
    assert name("libcudnn.so.9 was compiled for another version") is None
    missing = "libcudnn.so.9: cannot open shared object file: No such file or directory"
    assert name(missing) == "cuda-wheel-library-missing"


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("exclusive_process", "gpu-exclusive-process-mode"),
        ("prohibited", "gpu-exclusive-process-mode"),
        ("default", "gpu-driver-state-busy"),
        (None, None),
    ],
)
def test_busy_is_told_by_the_compute_mode_and_unknown_without_it(
    mode: str | None, expected: str | None
) -> None:
    text = "CUDA error: CUDA-capable device(s) is/are busy or unavailable"
    assert name(text, Gpu(compute_mode=mode)) == expected  # type: ignore[arg-type]
    assert name(text, None) is None


def test_no_gpu_to_be_seen_is_migs_doing_only_where_mig_is_on() -> None:
    text = "RuntimeError: No CUDA GPUs are available"
    assert name(text, Gpu(mig_mode=True)) == "mig-visibility"
    assert name(text, Gpu(mig_mode=False)) is None
    assert name(text, None) is None


def test_out_of_memory_blames_others_only_if_they_hold_most_of_it() -> None:
    text = "CUDA out of memory. Tried to allocate 2.00 GiB."
    assert name(text, Gpu(memory_bytes=100, memory_free_bytes=90)) is None
    assert (
        name(text, Gpu(memory_bytes=100, memory_free_bytes=10))
        == "gpu-memory-held-by-other-process"
    )
    # Without fresh facts, what the worker saw before it took any memory.
    assert name(text, None, memory_free_bytes=10) == "gpu-memory-held-by-other-process"
    assert name(text, None, memory_free_bytes=None) is None


@pytest.mark.parametrize(
    ("compiled", "capability", "expected"),
    [
        (["sm_80", "sm_90"], "12.0", "torch-lacks-arch-new-gpu"),
        (["sm_75", "sm_120"], "6.1", "torch-dropped-arch-old-gpu"),
        (["sm_80"], "8.9", None),
        (["sm_120"], "12.1", None),
        (["sm_80", "compute_80"], "12.0", None),
        (["sm_90a"], "10.0", "torch-lacks-arch-new-gpu"),
        ([], "9.0", None),
        (["sm_80"], None, None),
        (["gfx1100"], "11.0", None),
    ],
)
def test_the_missing_architecture_is_judged_by_the_rules_of_compatibility(
    compiled: list[str], capability: str | None, expected: str | None
) -> None:
    assert lacking_architecture({"architectures": compiled}, {"capability": capability}) == expected


def test_rocm_builds_are_not_judged_by_nvidias_rules() -> None:
    torch = {"architectures": ["sm_80"], "hip": "6.4"}
    assert lacking_architecture(torch, {"capability": "11.0"}) is None
