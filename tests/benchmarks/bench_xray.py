"""How fast device code is read, beside NVIDIA's `cuobjdump --list-elf`, in one run.

    python tests/benchmarks/bench_xray.py [--library libtorch_cuda.so] [--environment FOLDER]

Without `--library` torch 2.9.1 for x86_64 is fetched with pip (900 MB) and its library of 1 GB
unpacked into the cache folder. `--environment` is scanned as a whole, from a warm cache. The
last part reads libraries made for it: with more bytes, and with more kernels.
"""

from __future__ import annotations

import argparse
import compileall
import os
import statistics
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from timing import measure

import gpudoctor
from gpudoctor.binaries.library import read_library
from gpudoctor.binaries.scan import scan
from xray.made import Image, container, elf, fatbin
from xray.truth import Wheel, cache_folder, cuobjdump, fetch

TORCH = Wheel("torch==2.9.1", "manylinux_2_28_x86_64")
MEMBER = "torch/lib/libtorch_cuda.so"


def main() -> None:
    """Print each figure, and the ratio that counts."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--library", type=Path)
    parser.add_argument("--environment", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    library = options.library or unpacked()
    against_cuobjdump(library, options.runs)
    if options.environment:
        whole_environment(options.environment, options.runs)
    growth()


def unpacked() -> Path:
    """torch's CUDA library, in the cache folder."""
    place = cache_folder() / "bench"
    target = place / MEMBER
    if not target.exists():
        with zipfile.ZipFile(fetch(TORCH, cache_folder() / "wheels")) as wheel:
            wheel.extract(MEMBER, place)
    return target


def median_ms(call: Callable[[], object], runs: int = 11) -> float:
    """The median of several calls after a first one, in milliseconds."""
    call()
    times = []
    for _ in range(runs):
        started = time.perf_counter()
        call()
        times.append((time.perf_counter() - started) * 1e3)
    return statistics.median(times)


def against_cuobjdump(library: Path, runs: int) -> None:
    """One library: in this process, and as whole commands in turn."""
    # As an installer leaves it; with PYTHONDONTWRITEBYTECODE every start would compile anew.
    compileall.compile_dir(str(Path(gpudoctor.__file__).parent), quiet=1)
    program = str(cuobjdump(cache_folder() / "cuobjdump"))
    inside = median_ms(lambda: read_library(str(library)))
    ours = [sys.executable, "-m", "gpudoctor", "scan", str(library), "--gpu", "sm_120"]
    figures = measure({"scan": ours, "cuobjdump": [program, "--list-elf", str(library)]}, runs)
    mine, theirs = figures["scan"], figures["cuobjdump"]
    print(f"{library.name}, {library.stat().st_size / 1e6:.0f} MB")
    print(f"  read_library       {inside:10.1f} ms")
    print(f"  gpudoctor scan     {mine.milliseconds:10.1f} ms {mine.peak_megabytes:8.0f} MB")
    print(f"  cuobjdump          {theirs.milliseconds:10.1f} ms {theirs.peak_megabytes:8.0f} MB")
    print(f"  in one process     {theirs.milliseconds / inside:10.0f} times faster (target 200)")
    faster = theirs.milliseconds / mine.milliseconds
    print(f"  whole commands     {faster:10.0f} times faster (target 100)")
    print(
        f"  memory             1/{theirs.peak_megabytes / mine.peak_megabytes:.0f} (target 1/100)"
    )


def whole_environment(folder: Path, runs: int) -> None:
    """Everything in an environment, from a warm cache."""
    found = scan([str(folder)])
    size = sum(
        os.lstat(os.path.join(place, name)).st_size
        for place, _, names in os.walk(folder)
        for name in names
    )
    taken = median_ms(lambda: scan([str(folder)]), runs)
    print(f"{folder}, {size / 1e9:.1f} GB")
    print(f"  {found.looked_at} files opened, {len(found.files)} with device code")
    print(f"  scan               {taken:10.1f} ms (target 1000)")


def growth() -> None:
    """Time grows with the number of kernels, and not with bytes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "made.so"

        def timed(kernels: int, payload: int) -> float:
            path.write_bytes(elf(fatbin(container([Image("sm_90", payload=payload)]) * kernels)))
            return median_ms(lambda: read_library(str(path)), 31)

        base = timed(1600, 1 << 12)
        print("made libraries")
        print(f"  {1600:5} kernels, {6:4} MB {base:8.2f} ms")
        for kernels, payload in ((1600, 1 << 15), (1600, 1 << 18), (6400, 1 << 12)):
            taken = timed(kernels, payload)
            size = kernels * payload >> 20
            print(f"  {kernels:5} kernels, {size:4} MB {taken:8.2f} ms, {taken / base:5.1f} times")


if __name__ == "__main__":
    main()
