"""How long `gpudoctor` takes beside what people run today, in one run.

    python tests/benchmarks/bench_check.py PATH/TO/PYTHON-WITH-TORCH

Prints whole-process medians: bare Python, `--version`, `explain`, `check --smoke off` as text and
as JSON, and `python -m torch.utils.collect_env` of the same environment; then the two ratios that
matter. Wanted: check at least 10 times faster than collect_env and under 150 ms, `--version` within
30 ms of bare Python, and under 100 MB of memory.
"""

from __future__ import annotations

import os
import sys

from timing import measure, table


def main() -> None:
    torch_python = sys.argv[1]
    ours = os.path.join(os.path.dirname(sys.executable), "gpudoctor")
    check = [ours, "check", "--smoke", "off", "--python", torch_python]
    figures = measure(
        {
            "python -c pass": [sys.executable, "-c", "pass"],
            "gpudoctor --version": [ours, "--version"],
            "gpudoctor explain GPU201": [ours, "explain", "GPU201"],
            "gpudoctor check --smoke off": check,
            "gpudoctor check --smoke off --json": [*check, "--json"],
            "torch.utils.collect_env": [torch_python, "-m", "torch.utils.collect_env"],
        },
        runs=int(sys.argv[2]) if len(sys.argv) > 2 else 11,
    )
    print(table(figures, "gpudoctor check --smoke off"))
    bare = figures["python -c pass"].milliseconds
    version = figures["gpudoctor --version"].milliseconds
    checked = figures["gpudoctor check --smoke off"]
    slow = figures["torch.utils.collect_env"].milliseconds
    print(f"\ncheck is {slow / checked.milliseconds:.1f} times as fast as collect_env")
    print(f"--version takes {version - bare:.1f} ms more than bare Python")


if __name__ == "__main__":
    main()
