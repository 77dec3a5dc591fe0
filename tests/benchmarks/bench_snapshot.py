"""What keeping an environment safe costs: seconds and bytes, for a folder that you name.

    python tests/benchmarks/bench_snapshot.py PATH/TO/ENVIRONMENT

The snapshot is made beside the environment, measured, and removed.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time

from gpudoctor.fix import snapshot, tree


def main() -> None:
    prefix = os.path.realpath(sys.argv[1])
    with tempfile.TemporaryDirectory(dir=os.path.dirname(prefix)) as folder:
        used = shutil.disk_usage(folder).used
        started = time.perf_counter()
        kept = snapshot.take(prefix, folder)
        seconds = time.perf_counter() - started
        grown = (shutil.disk_usage(folder).used - used) / 1e6
        total = sum(entry.size for entry in kept.tree.values()) / 1e6
        print(f"{len(kept.tree)} files and folders, {total:.0f} MB, kept by {kept.method}")
        print(f"{seconds:.2f} s and {grown:.0f} MB of disk")
        started = time.perf_counter()
        changed = tree.changed(kept.tree, tree.scan(prefix))
        print(f"comparing: {time.perf_counter() - started:.2f} s, {len(changed)} differences")


if __name__ == "__main__":
    main()
