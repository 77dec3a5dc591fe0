"""What keeping an environment safe costs: seconds and bytes.

    python tests/benchmarks/bench_snapshot.py PATH/TO/ENVIRONMENT
    python tests/benchmarks/bench_snapshot.py --files 30000

The snapshot is made beside the environment, measured, used to restore a third of it, and removed.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time

from gpudoctor.fix import transaction
from gpudoctor.fix.environment import parts
from gpudoctor.fix.keeping import snapshot, vault


def main() -> None:
    with tempfile.TemporaryDirectory(dir=os.getcwd()) as scratch:
        if sys.argv[1] == "--files":
            prefix = os.path.join(scratch, "venv")
            make(prefix, int(sys.argv[2]))
            measure(prefix, restore=True)
        else:
            measure(os.path.realpath(sys.argv[1]), restore=False)


def make(prefix: str, count: int) -> None:
    """An environment of many small files, laid out like the real ones."""
    site = os.path.join(prefix, "lib", "python3.11", "site-packages")
    for number in range(count):
        folder = os.path.join(site, f"package{number // 150}", f"module{number // 15 % 10}")
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, f"m{number}.py"), "wb") as file:
            file.write(b"x = 1\n" * 200)
    with open(os.path.join(prefix, "pyvenv.cfg"), "w") as file:
        file.write("home = /usr/bin\n")


def measure(prefix: str, *, restore: bool) -> None:
    with tempfile.TemporaryDirectory(dir=os.path.dirname(prefix)) as folder:
        used = shutil.disk_usage(folder).used
        started = time.perf_counter()
        environment = parts.describe(prefix)
        described = time.perf_counter() - started
        vaults = tuple(vault.plan(p, folder, n) for n, p in enumerate(environment.parts))
        kept = snapshot.take(environment, vaults)
        seconds = time.perf_counter() - started
        grown = (shutil.disk_usage(folder).used - used) / 1e6
        entries = [entry for part in environment.parts for entry in part.tree.values()]
        total = sum(entry.size for entry in entries) / 1e6
        copied = sum(map(len, kept.sums))
        print(f"{len(entries)} files and folders, {total:.0f} MB, {copied} of them copied")
        print(f"snapshot: {seconds:.2f} s ({described:.2f} s to describe), {grown:.0f} MB of disk")
        started = time.perf_counter()
        differing = sum(map(len, parts.differences(environment).values()))
        print(f"comparing: {time.perf_counter() - started:.2f} s, {differing} differences")
        if restore:
            site = os.path.join(prefix, "lib", "python3.11", "site-packages")
            for name in sorted(os.listdir(site))[::3]:
                shutil.rmtree(os.path.join(site, name))
            started = time.perf_counter()
            done = transaction.put_back(kept, ())
            seconds = time.perf_counter() - started
            print(f"restoring: {seconds:.2f} s, {len(done.paths)} put back, {done.failed[:1]}")
        started = time.perf_counter()
        for each in vaults:
            vault.remove(each)
        print(f"removing what was kept: {time.perf_counter() - started:.2f} s")


if __name__ == "__main__":
    main()
