"""Packages in step with torch."""

from __future__ import annotations

import pytest

from gpudoctor.kb.software import packages, torch_releases


@pytest.mark.parametrize(
    ("package", "version", "torch"),
    [
        ("torchvision", "0.24.1+cu128", "2.9.1"),
        ("torchaudio", "2.9.1", "2.9.1"),
        ("triton", "3.5.1", "2.9.1"),
        ("xformers", "0.0.30", "2.7.0"),
        ("vllm", "0.33.0", "2.14.0"),
        ("torchcodec", "0.7.0", "2.8"),
        ("triton-windows", "3.6.0.post26", "2.10"),
        ("xformers", "99", None),
        ("numpy", "2.0", None),
    ],
)
def test_the_torch_a_package_belongs_to(package: str, version: str, torch: str | None) -> None:
    assert packages.torch_for(package, version) == torch


@pytest.mark.parametrize(
    ("package", "torch", "version"),
    [
        ("torchvision", "2.9.1", "0.24.1"),
        ("xformers", "2.9.1", "0.0.33.post2"),
        ("xformers", "2.14.1", "0.0.35"),
        ("vllm", "2.13.0", "0.32.0"),
        ("vllm", "2.12.0", None),
        ("torchtext", "2.2.2", "0.17.2"),
        ("unknown", "2.9.1", None),
    ],
)
def test_the_release_that_fits_a_torch(package: str, torch: str, version: str | None) -> None:
    assert packages.release_for(package, torch) == version


def test_the_triton_series_are_those_that_torch_pins() -> None:
    for release in torch_releases.releases():
        if release.triton is None:
            continue
        row = packages.triton(release.triton)
        assert row is not None, release.version
        assert release.version in row.torch


def test_what_torchs_libraries_are_for() -> None:
    assert packages.purpose_of("torch/lib/libtorch_cuda_linalg.so") == "torch.linalg on CUDA"
    assert packages.purpose_of("torch\\lib\\torch_cuda.dll") == "torch on CUDA: nearly all kernels"
    assert packages.purpose_of("nvidia/cudnn/lib/libcudnn.so.9") is not None
    assert packages.purpose_of("libsomething.so") is None


@pytest.mark.parametrize(
    ("distribution", "version", "library", "major"),
    [
        ("nvidia-cudnn-cu12", "9.10.2.21", "cudnn", 12),
        ("nvidia_cudnn_cu13", "9.26.0.51", "cudnn", 13),
        ("nvidia-cublas", "13.1.0.3", "cublas", 13),
        ("nvidia-cufft", "12.0.0.61", "cufft", 13),
        ("nvidia-cusparse", "12.6.3.3", "cusparse", 13),
        ("nvidia-nccl-cu11", "2.14.3", "nccl", 11),
        ("cuda-toolkit", "12.8.1", "cuda-toolkit", 12),
        ("requests", "2.0", None, None),
    ],
)
def test_nvidias_distributions(
    distribution: str, version: str, library: str | None, major: int | None
) -> None:
    assert packages.library_of(distribution) == library
    assert packages.cuda_major_of(distribution, version) == major


def test_lowest_capabilities_follow_the_release() -> None:
    assert packages.lowest_capability("vllm", "engine", "0.14.0") == "7.0"
    assert packages.lowest_capability("vllm", "engine", "0.33.0") == "7.5"
    assert packages.lowest_capability("bitsandbytes", "quantization", "0.47.0") == "5.0"
    assert packages.lowest_capability("bitsandbytes", "quantization", "0.48.0") == "6.0"
    assert packages.lowest_capability("torch", "float8") == "8.9"
    assert packages.lowest_capability("numpy", "anything") is None


def test_which_packages_a_change_of_torch_breaks() -> None:
    compiled = packages.kernel_packages()
    assert "xformers" in compiled
    assert "triton-windows" not in compiled


def test_every_fit_names_a_torch_that_exists() -> None:
    series = {release.version for release in torch_releases.releases()}
    series |= {version.rsplit(".", 1)[0] for version in series}
    for fit in packages.fits():
        assert fit.torch.removeprefix(">=") in series, fit
        assert fit.sources
