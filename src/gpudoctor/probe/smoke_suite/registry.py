"""The list of tests: what each is called, for which dtypes, at which level, what it needs."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

FLOATS = ("float32", "float16", "bfloat16")


class Test(NamedTuple):
    """One test for one dtype."""

    name: str
    dtype: Optional[str]
    level: str
    needs: str
    run: Callable[[Any], None]

    @property
    def key(self) -> str:
        """`matmul:float16`: how the plan and the doctor name it."""
        return "%s:%s" % (self.name, self.dtype) if self.dtype else self.name


_TESTS: List[Test] = []


def kernel_test(
    name: str,
    dtypes: Sequence[Optional[str]] = (None,),
    level: str = "full",
    needs: str = "",
) -> Callable[[Callable[[Any], None]], Callable[[Any], None]]:
    """Register a test, once for each dtype.

    `needs` is a word of `device.features`: `cuda`, `float8`, `several-gpus` … The test is part
    of a run only where the device has it. A dtype is a feature of the same name.
    """

    def register(function: Callable[[Any], None]) -> Callable[[Any], None]:
        for dtype in dtypes:
            _TESTS.append(Test(name, dtype, level, needs, function))
        return function

    return register


def tests(level: str, features: Dict[str, bool]) -> Tuple[Test, ...]:
    """The tests of a level in the order of their registration; `full` starts with `quick`.

    `pairs` is a level of its own: what concerns several GPUs at once.
    """
    levels = ("quick", "full") if level == "full" else (level,)
    return tuple(
        entry
        for wanted in levels
        for entry in _TESTS
        if entry.level == wanted
        and (not entry.needs or features.get(entry.needs, False))
        and (entry.dtype is None or features.get(entry.dtype, False))
    )
