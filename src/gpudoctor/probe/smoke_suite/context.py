"""What a test is given: a device, fresh random inputs, and a judge of its results."""

from __future__ import annotations

import math
import os
from typing import Any, Dict, Optional

from .device import float8_type


class Skip(Exception):  # noqa: N818 - not an error: the test does not apply here
    """The test does not apply; the message says why."""


class WrongNumbersError(Exception):
    """A kernel ran and its result is wrong."""


class Context:
    """One test's view of torch and of the device.

    Inputs are drawn on the CPU in float64 and rounded to the dtype, so that the reference,
    computed from the rounded values in float64, has no error of the input in it.
    """

    def __init__(
        self, torch: Any, device: Any, dtype: Optional[str], plan: Dict[str, Any], send: Any
    ) -> None:
        self.torch = torch
        self.device = device
        self.dtype_name = dtype
        self.dtype: Any = None
        self.plan = plan
        self.on_gpu = device.type == "cuda"
        self.worst: Optional[float] = None
        """The largest relative error seen, None before the first comparison."""
        self.tolerance: Optional[float] = None
        self._send = send
        self._generator: Any = None

    @property
    def float8(self) -> Any:
        """The float8 type that the device multiplies."""
        return getattr(self.torch, str(float8_type(self.torch, self.device, self.plan)))

    def begin(self) -> None:
        """Ask torch for the first time; a part of the test, since that may fail as well."""
        # TF32 is a way to multiply float32 numbers, no type of its own.
        name = "float32" if self.dtype_name in (None, "tfloat32") else self.dtype_name
        self.dtype = getattr(self.torch, str(name))
        if self.on_gpu:
            # Off for all but the test that is about it: a float32 result then has float32's error.
            self.torch.backends.cuda.matmul.allow_tf32 = False
            self.torch.backends.cudnn.allow_tf32 = False
        self._generator = self.torch.Generator()
        self._generator.manual_seed(self.plan["seed"])

    def random(self, *shape: int, **options: Any) -> Any:
        """A fresh standard normal tensor on the CPU, in the test's dtype (or `dtype=`)."""
        values = self.torch.randn(*shape, generator=self._generator, dtype=self.torch.float64)
        return values.to(options.get("dtype", self.dtype))

    def integers(self, high: int, *shape: int) -> Any:
        """Fresh random integers in [0, high) on the CPU."""
        return self.torch.randint(high, shape, generator=self._generator)

    def put(self, tensor: Any) -> Any:
        """A copy of a CPU tensor on the device."""
        return tensor.to(self.device) if self.on_gpu else tensor.clone()

    def sync(self) -> None:
        """Wait for the device, so that a fault shows in the test that caused it."""
        if self.on_gpu:
            self.torch.cuda.synchronize(self.device)

    def poison(self, *shape: int, **options: Any) -> None:
        """Fill a block of memory with NaN and give it back to the allocator.

        The next result of this size lies in it: values that a kernel fails to write show.
        """
        dtype = options.get("dtype", self.dtype)
        block = self.torch.full(shape, float("nan"), dtype=dtype, device=self.device)
        del block

    def nan_like(self, tensor: Any) -> Any:
        """A tensor of the same shape and dtype on the device, full of NaN."""
        return self.torch.full(
            tuple(tensor.shape), float("nan"), dtype=tensor.dtype, device=self.device
        )

    def limit(self, operation: str, dtype: Optional[str] = None) -> float:
        """The relative error that this operation may have in a dtype.

        Raises:
            KeyError: the plan has no tolerance for it; a mistake in the plan.
        """
        row = self.plan["tolerances"][operation]
        wanted = dtype or self.dtype_name or "float32"
        if wanted == "float32" and self.on_gpu and _tf32_forced():
            return max(float(row[wanted]), float(self.plan["tolerances"]["matmul"]["tfloat32"]))
        return float(row[wanted])

    def compare(
        self,
        result: Any,
        reference: Any,
        operation: str,
        what: str = "the result",
        dtype: Optional[str] = None,
    ) -> None:
        """Hold a result to a float64 reference on the CPU.

        The error is ‖result − reference‖ / ‖reference‖.

        Raises:
            WrongNumbersError: another dtype or shape than due, NaN, or too large an error.
        """
        torch = self.torch
        expected = dtype or self.dtype_name or "float32"
        due = torch.float32 if expected == "tfloat32" else getattr(torch, expected)
        if result.dtype is not due:
            raise WrongNumbersError(
                "%s is %s where %s was due" % (what, _name(result.dtype), _name(due))
            )
        if tuple(result.shape) != tuple(reference.shape):
            raise WrongNumbersError(
                "%s has shape %s where %s was due"
                % (what, tuple(result.shape), tuple(reference.shape))
            )
        self.judge(
            result.detach().to("cpu").to(torch.float64),
            reference.detach().to(torch.float64),
            self.limit(operation, expected),
            what,
        )

    def judge(self, got: Any, wanted: Any, tolerance: float, what: str) -> None:
        """Hold float64 values on the CPU to float64 values; see `compare`."""
        bad = int((got.isfinite().logical_not() & wanted.isfinite()).sum())
        norm = float((wanted * wanted).sum()) ** 0.5
        distance = got - wanted
        error = float((distance * distance).sum()) ** 0.5 / (norm or 1.0)
        if self.worst is None or not error <= self.worst:
            self.worst, self.tolerance = error, tolerance
        if bad:
            self.worst, self.tolerance = float("nan"), tolerance
            raise WrongNumbersError(
                "%d of %d values of %s are NaN or infinite" % (bad, got.numel(), what)
            )
        if not error <= tolerance or math.isnan(error):
            self.worst, self.tolerance = error, tolerance
            raise WrongNumbersError(
                "%s is off by %.2g (relative); %.2g is allowed" % (what, error, tolerance)
            )

    def exact(self, result: Any, reference: Any, what: str = "the result") -> None:
        """Hold integers, booleans or copied values to a reference, bit by bit.

        Raises:
            WrongNumbersError: they differ.
        """
        got = result.detach().to("cpu")
        if self.worst is None:
            self.worst, self.tolerance = 0.0, 0.0
        if got.dtype is not reference.dtype:
            raise WrongNumbersError(
                "%s is %s where %s was due" % (what, _name(got.dtype), _name(reference.dtype))
            )
        if tuple(got.shape) != tuple(reference.shape) or not bool((got == reference).all()):
            differing = (
                int((got != reference).sum()) if got.shape == reference.shape else got.numel()
            )
            self.worst, self.tolerance = differing / max(got.numel(), 1), 0.0
            raise WrongNumbersError("%d of %d values of %s differ" % (differing, got.numel(), what))

    def rate(self, name: str, value: float) -> None:
        """Report a measured rate; the unit is part of the name."""
        self._send("rate", name=name, value=value)

    def note(self, name: str, value: Any) -> None:
        """Report something that is no result and no rate."""
        self._send("note", name=name, value=value)


def _tf32_forced() -> bool:
    """Whether the environment makes every float32 product a TF32 one, whatever torch is told.

    NVIDIA's containers set the first; the second is the libraries' own.
    """
    names = ("TORCH_ALLOW_TF32_CUBLAS_OVERRIDE", "NVIDIA_TF32_OVERRIDE")
    return any(os.environ.get(name) == "1" for name in names)


def _name(dtype: Any) -> str:
    return str(dtype).replace("torch.", "")
