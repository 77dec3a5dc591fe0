"""quick: what every program needs — memory, elementwise kernels, reductions, cuBLAS."""

from __future__ import annotations

from typing import Any

from .reference import product
from .registry import FLOATS, kernel_test


@kernel_test("copy", level="quick")
def copy(t: Any) -> None:
    """Allocate, copy there, on the device, and back; every bit must survive."""
    values = t.random(257, 513)
    there = t.put(values)
    again = t.nan_like(there)
    again.copy_(there)
    t.exact(again, values, "the copy")
    numbers = t.integers(1 << 40, 4099)
    t.exact(t.put(numbers), numbers, "the copy of integers")


@kernel_test("elementwise", FLOATS, level="quick")
def elementwise(t: Any) -> None:
    """Sum, product, exponential: the first kernels that run at all."""
    left, right = t.random(311, 517), t.random(311, 517)
    a, b = t.put(left), t.put(right)
    t.poison(311, 517)
    t.compare(a + b, left.double() + right.double(), "elementwise", "the sum")
    out = t.nan_like(a)
    t.torch.mul(a, b, out=out)
    t.compare(out, left.double() * right.double(), "elementwise", "the product")
    t.poison(311, 517)
    t.compare(a.exp(), left.double().exp(), "elementwise", "the exponential")


@kernel_test("relu", FLOATS, level="quick")
def relu(t: Any) -> None:
    """ReLU: exactly the input or zero."""
    values = t.random(1021, 130)
    t.poison(1021, 130)
    result = t.torch.relu(t.put(values))
    t.exact(result, t.torch.where(values > 0, values, t.torch.zeros_like(values)), "the ReLU")


@kernel_test("reduction", FLOATS, level="quick")
def reduction(t: Any) -> None:
    """Sums over rows, over columns, over everything; the largest element."""
    values = t.random(233, 1021)
    a = t.put(values)
    t.poison(233)
    t.compare(a.sum(1), values.double().sum(1), "reduction", "the sum of rows")
    t.poison(1021)
    t.compare(a.mean(0), values.double().mean(0), "reduction", "the mean of columns")
    t.exact(a.amax(1), values.amax(1), "the maximum of rows")
    # Few enough that the sum stays in float16's range.
    few = values[:16]
    t.compare((a[:16] * a[:16]).sum(), (few.double() ** 2).sum(), "reduction", "the sum of squares")


@kernel_test("matmul", FLOATS, level="quick")
def matmul(t: Any) -> None:
    """Matrix products through cuBLAS, plain, batched and with a bias, without TF32."""
    _products(t, t.dtype_name)


@kernel_test("matmul", ("tfloat32",), level="quick")
def matmul_tf32(t: Any) -> None:
    """Float32 matrix products with TF32 allowed: ten bits of mantissa in, float32 out."""
    t.torch.backends.cuda.matmul.allow_tf32 = True
    _products(t, "tfloat32")


def _products(t: Any, dtype: Any) -> None:
    left, right, bias = t.random(192, 256), t.random(256, 160), t.random(160)
    a, b = t.put(left), t.put(right)
    exact = product(left, right)
    t.poison(192, 160)
    t.compare(t.torch.matmul(a, b), exact, "matmul", "the product", dtype=dtype)
    t.poison(192, 160)
    t.compare(a @ b, exact, "matmul", "the product by the operator", dtype=dtype)
    t.poison(192, 160)
    result = t.torch.nn.functional.linear(a, b.t(), t.put(bias))
    t.compare(result, exact + bias.double(), "matmul", "the linear layer", dtype=dtype)
    many, others = t.random(5, 48, 96), t.random(5, 96, 40)
    t.poison(5, 48, 40)
    result = t.torch.bmm(t.put(many), t.put(others))
    t.compare(result, product(many, others), "matmul", "the batched product", dtype=dtype)
