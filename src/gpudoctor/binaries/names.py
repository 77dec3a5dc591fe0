"""What the names of files and wheels tell."""

from __future__ import annotations

import re

from gpudoctor.model.pattern import late_pattern

_BINARY = (
    *(".so", ".pyd", ".dll", ".exe", ".dylib", ".a", ".lib", ".o"),
    *(".cubin", ".fatbin", ".hsaco", ".co", ".kpack"),
)
_TEXT = (
    *(".py", ".pyi", ".pyc", ".h", ".hpp", ".cuh", ".hh", ".inl", ".c", ".cpp", ".cu", ".cc"),
    *(".txt", ".md", ".rst", ".json", ".toml", ".yaml", ".yml", ".cmake", ".html", ".js", ".css"),
)
_NVIDIAS = late_pattern(
    r"(?:lib)?(?:cu(?:blas|blaslt|dnn|dss|fft|fftw|rand|solver|solvermg|sparse|sparselt|tensor"
    r"|dadevrt|pti)|n(?:vcomp|vjpeg|vtiff|vshmem|ccl|pp[a-z]*))(?:[-_.0-9]|\Z)"
)
# libbitsandbytes_cuda128.so, libbitsandbytes_cuda118_nocublaslt.so, foo_cu124.so
_FOR_CUDA = late_pattern(r"(?<![a-z])cu(?:da)?1[0-9][0-9](?![0-9])")
_SEPARATORS = late_pattern(r"[-_.]+")


def may_be_binary(name: str) -> bool:
    """Whether a file of this name can be a library or a program: `.so`, `.dll`, no suffix …"""
    file = name.rpartition("/")[2].lower()
    return bool(file) and ("." not in file or file.endswith(_BINARY) or ".so." in file)


def is_surely_text(name: str) -> bool:
    """Whether a file of this name need not even be opened to be told from a binary."""
    return name.lower().endswith(_TEXT)


def is_nvidias_own(path: str) -> bool:
    """Whether a library is one of NVIDIA's: cuBLAS, cuDNN, cuFFT … or a renamed copy of it.

    They carry hundreds of kernels for single architectures, choose among them at run time, and
    keep some in forms of their own (cuFFT has one container in `.nv_fatbin`, and its kernels
    elsewhere): their containers prove nothing. What they serve, NVIDIA's release notes say. That
    a distribution is NVIDIA's says nothing of the kind: DALI has kernels like everybody's.
    """
    return _NVIDIAS.match(re.split(r"[/\\]", path)[-1].lower()) is not None


def without_cuda(path: str) -> str | None:
    """The path with the CUDA version in the file's name left out; `None` if it has none.

    Builds of one library for several versions of CUDA are then called the same.
    """
    folder, separator, name = path.replace("\\", "/").rpartition("/")
    bare, found = _FOR_CUDA.subn("", name.lower())
    return folder + separator + bare if found else None


def normalise(distribution: str) -> str:
    """The normalised name of a distribution (PEP 503)."""
    return _SEPARATORS.sub("-", distribution).lower()


def distribution_of_wheel(file_name: str) -> str | None:
    """The distribution that a wheel's file name says (PEP 427), normalised; `None`: no wheel."""
    stem, dot, _ = file_name.rpartition(".whl")
    parts = stem.split("-")
    return normalise(parts[0]) if dot and len(parts) >= 5 else None
