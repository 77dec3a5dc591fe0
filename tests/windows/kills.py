"""TerminateProcess at random moments of a fix and of its undoing; what must hold afterwards.

    GPUDOCTOR_WINDOWS_PYTHON=… PYTHONPATH=src:tests python -m windows.kills 100 --seed 7

kills a hundred times, half of them in undoing, two environments at a time, and says what became of
each. `--seconds` ends it with what it has by then.

A moment is drawn within what the program says it is doing, not within its whole duration: most of a
fix is reading and starting pip, and the files change within a second.
"""

from __future__ import annotations

import argparse
import collections
import concurrent.futures
import random
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from windows.bench import Bench, template
from windows.machine import Run, Wine, why_not

_UNCHANGED = (b"nothing to undo", b"nothing was changed")
_LEAVING_SECONDS = 20.0
_WINE_S_OWN = ("conhost", "services", "svchost", "plugplay", "rpcss", "winedevice", "explorer")
_UNDO = ("fix", "--undo")
_FIX_STAGES = {
    "keeping the installed files": 1,
    "Looking in indexes": 1,
    "Installing collected packages": 4,
    "Uninstalling": 8,
    "Successfully installed": 2,
    "verifying": 3,
}
"""What a fix says, in its order, and how often a kill is to strike between it and the next."""
_UNDO_STAGES = {"waiting until nothing writes": 1}
_KILLS_OF_ONE_UNDO = 3
_ENDS_BEFORE = 1.05
"""Of a stage's duration; a little more than 1, so that some runs end before their kill."""
_ENOUGH = 5
"""Things that did not hold; after so many nothing more is learned."""
Tally = collections.Counter[str]


class Kills:
    """Kills of one environment's fixes; each leaves it as it was at first."""

    def __init__(self, bench: Bench, index: str, chance: random.Random) -> None:
        self.bench, self.index, self.chance = bench, index, chance
        self.seen: Tally = collections.Counter()
        self._fixing = self._stages(self.bench.command(index), _FIX_STAGES)
        self.after = bench.state()
        self._undoing = self._stages(_UNDO, _UNDO_STAGES)
        assert bench.state() == bench.before

    def fix(self) -> None:
        """Kill a fix; whatever it had done, undoing brings back what was."""
        done = self._killed(self.bench.command(self.index), self._fixing)
        struck = self._struck()
        if struck == "in the middle":
            assert "unfinished-fix" in self.bench.findings(), "a cut off fix was not told"
        self._put_back(changed=struck != "unchanged")
        self.seen[f"fix {_end(done)}, {struck}"] += 1

    def undo(self) -> None:
        """Kill the undoing of a finished fix, up to three times; the last one brings back all."""
        assert self.bench.fix(self.index).code == 0
        assert self.bench.state() == self.after
        for _ in range(_KILLS_OF_ONE_UNDO):
            done = self._killed(_UNDO, self._undoing)
            struck = self._struck()
            self.seen[f"undo {_end(done)}, {struck}"] += 1
            if not done.killed:
                break
        self._put_back(changed=struck != "unchanged")

    def _stages(self, command: Sequence[str], stages: dict[str, int]) -> list[tuple[str, float]]:
        """Run it whole; what it says, and how long the stage lasts that begins there."""
        done = self.bench.run(*command, marks=tuple(stages))
        assert done.code == 0, done
        missing = [each for each in stages if each not in done.seen]
        assert not missing, f"it did not say {missing}"
        ends = [*list(done.seen.values())[1:]]
        durations = [end - begin for begin, end in zip(done.seen.values(), ends, strict=False)]
        return [
            (stage, duration)
            for (stage, often), duration in zip(stages.items(), durations, strict=True)
            for _ in range(often)
        ]

    def _killed(self, command: tuple[str, ...], stages: list[tuple[str, float]]) -> Run:
        before = self.bench.wine.processes()
        stage, duration = self.chance.choice(stages)
        moment = self.chance.uniform(0, _ENDS_BEFORE) * duration
        done = self.bench.run(*command, kill_mark=stage, kill_after=moment)
        self._nothing_runs_on(before)
        return done

    def _struck(self) -> str:
        now = self.bench.state()
        if now == self.bench.before:
            return "unchanged"
        return "all changed" if now == self.after else "in the middle"

    def _nothing_runs_on(self, before: dict[str, str]) -> None:
        """All processes that the killed one started are gone, by their ids."""
        end = time.monotonic() + _LEAVING_SECONDS
        while left := {
            pid: name
            for pid, name in self.bench.wine.processes().items()
            if pid not in before and not name.lower().startswith(_WINE_S_OWN)
        }:
            assert time.monotonic() < end, f"they run on: {left}"
            time.sleep(0.1)

    def _put_back(self, *, changed: bool) -> None:
        undone = self.bench.run(*_UNDO)
        assert undone.code == 0, undone
        if any(text in undone.stdout.lower() for text in _UNCHANGED):
            assert not changed, f"it was changed, and is said not to be: {undone}"
        assert self.bench.state() == self.bench.before, "not as it was"


def _end(run: Run) -> str:
    return "killed" if run.killed else f"ended with {run.code}"


def work(count: int, seed: int, end: float) -> tuple[Tally, list[str]]:
    """Kill `count` times or until `end` (`time.time()`); the tally, and what did not hold."""
    chance, seen, wrong = random.Random(seed), collections.Counter[str](), list[str]()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        wine = Wine(Path(name))
        try:
            shared = template(wine, Path(name))
            while seen.total() < count and time.time() < end and len(wrong) < _ENOUGH:
                # A new environment at first, and after one in which something did not hold.
                folder = Path(tempfile.mkdtemp(dir=name))
                tried = _kill_one(Bench(wine, folder, shared), chance, count - seen.total(), end)
                seen += tried[0]
                wrong += tried[1]
        finally:
            wine.close()
    return seen, wrong


def _kill_one(
    bench: Bench, chance: random.Random, count: int, end: float
) -> tuple[Tally, list[str]]:
    try:
        kills = Kills(bench, bench.index(), chance)
    except AssertionError as error:
        return collections.Counter(), [f"{bench.folder}: {error}"]
    turns: list[Callable[[], None]] = [kills.fix] * _KILLS_OF_ONE_UNDO + [kills.undo]
    number = 0
    while kills.seen.total() < count and time.time() < end:
        try:
            turns[number % len(turns)]()
        except AssertionError as error:
            return kills.seen, [f"{bench.folder}: {error}"]
        number += 1
        print(f"{kills.seen.total()} of {count} {dict(kills.seen)}", flush=True)
    return kills.seen, []


def main() -> int:
    """Read the command line, kill, and say what came of it; 1 where something did not hold."""
    parser = argparse.ArgumentParser(prog="python -m windows.kills", description=__doc__)
    parser.add_argument("count", type=int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--at-a-time", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=3600.0, help="end with what is done then")
    options = parser.parse_args()
    if reason := why_not():
        parser.error(reason)
    end, each = time.time() + options.seconds, -(-options.count // options.at_a_time)
    seen, wrong = collections.Counter[str](), list[str]()
    with concurrent.futures.ProcessPoolExecutor(options.at_a_time) as pool:
        jobs = [pool.submit(work, each, options.seed + n, end) for n in range(options.at_a_time)]
        for job in jobs:
            tally, said = job.result()
            seen += tally
            wrong += said
    for what, often in sorted(seen.items()):
        print(f"{often:4} {what}")
    inside = sum(often for what, often in seen.items() if "killed" in what and "middle" in what)
    killed = sum(often for what, often in seen.items() if "killed" in what)
    print(f"{seen.total()} runs, {killed} killed, {inside} of them while files were changing")
    print("\n".join(wrong) if wrong else "nothing lost, nothing left running, nothing untrue said")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
