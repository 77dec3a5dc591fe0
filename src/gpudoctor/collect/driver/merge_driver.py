"""The driver as programs meet it, merged from everyone who was asked about it."""

from __future__ import annotations

import re
from typing import Literal

from gpudoctor.collect.driver.answers import CudaAnswer, NvmlAnswer
from gpudoctor.collect.driver.smi import SmiAnswer
from gpudoctor.collect.long_paths import true_path
from gpudoctor.collect.reason import Reason
from gpudoctor.model.fact import Unknown
from gpudoctor.model.facts import Driver, KernelModule
from gpudoctor.model.pattern import late_pattern

_LIBRARY_VERSION = late_pattern(r"lib(?:cuda|nvidia-ml)\.so\.(\d{3,}\.\d+(?:\.\d+)?)$", re.ASCII)
NO_LIBRARY = "NVML_ERROR_LIBRARY_NOT_FOUND"
"""What NVML's Python module says where there is no NVML."""


def merge_driver(
    nvml: NvmlAnswer,
    cuda: CudaAnswer,
    smi: SmiAnswer | None,
    module: KernelModule | None,
) -> tuple[Driver | None, tuple[Unknown, ...], dict[str, str]]:
    """The driver, what of it is unknown and why, and where its parts were read.

    `cuda` is the answer without a mask, so that a mask does not look like a broken driver.
    `None` if there is no driver library at all: not where one could not be asked.
    """
    if nvml.error == NO_LIBRARY and cuda.missing and (smi is None or smi.missing):
        return None, (), {"driver": "nvml, cuda"}
    path = cuda.path
    real = true_path(path) if path else None
    kind = library_kind(path) if path else None
    library = library_version(real or "")
    own = library if kind == "driver" else library_version(nvml.path or "")
    version, source = _version(nvml, smi, own, module)
    number = cuda.cuda or nvml.cuda
    driver = Driver(
        version=version,
        cuda=f"{number // 1000}.{number % 1000 // 10}" if number else None,
        source=source,
        libcuda_path=path,
        libcuda_version=library,
        libcuda_kind=kind,
        cu_init=cuda.init,
        cu_init_name=cuda.init_name,
        nvml_error=nvml.error,
        nvml_version=nvml_version(nvml.nvml) or library_version(nvml.path or ""),
        smi_error=smi.error if smi else None,
    )
    sources = {"driver": source or "cuda"}
    sources |= dict.fromkeys(("driver.cuda",), "cuda" if cuda.cuda else "nvml")
    for name in ("libcuda_path", "libcuda_version", "libcuda_kind", "cu_init", "cu_init_name"):
        sources[f"driver.{name}"] = "cuda"
    sources["driver.nvml_version"] = "nvml" if nvml.nvml else "the file name of libnvidia-ml"
    sources |= {"driver.nvml_error": "nvml", "driver.smi_error": "nvidia-smi"}
    return driver, _unknown(driver, nvml, cuda, smi), sources


def silence(nvml: NvmlAnswer) -> Reason:
    """Why NVML says nothing."""
    return nvml.problem or Reason("not-asked", f"NVML answered {nvml.error}")


def library_kind(path: str) -> Literal["driver", "compat", "stub", "wsl"]:
    """Which libcuda lies at `path`: the folder says it."""
    if "/stubs/" in path:
        return "stub"
    if "/compat/" in path or "/compat_orin/" in path or "cuda-compat" in path:
        return "compat"
    return "wsl" if "/wsl/" in path else "driver"


def library_version(path: str) -> str | None:
    """`570.172.08` of `…/libcuda.so.570.172.08`; Jetson's `libcuda.so.1.1` tells nothing."""
    match = _LIBRARY_VERSION.search(path)
    return match[1] if match else None


def nvml_version(text: str | None) -> str | None:
    """`570.172.08` of `12.570.172.08`: NVML puts the major of its CUDA in front."""
    return re.sub(r"^\d\d?\.(?=\d{3}\.)", "", text) if text else None


def _version(
    nvml: NvmlAnswer, smi: SmiAnswer | None, library: str | None, module: KernelModule | None
) -> tuple[str | None, str | None]:
    if nvml.driver:
        return nvml.driver, "nvml"
    if smi and smi.gpus and smi.gpus[0].driver:
        return smi.gpus[0].driver, "nvidia-smi"
    if library:
        return library, "the file names of its libraries"
    if module and module.version:
        return module.version, "/sys/module/nvidia/version"
    return None, None


def _unknown(
    driver: Driver, nvml: NvmlAnswer, cuda: CudaAnswer, smi: SmiAnswer | None
) -> tuple[Unknown, ...]:
    entries = []
    if nvml.problem and not nvml.ok:
        entries.append(nvml.problem.unknown("driver.nvml_error", "nvml"))
    if driver.nvml_version is None and nvml.error != NO_LIBRARY:
        entries.append(silence(nvml).unknown("driver.nvml_version", "nvml"))
    if driver.version is None:
        why = nvml.problem or cuda.problem or Reason("not-asked", "no source names it")
        entries.append(why.unknown("driver.version", "nvml"))
    problem = cuda.problem
    if problem is None and cuda.load_error and not cuda.missing:
        problem = Reason("damaged", cuda.load_error)
    if problem:
        for name in ("cu_init", "cu_init_name", "cuda"):
            if getattr(driver, name) is None:
                entries.append(problem.unknown(f"driver.{name}", "cuda"))
    if cuda.path is None and not cuda.missing:
        unnamed = "the system does not say which library is loaded"
        why = problem or Reason("not-asked", unnamed)
        for name in ("libcuda_path", "libcuda_version", "libcuda_kind"):
            entries.append(why.unknown(f"driver.{name}", "cuda"))
    if smi is None and not nvml.ok:
        text = f"nvidia-smi was not asked: {nvml.problem.text if nvml.problem else nvml.error}"
        kind = nvml.problem.kind if nvml.problem else "not-asked"
        entries.append(Reason(kind, text).unknown("driver.smi_error", "nvidia-smi"))
    if smi and smi.problem and not smi.missing:
        entries.append(smi.problem.unknown("driver.smi_error", "nvidia-smi"))
    return tuple(entries)
