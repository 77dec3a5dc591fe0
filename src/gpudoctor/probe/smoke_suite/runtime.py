"""What CUDA's run time offers to programs: streams, events, graphs, pinned memory, compilers."""

from __future__ import annotations

from typing import Any

from .context import Skip, WrongNumbersError
from .reference import product
from .registry import kernel_test


@kernel_test("compile", ("float32",), needs="compile")
def compile_model(t: Any) -> None:
    """`torch.compile` of a small model: Triton, ptxas and a C compiler at work."""
    torch = t.torch
    values, weight = t.random(64, 48), t.random(48, 32)

    def model(x: Any, w: Any) -> Any:
        return torch.nn.functional.gelu(x @ w, approximate="tanh").sum(-1) * 2

    try:
        result = torch.compile(model)(t.put(values), t.put(weight))
    except RuntimeError as error:
        # torch's words for a Python that its compiler does not know yet.
        if "not supported on Python" in str(error) or "not yet supported" in str(error):
            raise Skip(str(error).splitlines()[0]) from None
        raise
    t.sync()
    inner = product(values, weight)
    slope = (2 / torch.pi) ** 0.5 * (inner + 0.044715 * inner**3)
    exact = (0.5 * inner * (1 + slope.tanh())).sum(-1) * 2
    t.compare(result, exact, "network", "the compiled model")


@kernel_test("graph", ("float32",), needs="graphs")
def graph(t: Any) -> None:
    """Capture a CUDA graph once, replay it on new inputs."""
    torch = t.torch
    values, weight = t.random(64, 48), t.random(48, 32)
    x, w = t.put(values), t.put(weight)
    side = torch.cuda.Stream(t.device)
    side.wait_stream(torch.cuda.current_stream(t.device))
    with torch.cuda.stream(side):
        for _ in range(3):
            torch.relu(x @ w)
    torch.cuda.current_stream(t.device).wait_stream(side)
    captured = torch.cuda.CUDAGraph()
    with torch.cuda.graph(captured):
        result = torch.relu(x @ w)
    fresh = t.random(64, 48)
    x.copy_(fresh)
    result.fill_(float("nan"))
    captured.replay()
    t.sync()
    t.compare(result, product(fresh, weight).clamp(min=0), "matmul", "the replayed graph")


@kernel_test("streams", ("float32",), needs="cuda")
def streams(t: Any) -> None:
    """Work on a second stream, ordered by events, timed by events."""
    torch = t.torch
    values = t.random(512, 512)
    a = t.put(values)
    second = torch.cuda.Stream(t.device)
    start, ready = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    start.record()
    doubled = a * 2
    ready.record()
    with torch.cuda.stream(second):
        second.wait_event(ready)
        tripled = doubled + a
        done = torch.cuda.Event()
        done.record(second)
    done.synchronize()
    t.sync()
    t.compare(tripled, values.double() * 3, "elementwise", "what two streams computed")
    if not start.elapsed_time(ready) >= 0:
        raise WrongNumbersError("an event came before the one recorded ahead of it")


@kernel_test("pinned-memory", ("float32",), needs="cuda")
def pinned_memory(t: Any) -> None:
    """Copies from and to pinned host memory that do not wait, then wait."""
    values = t.random(1023, 257)
    pinned = values.pin_memory()
    there = pinned.to(t.device, non_blocking=True)
    back = t.torch.full_like(values, float("nan")).pin_memory()
    back.copy_(there, non_blocking=True)
    t.sync()
    t.exact(back, values, "the copy through pinned memory")


@kernel_test("float8-matmul", needs="float8")
def float8_matmul(t: Any) -> None:
    """A matrix product of float8 (e4m3) operands, bfloat16 out."""
    torch = t.torch
    left = t.random(64, 128, dtype=torch.float32).to(t.float8)
    right = t.random(96, 128, dtype=torch.float32).to(t.float8)
    one = torch.ones((), device=t.device)
    result = torch._scaled_mm(
        t.put(left), t.put(right).t(), scale_a=one, scale_b=one, out_dtype=torch.bfloat16
    )
    if isinstance(result, tuple):  # torch 2.4 and before gave the largest value, too
        result = result[0]
    exact = product(left.float(), right.float().t())
    t.compare(result, exact, "matmul", "the float8 product", dtype="bfloat16")


@kernel_test("memory", needs="cuda")
def memory(t: Any) -> None:
    """Take most of what is free, fill it, read it back, give it back."""
    torch = t.torch
    torch.cuda.empty_cache()
    free = torch.cuda.mem_get_info(t.device)[0]
    # Room for the context's own growth and for whoever shares the GPU (a display).
    wanted = min(int(free * 0.8), free - (512 << 20))
    if getattr(torch.cuda.get_device_properties(t.device), "is_integrated", False):
        wanted = free // 4  # it is the computer's own memory: other programs need it
    piece = 1 << 30
    if wanted < piece // 8:
        raise Skip("only %d MiB are free" % (free >> 20))
    blocks = []
    while wanted > 0:
        size = min(piece, wanted) // 8
        base = int(t.integers(1 << 40, 1)[0])
        block = torch.arange(size, dtype=torch.int64, device=t.device)
        block.add_(base)
        blocks.append((block, base, size))
        wanted -= piece
    for number, (block, base, size) in enumerate(blocks):
        # The sum of base, base + 1, …; arithmetic of int64 wraps around, here and there.
        wanted_sum = (size * base + size * (size - 1) // 2) & (2**64 - 1)
        if (int(block.sum()) & (2**64 - 1)) != wanted_sum:
            raise WrongNumbersError("block %d of %d came back changed" % (number + 1, len(blocks)))
    t.worst, t.tolerance = 0.0, 0.0
    del blocks, block
    torch.cuda.empty_cache()
