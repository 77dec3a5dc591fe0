"""Numerical libraries: indexing, sorting, cuFFT, cuSOLVER, cuSPARSE, random numbers."""

from __future__ import annotations

import math
from typing import Any

from .context import WrongNumbersError
from .reference import product
from .registry import kernel_test


@kernel_test("indexing", ("float32",))
def indexing(t: Any) -> None:
    """Gather, scatter, advanced indexing, masks."""
    values = t.random(128, 67)
    a = t.put(values)
    order = t.torch.argsort(t.random(128))
    t.exact(a[t.put(order)], values[order], "the chosen rows")
    columns = t.integers(67, 128, 9)
    t.exact(a.gather(1, t.put(columns)), values.gather(1, columns), "what was gathered")
    t.exact(a[a > 0.5], values[values > 0.5], "what the mask chose")
    target = t.integers(10, 128)
    added = t.torch.zeros(10, 67, device=t.device).index_add_(0, t.put(target), a)
    chosen = (target[None, :] == t.torch.arange(10)[:, None]).double()
    t.compare(added, product(chosen, values), "reduction", "what was added by index")
    spread = t.torch.zeros(128, 67, device=t.device)
    spread.scatter_(0, t.put(order)[:, None].expand(128, 67), a)
    t.exact(spread[t.put(order)], values, "what was scattered")


@kernel_test("sort", ("float32",))
def sort(t: Any) -> None:
    """Sorting, the largest elements, cumulative sums, unique values."""
    values = t.random(31, 1031)
    a = t.put(values)
    ordered, places = t.torch.sort(a, dim=1)
    t.exact(ordered.cpu()[:, 1:] >= ordered.cpu()[:, :-1], _true(t, 31, 1030), "the order")
    t.exact(values.gather(1, places.cpu()), ordered.cpu(), "the places")
    best = t.torch.topk(a, 7, dim=1).values
    t.exact(best, ordered.cpu().flip(1)[:, :7].contiguous(), "the largest")
    t.compare(a.cumsum(1), values.double().cumsum(1), "reduction", "the running sum")
    numbers = t.integers(50, 3000)
    wanted = t.torch.tensor(sorted(set(numbers.tolist())))
    t.exact(t.torch.unique(t.put(numbers)), wanted, "the unique values")


def _true(t: Any, *shape: int) -> Any:
    return t.torch.ones(shape, dtype=t.torch.bool)


@kernel_test("fft", ("float32",))
def fft(t: Any) -> None:
    """A real Fourier transform and back, against the sum that defines it (cuFFT)."""
    torch = t.torch
    values = t.random(8, 240)
    spectrum = torch.fft.rfft(t.put(values))
    angle = torch.outer(torch.arange(240.0).double(), torch.arange(121.0).double())
    angle = angle * (-2 * math.pi / 240)
    t.compare(spectrum.real, product(values, angle.cos()), "fft", "the real part")
    t.compare(spectrum.imag, product(values, angle.sin()), "fft", "the imaginary part")
    t.compare(torch.fft.irfft(spectrum, n=240), values.double(), "fft", "the way back")


@kernel_test("linalg", ("float32", "float64"))
def linalg(t: Any) -> None:
    """Solve, Cholesky, SVD, QR, each put to the equation that it solves (cuSOLVER, MAGMA)."""
    torch = t.torch
    matrix = t.random(64, 64) + 16 * torch.eye(64, dtype=t.dtype)
    right = t.random(64, 5)
    a = t.put(matrix)
    solution = torch.linalg.solve(a, t.put(right))
    t.judge(product(matrix, solution.cpu()), right.double(), t.limit("linalg"), "the solution")
    positive = product(matrix, matrix.t()).to(t.dtype)
    factor = torch.linalg.cholesky(t.put(positive)).cpu()
    t.judge(
        product(factor, factor.t()), positive.double(), t.limit("linalg"), "the Cholesky factor"
    )
    left, values, adjoint = (part.cpu() for part in torch.linalg.svd(a))
    again = product(left.double() * values.double(), adjoint)
    t.judge(again, matrix.double(), t.limit("linalg"), "the singular value decomposition")
    q, r = (part.cpu() for part in torch.linalg.qr(a))
    t.judge(product(q, r), matrix.double(), t.limit("linalg"), "the QR decomposition")


@kernel_test("sparse", ("float32",))
def sparse(t: Any) -> None:
    """A sparse matrix times a dense one (cuSPARSE)."""
    dense = t.random(120, 90) * (t.random(120, 90) > 1.0)
    right = t.random(90, 20)
    for layout in ("coo", "csr"):
        matrix = t.put(dense)
        matrix = matrix.to_sparse() if layout == "coo" else matrix.to_sparse_csr()
        result = matrix @ t.put(right)
        t.compare(result, product(dense, right), "matmul", "the sparse product (%s)" % layout)


@kernel_test("random", ("float32",))
def random(t: Any) -> None:
    """Random numbers of the device: repeatable by seed, and distributed as they should be."""
    torch = t.torch
    count = 1 << 18
    generator = torch.Generator(device=t.device)
    generator.manual_seed(t.plan["seed"])
    normal = torch.randn(count, generator=generator, device=t.device)
    generator.manual_seed(t.plan["seed"])
    again = torch.randn(count, generator=generator, device=t.device)
    t.exact(again, normal.cpu(), "the repeated draw")
    uniform = torch.rand(count, generator=generator, device=t.device).cpu().double()
    normal = normal.cpu().double()
    # Eight standard errors: chance alone goes beyond that once in 10^15 runs.
    slack = 8 / math.sqrt(count)
    for what, value, wanted, spread in (
        ("the mean of the normal draw", float(normal.mean()), 0.0, 1.0),
        ("the variance of the normal draw", float(normal.var()), 1.0, math.sqrt(2)),
        ("the mean of the uniform draw", float(uniform.mean()), 0.5, math.sqrt(1 / 12)),
    ):
        if not abs(value - wanted) <= slack * spread:
            raise WrongNumbersError("%s is %.4f where %.4f was due" % (what, value, wanted))
    if float(uniform.min()) < 0 or float(uniform.max()) >= 1:
        raise WrongNumbersError("a uniform draw lies outside of [0, 1)")
