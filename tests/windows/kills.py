"""TerminateProcess at random moments of a fix and of its undoing; what must hold afterwards.

    GPUDOCTOR_WINDOWS_PYTHON=… PYTHONPATH=src:tests python -m windows.kills 100

kills a hundred times, half of them in undoing, and prints what became of each.
"""

from __future__ import annotations

import collections
import random
import sys
import tempfile
import time
from pathlib import Path

from windows.bench import Bench, template
from windows.machine import Run, Wine

_UNCHANGED = (b"nothing to undo", b"nothing was changed")
_LEAVING_SECONDS = 5.0
_LONGER, _SHORTER = 1.1, 0.7
"""How the time that a run takes is followed on a machine that others use too: of the runs about
one in four is to end before its kill."""


class Kills:
    """Kills of one environment's fixes; each leaves it as it was at first."""

    def __init__(self, bench: Bench, index: str, chance: random.Random) -> None:
        self.bench, self.index, self.chance = bench, index, chance
        self.seen: collections.Counter[str] = collections.Counter()
        started = time.monotonic()
        assert bench.fix(index).code == 0
        self._fix_seconds = time.monotonic() - started
        self.after = bench.state()
        started = time.monotonic()
        assert bench.run("fix", "--undo").code == 0
        self._undo_seconds = time.monotonic() - started
        assert bench.state() == bench.before

    def fix(self) -> None:
        """Kill a fix; whatever it had done, undoing brings back what was."""
        done = self._killed(self.bench.command(self.index), self._fix_seconds)
        self._fix_seconds *= _LONGER if done.killed else _SHORTER
        now = self.bench.state()
        changed = now != self.bench.before
        if changed and now != self.after:
            assert "unfinished-fix" in self.bench.findings(), "a cut off fix was not told"
        self._undo(changed=changed)
        self.seen[f"fix {_end(done)}, {'changed' if changed else 'unchanged'}"] += 1

    def undo(self) -> None:
        """Kill the undoing of a finished fix; undoing again brings back what was."""
        assert self.bench.fix(self.index).code == 0
        done = self._killed(("fix", "--undo"), self._undo_seconds)
        self._undo_seconds *= _LONGER if done.killed else _SHORTER
        changed = self.bench.state() != self.bench.before
        self._undo(changed=changed)
        self.seen[f"undo {_end(done)}, {'changed' if changed else 'unchanged'}"] += 1

    def _killed(self, command: tuple[str, ...], seconds: float) -> Run:
        before = self.bench.wine.processes()
        moment = self.chance.uniform(0.05, 1.1) * seconds
        done = self.bench.run(*command, kill_after=moment)
        self._nothing_runs_on(before)
        return done

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

    def _undo(self, *, changed: bool) -> None:
        undone = self.bench.run("fix", "--undo")
        assert undone.code == 0, undone
        if any(text in undone.stdout.lower() for text in _UNCHANGED):
            assert not changed, f"it was changed, and is said not to be: {undone}"
        assert self.bench.state() == self.bench.before


_WINE_S_OWN = ("conhost", "services", "svchost", "plugplay", "rpcss", "winedevice", "explorer")


def _end(run: Run) -> str:
    return "killed" if run.killed else f"ended with {run.code}"


def main(count: int, seed: int) -> None:
    """Kill `count` times."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        wine = Wine(folder)
        try:
            bench = Bench(wine, folder, template(wine, folder))
            kills = Kills(bench, bench.index(), random.Random(seed))
            for number in range(count):
                (kills.undo if number % 2 else kills.fix)()
                print(number + 1, dict(kills.seen), flush=True)
        finally:
            wine.close()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0)
