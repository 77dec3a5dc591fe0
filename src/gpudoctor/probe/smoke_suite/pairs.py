"""Several GPUs at once: peer access, copies between each pair, an all-reduce over all."""

from __future__ import annotations

from typing import Any

from .registry import kernel_test


@kernel_test("peer-copy", ("float32",), level="pairs", needs="several-gpus")
def peer_copy(t: Any) -> None:
    """A copy between each pair of GPUs, both ways, verified bit by bit."""
    torch = t.torch
    count = torch.cuda.device_count()
    without = []
    for source in range(count):
        for target in range(count):
            if source == target:
                continue
            values = t.random(1021, 1031)
            there = values.to("cuda:%d" % source)
            copied = there.to("cuda:%d" % target)
            torch.cuda.synchronize(target)
            t.exact(copied, values, "the copy from GPU %d to GPU %d" % (source, target))
            if not torch.cuda.can_device_access_peer(source, target):
                without.append([source, target])
    t.note("pairs-without-peer-access", without)


@kernel_test("all-reduce", ("float32",), level="pairs", needs="several-gpus")
def all_reduce(t: Any) -> None:
    """NCCL's all-reduce over all GPUs: the sum must be on each of them."""
    from torch.cuda import nccl

    count = t.torch.cuda.device_count()
    parts = [t.random(1 << 20) for _ in range(count)]
    there = [part.to("cuda:%d" % index) for index, part in enumerate(parts)]
    nccl.all_reduce(there)
    exact = sum(part.double() for part in parts)
    for index, tensor in enumerate(there):
        t.torch.cuda.synchronize(index)
        t.compare(tensor, exact, "reduction", "the sum on GPU %d" % index)
