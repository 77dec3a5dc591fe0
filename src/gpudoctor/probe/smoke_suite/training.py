"""Backward, an optimiser's step, mixed precision, and a short training run."""

from __future__ import annotations

from typing import Any, Tuple

from .context import Skip, WrongNumbersError
from .reference import two_layers
from .registry import FLOATS, kernel_test


def _network(t: Any) -> Tuple[Any, Any, Any, Any]:
    scale = 0.125
    return t.random(96, 64), t.random(48, 64) * scale, t.random(16, 48) * scale, t.random(96, 16)


@kernel_test("backward", FLOATS, level="quick")
def backward(t: Any) -> None:
    """The gradients of a two-layer network against gradients worked out by hand."""
    functional = t.torch.nn.functional
    values, first, second, target = _network(t)
    a, b = t.put(first).requires_grad_(), t.put(second).requires_grad_()
    hidden = functional.relu(functional.linear(t.put(values), a))
    loss = ((functional.linear(hidden, b) - t.put(target)) ** 2).mean()
    loss.backward()
    exact, first_gradient, second_gradient = two_layers(values, first, second, target)
    t.compare(loss, exact, "network", "the loss")
    t.compare(a.grad, first_gradient, "network", "the gradient of the first layer")
    t.compare(b.grad, second_gradient, "network", "the gradient of the second layer")


@kernel_test("optimizer", ("float32",), level="quick")
def optimizer(t: Any) -> None:
    """One step each of SGD and Adam: the parameters must change, and to the right values."""
    torch = t.torch
    start, slope = t.random(64, 33), t.random(64, 33)
    for name, rate in (("SGD", 0.5), ("Adam", 0.125)):
        parameter = torch.nn.Parameter(t.put(start))
        stepper = getattr(torch.optim, name)([parameter], lr=rate)
        parameter.grad = t.put(slope)
        stepper.step()
        t.sync()
        after = parameter.detach()
        if bool((after.cpu() == start).all()):
            raise WrongNumbersError("one step of %s left every parameter as it was" % name)
        # Adam's first step is the sign of the gradient, softened by its epsilon of 1e-8.
        step = slope.double() if name == "SGD" else slope.double() / (slope.double().abs() + 1e-8)
        t.compare(after, start.double() - rate * step, "optimizer", "the parameters after " + name)


@kernel_test("autocast", ("float16", "bfloat16"))
def autocast(t: Any) -> None:
    """Mixed precision with a GradScaler, as training scripts do it."""
    torch = t.torch
    if t.dtype_name == "float16" and not t.on_gpu:
        raise Skip("autocast on the CPU is for bfloat16")
    values, first, second, target = _network(t)
    wide = [tensor.float() for tensor in (values, first, second, target)]
    x, a, b, y = (t.put(tensor) for tensor in wide)
    a.requires_grad_()
    b.requires_grad_()
    functional = torch.nn.functional
    with torch.autocast(t.device.type, dtype=t.dtype):
        hidden = functional.relu(functional.linear(x, a))
        output = functional.linear(hidden, b)
    if output.dtype is not t.dtype:
        raise WrongNumbersError("autocast gave %s where %s was due" % (output.dtype, t.dtype))
    loss = ((output.float() - y) ** 2).mean()
    scaler = _scaler(t) if t.on_gpu else None
    (scaler.scale(loss) if scaler else loss).backward()
    if scaler:
        stepper = torch.optim.SGD([a, b], lr=0.0)
        scaler.unscale_(stepper)
        scaler.step(stepper)
        scaler.update()
    exact, first_gradient, second_gradient = two_layers(*wide)
    tolerance = t.limit("network")
    t.judge(loss.detach().cpu().double(), exact, tolerance, "the loss")
    t.judge(a.grad.cpu().double(), first_gradient, tolerance, "the first gradient")
    t.judge(b.grad.cpu().double(), second_gradient, tolerance, "the second gradient")


def _scaler(t: Any) -> Any:
    """A GradScaler; its place moved from torch.cuda.amp to torch.amp in torch 2.3."""
    modern = getattr(t.torch.amp, "GradScaler", None)
    if modern is not None:
        return modern("cuda", init_scale=1024.0)
    return t.torch.cuda.amp.GradScaler(init_scale=1024.0)


@kernel_test("train", ("float32", "bfloat16"))
def train(t: Any) -> None:
    """Fifty steps of a tiny transformer on one batch: the loss must fall by half."""
    torch = t.torch
    torch.manual_seed(t.plan["seed"])
    width, tokens, symbols = 64, 32, 61
    layer = torch.nn.TransformerEncoderLayer(
        width, 4, 2 * width, dropout=0.0, batch_first=True, norm_first=True
    )
    model = torch.nn.Sequential(
        torch.nn.Embedding(symbols, width),
        torch.nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        if _takes_nested(torch)
        else torch.nn.TransformerEncoder(layer, 2),
        torch.nn.Linear(width, symbols),
    ).to(t.device, t.dtype)
    text = t.put(t.integers(symbols, 16, tokens))
    stepper = torch.optim.AdamW(model.parameters(), lr=2e-3)
    losses = []
    for _ in range(50):
        stepper.zero_grad(set_to_none=True)
        scores = model(text).float()
        loss = torch.nn.functional.cross_entropy(scores.reshape(-1, symbols), text.reshape(-1))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        stepper.step()
        losses.append(float(loss.detach()))
    # Not an error of a number but a ratio: what is left of the loss.
    t.worst, t.tolerance = losses[-1] / losses[0], 0.5
    if not losses[-1] <= 0.5 * losses[0]:
        raise WrongNumbersError(
            "the loss went from %.3f to %.3f in 50 steps; below half was due"
            % (losses[0], losses[-1])
        )


def _takes_nested(torch: Any) -> bool:
    import inspect

    parameters = inspect.signature(torch.nn.TransformerEncoder.__init__).parameters
    return "enable_nested_tensor" in parameters
