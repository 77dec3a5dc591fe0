"""Layers of networks: convolution (cuDNN), attention, embedding, normalisation, softmax."""

from __future__ import annotations

from typing import Any

from .context import Skip
from .reference import attention, normalised, product, softmax
from .registry import FLOATS, kernel_test


@kernel_test("convolution", FLOATS)
def convolution(t: Any) -> None:
    """A 3×3 convolution, forward and both gradients, against sums over unfolded patches."""
    functional = t.torch.nn.functional
    image, weight = t.random(4, 8, 20, 18), t.random(12, 8, 3, 3) * 0.125
    x, w = t.put(image).requires_grad_(), t.put(weight).requires_grad_()
    t.poison(4, 12, 20, 18)
    result = functional.conv2d(x, w, padding=1)
    slope = t.random(4, 12, 20, 18)
    result.backward(t.put(slope))
    t.sync()
    patches = functional.unfold(image.double(), 3, padding=1)
    flat = weight.double().reshape(12, -1)
    exact = product(flat.expand(4, -1, -1), patches).reshape(4, 12, 20, 18)
    t.compare(result, exact, "convolution", "the convolution")
    out = slope.double().reshape(4, 12, -1)
    weight_gradient = product(out, patches.transpose(1, 2)).sum(0).reshape(12, 8, 3, 3)
    t.compare(w.grad, weight_gradient, "convolution", "the gradient of the weights")
    columns = product(flat.t().expand(4, -1, -1), out)
    image_gradient = functional.fold(columns, (20, 18), 3, padding=1)
    t.compare(x.grad, image_gradient, "convolution", "the gradient of the image")


def _attention(t: Any, backend: str) -> None:
    query, key, value = (t.random(2, 4, 64, 64) for _ in range(3))
    q, k, v = t.put(query), t.put(key), t.put(value)
    with _only(t.torch, backend):
        t.poison(2, 4, 64, 64)
        try:
            result = t.torch.nn.functional.scaled_dot_product_attention(q, k, v)
        except RuntimeError as error:
            # torch's words where a backend does not take this device or dtype.
            refusals = ("No available kernel", "No viable backend", "not compiled")
            if any(words in str(error) for words in refusals):
                raise Skip("the %s backend does not serve this GPU and dtype" % backend) from None
            raise
        t.sync()
    t.compare(result, attention(query, key, value), "attention", "the attention (%s)" % backend)


def _only(torch: Any, backend: str) -> Any:
    """Allow one backend of attention alone; the way to say so changed in torch 2.3."""
    try:
        from torch.nn.attention import SDPBackend, sdpa_kernel
    except ImportError:
        if backend == "cudnn":
            raise Skip("this torch has no cuDNN attention") from None
        return torch.backends.cuda.sdp_kernel(
            enable_flash=backend == "flash",
            enable_mem_efficient=backend == "efficient",
            enable_math=backend == "math",
        )
    name = {
        "flash": "FLASH_ATTENTION",
        "efficient": "EFFICIENT_ATTENTION",
        "math": "MATH",
        "cudnn": "CUDNN_ATTENTION",
    }[backend]
    chosen = getattr(SDPBackend, name, None)
    if chosen is None:
        raise Skip("this torch has no %s attention" % backend)
    return sdpa_kernel([chosen])


@kernel_test("attention-math", FLOATS, needs="attention")
def attention_math(t: Any) -> None:
    """Attention by plain matrix products."""
    _attention(t, "math")


@kernel_test("attention-flash", ("float16", "bfloat16"), needs="attention")
def attention_flash(t: Any) -> None:
    """FlashAttention as torch carries it."""
    _attention(t, "flash")


@kernel_test("attention-efficient", FLOATS, needs="attention")
def attention_efficient(t: Any) -> None:
    """Memory-efficient attention (CUTLASS)."""
    _attention(t, "efficient")


@kernel_test("attention-cudnn", ("float16", "bfloat16"), needs="attention")
def attention_cudnn(t: Any) -> None:
    """Attention by cuDNN."""
    if not t.on_gpu:
        raise Skip("cuDNN serves GPUs alone")
    _attention(t, "cudnn")


@kernel_test("embedding", FLOATS)
def embedding(t: Any) -> None:
    """Looking rows up, and adding gradients of repeated rows together."""
    table, rows = t.random(97, 40), t.integers(97, 64, 7)
    weight = t.put(table).requires_grad_()
    result = t.torch.nn.functional.embedding(t.put(rows), weight)
    t.exact(result, table[rows], "the rows")
    slope = t.random(64, 7, 40)
    result.backward(t.put(slope))
    chosen = (rows.reshape(-1)[None, :] == t.torch.arange(97)[:, None]).double()
    t.compare(weight.grad, product(chosen, slope.reshape(-1, 40)), "network", "the gradient")


@kernel_test("batch-norm", ("float32", "float16", "bfloat16"))
def batch_norm(t: Any) -> None:
    """Batch normalisation of images, in training mode (cuDNN)."""
    image = t.random(8, 6, 12, 10) * 2 + 1
    scale, shift = t.torch.ones(6), t.torch.zeros(6)
    result = t.torch.nn.functional.batch_norm(
        t.put(image), None, None, t.put(scale), t.put(shift), training=True, eps=1e-5
    )
    t.compare(result, normalised(image, (0, 2, 3), 1e-5), "norm", "the normalised batch")


@kernel_test("layer-norm", FLOATS)
def layer_norm(t: Any) -> None:
    """Layer normalisation, forward and the gradient of a weighted sum."""
    values = t.random(65, 384) * 3 + 1
    t.poison(65, 384)
    result = t.torch.nn.functional.layer_norm(t.put(values), (384,))
    t.compare(result, normalised(values, (1,), 1e-5), "norm", "the normalised rows")


@kernel_test("softmax", FLOATS)
def softmax_rows(t: Any) -> None:
    """Softmax of rows and its logarithm."""
    values = t.random(129, 1000)
    a = t.put(values)
    t.poison(129, 1000)
    exact = softmax(values)
    t.compare(t.torch.softmax(a, -1), exact, "softmax", "the softmax")
    t.compare(t.torch.log_softmax(a, -1), exact.log(), "softmax", "its logarithm")
