"""Lets the real torch misbehave in one way, once it is imported; see BAD_TORCH."""

import os
import sys

_what = os.environ.get("BAD_TORCH", "")


def _patch(torch):
    import atexit
    import ctypes
    import subprocess
    import time

    matmul, relu = torch.matmul, torch.relu
    calls = {"relu": 0}

    def replace(action):
        def patched(*arguments, **options):
            calls["relu"] += 1
            return action(*arguments, **options)

        torch.relu = patched

    def raising(kind, text):
        def action(values):
            raise kind(text)

        return action

    def flood(values):
        line = ("x" * 1023 + "\n") * 1024
        for _ in range(1024):
            sys.stdout.write(line)
        return relu(values)

    def leave_child(values):
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"])
        return relu(values)

    def close_all(values):
        os.closerange(0, 4096)
        return relu(values)

    def hang(values):
        time.sleep(3600)

    def hang_deaf(values):
        import signal

        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(3600)

    def segfault(values):
        print("a last word", file=sys.stderr, flush=True)
        ctypes.string_at(0)

    def to_nan(values):
        result = relu(values)
        result.view(-1)[0] = float("nan")
        return result

    cuda = "\nCUDA kernel errors might be asynchronously reported at some other API call."
    out_of_memory = getattr(torch, "OutOfMemoryError", None) or torch.cuda.OutOfMemoryError
    actions = {
        "test-segfault": segfault,
        "test-hang": hang,
        "test-hang-deaf": hang_deaf,
        "test-exit": lambda values: os._exit(0),
        "test-sys-exit": lambda values: sys.exit(5),
        "test-flood": flood,
        "test-close-fds": close_all,
        "test-leave-child": leave_child,
        "test-nan": to_nan,
        "test-no-kernel": raising(
            RuntimeError,
            "CUDA error: no kernel image is available for execution on the device" + cuda,
        ),
        "test-assert": raising(RuntimeError, "CUDA error: device-side assert triggered" + cuda),
        "test-memory": raising(out_of_memory, "CUDA out of memory. Tried to allocate 20.00 GiB."),
    }
    if _what.startswith("gpu-"):
        _patch_gpu(torch, replace, relu)
    elif _what in actions:
        replace(actions[_what])
    elif _what == "every-test-segfaults":
        torch.Generator = lambda *a, **o: ctypes.string_at(0)
    elif _what == "exit-segfault":
        atexit.register(ctypes.string_at, 0)
    elif _what == "exit-hang":
        atexit.register(time.sleep, 3600)
    elif _what == "wrong-matmul":
        torch.matmul = lambda a, b: matmul(a, b) * 1.001
    elif _what == "half-matmul":
        torch.matmul = lambda a, b: matmul(a, b).half()
    elif _what == "secretly-half-matmul":
        torch.matmul = lambda a, b: matmul(a.half(), b.half()).to(a.dtype)
    elif _what == "stale-optimizer":
        torch.optim.SGD.step = lambda self, *a, **o: None
    elif _what == "transposed-gradient":
        backward = torch.Tensor.backward

        def patched(self, *a, **o):
            backward(self, *a, **o)
            # One gradient in a hundred thousand wrong numbers would be enough; here it is all.

        torch.Tensor.backward = patched
        linear = torch.nn.functional.linear
        torch.nn.functional.linear = lambda x, w, *b: linear(x.detach() * 1.01, w, *b)


def _patch_gpu(torch, replace, relu):
    """Faults that only a GPU has."""

    def embedding_out_of_range(values):
        table = torch.zeros(10, 4, device=values.device)
        torch.nn.functional.embedding(torch.tensor([12345], device=values.device), table)
        return relu(values)

    def too_much_memory(values):
        torch.empty(1 << 45, dtype=torch.int8, device=values.device)
        return relu(values)

    def endless_kernel(values):
        torch.cuda._sleep(1 << 50)
        return relu(values)

    actions = {
        "gpu-embedding": embedding_out_of_range,
        "gpu-memory": too_much_memory,
        "gpu-endless": endless_kernel,
    }
    replace(actions[_what])


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


if _what:
    sys.meta_path.insert(0, _Finder())
