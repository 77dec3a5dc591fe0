"""Errors of CUDA, cuDNN, cuBLAS, NCCL, NVML and HIP by number and by name."""

from __future__ import annotations

from functools import cache

from gpudoctor.kb._data import load
from gpudoctor.kb.rows import Slug, made
from gpudoctor.model.value import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorCode:
    """One error of one library (a row of configs/error_codes.yaml)."""

    library: str
    """`CUDA`, `cuDNN`, `cuBLAS`, `cuFFT`, `cuSOLVER`, `NCCL`, `NVML` or `HIP`."""
    number: int
    names: tuple[str, ...]
    """As the library's header writes them; of CUDA the runtime's name, then the driver's."""
    says: str
    """What it means, as a sentence without full stop."""
    text: str | None = None
    """What the library's own function gives for it (`cudaGetErrorString`), as programs print it."""
    cause: Slug | None = None
    """The finding that stands behind it most often; `None`: the number does not say why."""
    harmless: bool = False
    """Whether programs meet it in passing, and nothing is wrong."""
    until: str | None = None
    """The last release of the library in which the number had this meaning."""


@cache
def error_codes() -> tuple[ErrorCode, ...]:
    """All errors, in the order of the table."""
    return tuple(made(ErrorCode, row) for row in load("error_codes")["errors"])


@cache
def with_text(text: str, library: str) -> tuple[ErrorCode, ...]:
    """The errors of a library for which its function gives this text; case is ignored."""
    return tuple(
        row
        for row in error_codes()
        if row.library == library and row.text and row.text.lower() == text.lower()
    )


@cache
def texts() -> tuple[str, ...]:
    """Every text of the table, the longer ones first."""
    known = {row.text for row in error_codes() if row.text}
    return tuple(sorted(known, key=lambda text: (-len(text), text)))


@cache
def _by_name() -> dict[str, tuple[ErrorCode, ...]]:
    found: dict[str, tuple[ErrorCode, ...]] = {}
    for row in error_codes():
        for name in row.names:
            found[name.lower()] = (*found.get(name.lower(), ()), row)
    return found


def named(name: str) -> tuple[ErrorCode, ...]:
    """The rows of `CUDNN_STATUS_EXECUTION_FAILED`, newest numbers last; case is ignored."""
    return _by_name().get(name.strip().lower(), ())


def numbered(number: int, library: str | None = None) -> tuple[ErrorCode, ...]:
    """The errors that have this number, in one library or in all; current meanings first."""
    rows = [
        row
        for row in error_codes()
        if row.number == number and (library is None or row.library.lower() == library.lower())
    ]
    return tuple(sorted(rows, key=lambda row: row.until is not None))


def libraries() -> tuple[str, ...]:
    """The libraries of the table."""
    return tuple(dict.fromkeys(row.library for row in error_codes()))


def names() -> tuple[str, ...]:
    """Every name of the table."""
    return tuple(name for row in error_codes() for name in row.names)
