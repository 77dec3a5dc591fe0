"""Fixes, restorations and undos in which several calls fail or the process dies, by chance.

    python tests/property/faults_at_random.py --seconds 600 [--seed 7]

Each round makes one of the shapes of environments and lets faults come at random calls of a
fix and of up to four undos after it; a last undo without faults must bring the environment back.
What people's programs wrote must never be touched. A round that fails is printed with its seed.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from gpudoctor.collect.python import fix_journal
from gpudoctor.errors import GpuDoctorError
from gpudoctor.fix import transaction, undo
from gpudoctor.fix.transaction import Work
from lab import faults, tiny


class Patch:
    """What pytest's `monkeypatch` does, for the life of this process."""

    def setattr(self, target: object, name: str, value: object, raising: bool = True) -> None:
        del raising
        setattr(target, name, value)


def round_(seed: int, disk: faults.Disk, folder: Path) -> str | None:
    """What went wrong in a round; `None` if nothing did."""
    chance = random.Random(seed)
    shape = chance.choice(tiny.SHAPES)
    (folder / "place").mkdir(parents=True)
    (folder / "temporary").mkdir()
    tempfile.tempdir = str(folder / "temporary")
    environ = {"GPUDOCTOR_STATE": str(folder / "state")}
    made = shape(folder / "place", folder / "other")
    before = made.state()
    transaction.run_step = lambda *_arguments: tiny.install(made)
    wrong = chance.choice([None, "no code for sm_120"])
    work = Work(prefix=str(made.prefix), commands=((sys.executable,),))
    home = fix_journal.environment_folder(work.prefix, environ)

    def put_back() -> None:
        undo.undo(work.prefix, environ, lambda line: None, 0.0, set_aside=False)

    def fix() -> None:
        transaction.run(work, home, lambda: wrong, lambda line: None)

    for action in (fix, *[put_back] * chance.randint(0, 4)):
        disk.arm(chance.randrange(500), chance.choice([faults.DEATH, *faults.ERRORS]))
        try:
            action()
        except (faults.Died, GpuDoctorError):
            pass
        finally:
            disk.end_of_process()
    try:
        put_back()
    except GpuDoctorError as error:
        return f"{shape.__name__}: the last undo failed: {error}"
    if made.state() != before:
        return f"{shape.__name__}: it is not as it was"
    if any(path.read_text() not in ("before", "before and after") for path in made.mine):
        return f"{shape.__name__}: somebody's own file was touched"
    left = [p for p in folder.rglob("*") if "gpudoctor-" in p.name or p.name.startswith("kept-")]
    # Two versions of somebody's own file may both stay: one could not be linked, but was copied.
    left = [path for path in left if not (path / "set-aside").is_dir()]
    return f"{shape.__name__}: {left} stays behind" if left else None


def main() -> None:
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("--seconds", type=float, default=60.0)
    reader.add_argument("--seed", type=int, default=0, help="begin with this round")
    reader.add_argument("--one", action="store_true", help="only that round")
    given = reader.parse_args()
    disk = faults.Disk()
    faults.install(Patch(), disk)
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    end = time.monotonic() + given.seconds
    seed, wrong = given.seed, 0
    while time.monotonic() < end:
        folder = Path(tempfile.mkdtemp(dir=memory or "/tmp"))
        found = round_(seed, disk, folder)
        if found:
            wrong += 1
            print(f"--seed {seed}: {found}", flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        seed += 1
        if given.one:
            break
    print(f"{seed - given.seed} rounds, {wrong} of them wrong")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
