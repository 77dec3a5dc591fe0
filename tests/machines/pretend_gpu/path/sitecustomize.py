"""Lets a CPU build of torch pretend to have CUDA GPUs, so that the GPU's path can be walked.

Every operation that names a cuda device is done on the CPU instead. What is tried this way is
our own code (order, arguments, judgement, multi-GPU threads), not CUDA.

PRETEND_GPUS: how many. PRETEND_HIP: `gfx942`: they are AMD's, and torch is a ROCm build: as
documented, torch.version.hip is set, torch.version.cuda is None, torch.cuda is the interface all
the same, and errors begin with "HIP error". PRETEND_FAULT: `busy`, `no-kernel`,
`memory`, `assert`, `slow`, `all-reduce-hangs`, `no-peer`, `wake-hangs`,
`tensile` (rocBLAS ends the process).
"""

import os
import sys
import time

_count = int(os.environ.get("PRETEND_GPUS", "0"))
_fault = os.environ.get("PRETEND_FAULT", "")
_hip = os.environ.get("PRETEND_HIP", "")


def _patch(torch):
    from types import SimpleNamespace

    from torch.overrides import TorchFunctionMode

    cpu = torch.device("cpu")

    def home(value):
        if isinstance(value, torch.device) and value.type == "cuda":
            return cpu
        if isinstance(value, str) and value.startswith("cuda"):
            return cpu
        return value

    class Pretend(TorchFunctionMode):
        def __torch_function__(self, function, types, args=(), kwargs=None):
            if function is torch.device:
                return function(*args, **(kwargs or {}))
            named = {k: home(v) if k == "device" else v for k, v in (kwargs or {}).items()}
            result = function(*(home(value) for value in args), **named)
            # A copy to a GPU shares no memory with what it was made from.
            return result.clone() if function is torch.Tensor.to and result is args[0] else result

    class Stream:
        def __init__(self, *_, **__):
            pass

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return False

        def wait_stream(self, other):
            pass

        def wait_event(self, event):
            pass

    class Event:
        def __init__(self, enable_timing=False):
            self.timing = enable_timing
            self.at = None

        def record(self, stream=None):
            self.at = time.perf_counter()

        def synchronize(self):
            pass

        def elapsed_time(self, other):
            if not self.timing or not other.timing:
                raise RuntimeError("Both events must be created with enable_timing=True")
            factor = 1e9 if _fault == "slow" else 1e-9
            return max(other.at - self.at, 1e-9) * 1000 * factor

    class Scaler:
        def __init__(self, *_, **__):
            pass

        def scale(self, loss):
            return loss

        def unscale_(self, stepper):
            pass

        def step(self, stepper):
            stepper.step()

        def update(self):
            pass

    class Graph:
        pass

    class capture:  # noqa: N801 - named as torch names it
        def __init__(self, graph):
            pass

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return False

    memory = 2 << 30
    properties = SimpleNamespace(
        name="NVIDIA H200",
        major=9,
        minor=0,
        total_memory=memory,
        multi_processor_count=132,
        is_integrated=False,
        L2_cache_size=60 << 20,
    )

    if _hip:
        properties.name = "AMD Instinct"
        properties.gcnArchName = _hip + ":sramecc+:xnack-"
        properties.major, properties.minor = int(_hip[3:-2]), int(_hip[-2], 16)

    def wake(*_):
        if _fault == "busy":
            raise RuntimeError(
                "CUDA error: CUDA-capable device(s) is/are busy or unavailable\n"
                "CUDA kernel errors might be asynchronously reported at some other API call."
            )
        if _fault == "wake-hangs":
            time.sleep(3600)

    cuda = torch.cuda
    cuda.init = wake
    cuda.device_count = lambda: _count
    cuda.set_device = lambda device: None
    cuda.synchronize = lambda device=None: None
    cuda.get_device_properties = lambda device: properties
    cuda.mem_get_info = lambda device=None: (memory // 2, memory)
    cuda.get_arch_list = lambda: os.environ.get("PRETEND_ARCHITECTURES", "sm_80 sm_90").split()
    cuda.empty_cache = lambda: None
    cuda.can_device_access_peer = lambda a, b: _fault != "no-peer"
    cuda.Stream = Stream
    cuda.Event = Event
    cuda.stream = lambda stream: stream
    cuda.current_stream = lambda device=None: Stream()
    cuda.CUDAGraph = Graph
    cuda.graph = capture
    torch.version.cuda = None if _hip else "13.0"
    torch.version.hip = "7.2.26015" if _hip else None
    if _hip:
        torch._C._nccl_all_reduce = lambda *_: None
    Graph.replay = lambda self: None
    generator = torch.Generator

    class Generator(generator):
        def __new__(cls, device=None):
            return generator()

    torch.Generator = Generator
    torch.Tensor.pin_memory = lambda self: self

    def all_reduce(tensors):
        if _fault == "all-reduce-hangs":
            time.sleep(3600)
        total = sum(tensor.clone() for tensor in tensors)
        for tensor in tensors:
            tensor.copy_(total)

    autocast = torch.autocast
    torch.autocast = lambda kind, dtype=None: autocast("cpu", dtype=dtype)
    torch.amp.GradScaler = Scaler
    import torch.cuda.nccl as nccl

    nccl.all_reduce = all_reduce
    if _fault in ("no-kernel", "memory", "assert"):
        platform = "HIP" if _hip else "CUDA"
        text = {
            "no-kernel": "HIP error: invalid device function\n"
            "Search for `hipErrorInvalidDeviceFunction' in ROCm's documentation for more."
            if _hip
            else "CUDA error: no kernel image is available for execution on the device",
            "memory": f"{platform} out of memory. Tried to allocate 2.00 MiB.",
            "assert": f"{platform} error: device-side assert triggered\n"
            f"{platform} kernel errors might be asynchronously reported at some other API call",
        }[_fault]

        def broken(values):
            if _fault == "assert":

                def lost(device=None):
                    raise RuntimeError(text)

                cuda.synchronize = lost
            raise RuntimeError(text)

        torch.relu = broken
    if _fault == "tensile":

        def no_tensile(*_, **__):
            sys.stderr.write(
                "rocBLAS error: Cannot read /t/lib/rocblas/library/TensileLibrary.dat: Illegal "
                f"seek for GPU arch : {_hip}\n"
            )
            sys.stderr.flush()
            os.abort()

        torch.matmul = no_tensile
    Pretend().__enter__()


class _Finder:
    """Steps aside for everything but torch, which it patches after it was loaded."""

    def find_spec(self, name, path=None, target=None):
        if name != "torch":
            return None
        sys.meta_path.remove(self)
        import importlib.util

        spec = importlib.util.find_spec("torch")
        if spec is None or spec.loader is None:
            return spec
        load = spec.loader.exec_module

        def loaded(module):
            load(module)
            _patch(module)

        spec.loader.exec_module = loaded
        return spec


if _count:
    sys.meta_path.insert(0, _Finder())
