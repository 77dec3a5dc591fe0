"""How fast: copies and matrix products, by device events, after warm-up, median of many."""

from __future__ import annotations

import time
from typing import Any, Callable

from .context import Skip
from .registry import kernel_test

_FEWEST, _MOST = 5, 30


@kernel_test("rate-device-copy", needs="cuda")
def rate_device_copy(t: Any) -> None:
    """Bytes read plus bytes written a second, of a copy much larger than the cache."""
    torch = t.torch
    size = _affordable(t, 1 << 30)
    source = torch.randint(0, 127, (size,), dtype=torch.int8, device=t.device)
    target = torch.empty_like(source)
    seconds = _median(t, lambda: target.copy_(source))
    t.rate("device_to_device_gb_per_s", 2 * size / seconds / 1e9)


@kernel_test("rate-host-copy", needs="cuda")
def rate_host_copy(t: Any) -> None:
    """Bytes a second between host and device, from pinned memory and from ordinary memory."""
    torch = t.torch
    size = _affordable(t, 1 << 28)
    ordinary = torch.randint(0, 127, (size,), dtype=torch.int8)
    there = torch.empty(size, dtype=torch.int8, device=t.device)
    pinned = ordinary.pin_memory()
    for name, run in (
        ("host_to_device_pinned", lambda: there.copy_(pinned, non_blocking=True)),
        ("device_to_host_pinned", lambda: pinned.copy_(there, non_blocking=True)),
    ):
        t.rate(name + "_gb_per_s", size / _median(t, run) / 1e9)
    # A copy from ordinary memory is staged by the CPU: its clock is the right one.
    times = []
    for _ in range(7):
        t.sync()
        start = time.perf_counter()
        there.copy_(ordinary)
        t.sync()
        times.append(time.perf_counter() - start)
    t.rate("host_to_device_pageable_gb_per_s", size / sorted(times)[3] / 1e9)


@kernel_test("rate-matmul", ("float32", "tfloat32", "float16", "bfloat16"), needs="cuda")
def rate_matmul(t: Any) -> None:
    """Operations a second of a large square matrix product of random values."""
    torch = t.torch
    side = 8192
    free = torch.cuda.mem_get_info(t.device)[0]
    while 3 * side * side * 4 > free // 4 and side > 1024:
        side //= 2
    a, b = (torch.randn(side, side, device=t.device).to(t.dtype) for _ in range(2))
    out = torch.empty_like(a)
    torch.backends.cuda.matmul.allow_tf32 = t.dtype_name == "tfloat32"
    seconds = _median(t, lambda: torch.matmul(a, b, out=out))
    t.rate("matmul_%s_tflop_per_s" % t.dtype_name, 2 * side**3 / seconds / 1e12)


@kernel_test("rate-float8", needs="float8")
def rate_float8(t: Any) -> None:
    """Operations a second of a large float8 matrix product."""
    torch = t.torch
    side = 8192
    if torch.cuda.mem_get_info(t.device)[0] < 4 * side * side * 4:
        raise Skip("too little memory is free")
    a, b = (torch.randn(side, side, device=t.device).to(t.float8) for _ in range(2))
    one = torch.ones((), device=t.device)
    seconds = _median(
        t,
        lambda: torch._scaled_mm(a, b.t(), scale_a=one, scale_b=one, out_dtype=torch.bfloat16),
    )
    t.rate("matmul_float8_tflop_per_s", 2 * side**3 / seconds / 1e12)


def _affordable(t: Any, wanted: int) -> int:
    free = int(t.torch.cuda.mem_get_info(t.device)[0])
    size = min(wanted, free // 4)
    if size < 1 << 24:
        raise Skip("only %d MiB are free" % (free >> 20))
    return size


def _median(t: Any, run: Callable[[], Any]) -> float:
    """Seconds of one call: the median of many, timed on the device, after warm-up."""
    torch = t.torch
    for _ in range(3):
        run()
    t.sync()
    start = time.perf_counter()
    run()
    t.sync()
    once = time.perf_counter() - start
    # Many, but on a slow GPU not for longer than about two seconds.
    repeats = max(_FEWEST, min(_MOST, int(2.0 / max(once, 1e-6))))
    pairs = []
    for _ in range(repeats):
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record()
        run()
        end.record()
        pairs.append((begin, end))
    t.sync()
    times = sorted(begin.elapsed_time(end) / 1000 for begin, end in pairs)
    return max(float(times[len(times) // 2]), 1e-9)
