"""How long a plan takes as a whole process, and how fast the solver is on ten thousand machines.

    python tests/benchmarks/bench_plan.py [RUNS]

Prints whole-process medians in one run, each beside bare Python, and the time for the grid that
tests/property/test_solver_bruteforce.py checks. Wanted: a plan within 150 ms, the grid within ten
seconds.
"""

from __future__ import annotations

import os
import sys
import time

from timing import measure, table


def grid() -> tuple[int, float]:
    """Points of the grid and the seconds that choosing a build for each of them takes."""
    sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
    from gpudoctor.prescribe.build.solver import best
    from property.test_solver_bruteforce import GRID, target

    started = time.perf_counter()
    for gpus, driver, (system, platform), python in GRID:
        best(target(gpus, driver, system, platform, python))
    return len(GRID), time.perf_counter() - started


def main() -> None:
    ours = os.path.join(os.path.dirname(sys.executable), "gpudoctor")
    one = [ours, "plan", "--gpu", "5060 ti", "--driver", "572.61", "--os", "windows"]
    mixed = [ours, "plan", "--gpu", "V100", "--gpu", "H100", "--driver", "580.95.05"]
    figures = measure(
        {
            "python -c pass": [sys.executable, "-c", "pass"],
            "gpudoctor --version": [ours, "--version"],
            "plan, one GPU": [*one, "--python", "3.12"],
            "plan, two GPUs, JSON": [*mixed, "--python", "3.12", "--json"],
            "plan, impossible": [
                ours,
                "plan",
                "--gpu",
                "4090",
                "--python",
                "3.14",
                "--torch",
                "2.6",
            ],
        },
        runs=int(sys.argv[1]) if len(sys.argv) > 1 else 11,
    )
    print(table(figures, "python -c pass"))
    points, seconds = grid()
    print(f"\n{points:,} machines in {seconds:.2f} s, {seconds / points * 1e6:.0f} µs each")


if __name__ == "__main__":
    main()
