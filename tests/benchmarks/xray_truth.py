"""Hold the X-ray against NVIDIA's disassembler on large wheels; prints one line a wheel.

    python tests/benchmarks/xray_truth.py [NAME ...]

Each wheel is fetched with pip, compared library by library, and deleted again.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from xray.truth import LARGE, SMALL, compare, cuobjdump, fetch


def main() -> int:
    """Compare those wheels whose name contains one of the arguments, or all."""
    wanted = sys.argv[1:]
    differing = 0
    with tempfile.TemporaryDirectory(prefix="xray-truth-") as folder:
        scratch = Path(folder)
        program = cuobjdump(scratch / "cuobjdump")
        for wheel in (*SMALL, *LARGE):
            if wanted and not any(word in wheel.name for word in wanted):
                continue
            result = compare(fetch(wheel, scratch / "wheels"), program, scratch)
            shutil.rmtree(scratch / "wheels")
            differing += bool(result.differences)
            print(
                f"{wheel.name}: {result.libraries} libraries, {result.images} images,",
                f"{len(result.differences)} libraries differ;",
                f"NVIDIA's program gave up on {result.gave_up}",
                flush=True,
            )
            for each in result.differences:
                print(
                    f"    {each.path}\n      ours   {each.ours}\n      theirs {each.theirs}",
                    flush=True,
                )
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
