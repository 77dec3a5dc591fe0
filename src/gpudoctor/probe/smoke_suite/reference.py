"""References in float64 on the CPU, by other ways than the operations they judge.

A broken `matmul` must not be judged by itself, also where the examined device is the CPU: so
products are sums of elementwise products here, and every layer is written out.
"""

from __future__ import annotations

import math
from typing import Any


def product(left: Any, right: Any) -> Any:
    """The matrix product of [..., m, k] and [..., k, n], in float64."""
    left, right = left.double(), right.double()
    rows = [
        (left[..., i : i + 16, :, None] * right[..., None, :, :]).sum(-2)
        for i in range(0, left.shape[-2], 16)
    ]
    torch_cat = _torch_of(left).cat
    return torch_cat(rows, dim=-2)


def softmax(values: Any) -> Any:
    """Softmax over the last dimension, in float64."""
    values = values.double()
    shifted = (values - values.amax(-1, keepdim=True)).exp()
    return shifted / shifted.sum(-1, keepdim=True)


def attention(query: Any, key: Any, value: Any) -> Any:
    """Scaled-dot-product attention of [..., tokens, width], in float64."""
    scores = product(query, key.transpose(-1, -2)) / math.sqrt(query.shape[-1])
    return product(softmax(scores), value)


def normalised(values: Any, dims: Any, epsilon: float) -> Any:
    """`values` with mean 0 and variance 1 over `dims`, in float64."""
    values = values.double()
    mean = values.mean(dims, keepdim=True)
    variance = ((values - mean) ** 2).mean(dims, keepdim=True)
    return (values - mean) / (variance + epsilon).sqrt()


def two_layers(values: Any, first: Any, second: Any, target: Any) -> Any:
    """Mean squared error of relu(x W₁ᵀ) W₂ᵀ, with its gradients for W₁ and W₂, in float64."""
    values, first, second, target = (t.double() for t in (values, first, second, target))
    before = product(values, first.t())
    hidden = before.clamp(min=0)
    difference = product(hidden, second.t()) - target
    loss = (difference * difference).mean()
    slope = difference * (2.0 / difference.numel())
    second_gradient = product(slope.t(), hidden)
    hidden_slope = product(slope, second) * (before > 0).double()
    return loss, product(hidden_slope.t(), values), second_gradient


def _torch_of(tensor: Any) -> Any:
    import sys

    return sys.modules[type(tensor).__module__.split(".")[0]]
