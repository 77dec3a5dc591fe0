"""How fast plans are through the Python API: ten thousand machines, one after the other.

    python tests/benchmarks/bench_plans.py [COUNT]

Wanted: 10,000 plans within ten seconds on one quiet core.
"""

from __future__ import annotations

import random
import sys
import time

CARDS = ["K80", "GTX 980", "GTX 1080", "V100", "T4", "RTX 3090", "A100", "RTX 4090", "L40S", "H100",
         "B200", "RTX 5090", "5060 ti", "sm_121", "MI300X", "7900 XTX", "Arc B580"]  # fmt: skip
DRIVERS = [None, "470.256.02", "525.60.13", "535.183.01", "550.54.15", "570.172.08", "580.95.05",
           "595.58.03"]  # fmt: skip
PYTHONS = [None, "3.9", "3.10", "3.11", "3.12", "3.13", "3.13t", "3.14"]
SYSTEMS = ["linux", "linux", "linux", "windows", "wsl"]


def requests(count: int) -> list[dict[str, object]]:
    """As many requests, the same ones every time."""
    draw = random.Random(1)
    found = []
    for _ in range(count):
        first = draw.choice(CARDS)
        nvidia = CARDS.index(first) < CARDS.index("MI300X")
        more = [draw.choice(CARDS[: CARDS.index("MI300X")])] if nvidia else []
        found.append(
            {
                "gpus": (first, *(more if draw.random() < 0.3 else [])),
                "driver": draw.choice(DRIVERS) if nvidia else None,
                "os": draw.choice(SYSTEMS),
                "python": draw.choice(PYTHONS),
                "torch": draw.choice([None, None, None, "2.9", ">=2.6,<2.10"]),
            }
        )
    return found


def main() -> None:
    from gpudoctor.prescribe import PlanRequest
    from gpudoctor.prescribe.plan import plan

    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    todo = [PlanRequest(**row) for row in requests(count)]  # type: ignore[arg-type]
    plan(todo[0])
    started = time.process_time()
    for request in todo:
        plan(request)
    seconds = time.process_time() - started
    print(f"{count:,} plans in {seconds:.2f} s of CPU, {seconds / count * 1e3:.2f} ms each")


if __name__ == "__main__":
    main()
