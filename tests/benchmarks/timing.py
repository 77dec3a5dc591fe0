"""Whole processes timed side by side: in turn, so that a slow moment meets all of them alike."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """Medians over the counted runs of one command."""

    milliseconds: float
    lowest: float
    highest: float
    peak_megabytes: float


def measure(
    commands: Mapping[str, Sequence[str]], runs: int = 11, env: Mapping[str, str] | None = None
) -> dict[str, Figure]:
    """Run the commands in turn, one warm-up each: wall time and peak memory of the process."""
    times: dict[str, list[float]] = {name: [] for name in commands}
    peaks: dict[str, list[float]] = {name: [] for name in commands}
    for count in range(runs + 1):
        for name, command in commands.items():
            milliseconds, peak = once(command, env)
            if count:
                times[name].append(milliseconds)
                peaks[name].append(peak)
    return {
        name: Figure(
            statistics.median(times[name]),
            min(times[name]),
            max(times[name]),
            statistics.median(peaks[name]),
        )
        for name in commands
    }


def once(command: Sequence[str], env: Mapping[str, str] | None = None) -> tuple[float, float]:
    """Wall milliseconds and peak resident megabytes of one run (the largest single process)."""
    started = time.perf_counter()
    process = subprocess.Popen(
        list(command), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env
    )
    _, _, usage = os.wait4(process.pid, 0)
    return (time.perf_counter() - started) * 1e3, usage.ru_maxrss / 1024


def table(figures: Mapping[str, Figure], baseline: str) -> str:
    """The figures as lines, each with its ratio to the baseline."""
    base = figures[baseline].milliseconds
    rows = [f"{'':34} {'median ms':>10} {'min':>8} {'max':>8} {'peak MB':>8} {'ratio':>8}"]
    rows += [
        f"{name:34} {f.milliseconds:10.1f} {f.lowest:8.1f} {f.highest:8.1f} "
        f"{f.peak_megabytes:8.1f} {f.milliseconds / base:8.2f}"
        for name, f in figures.items()
    ]
    return "\n".join(rows)
