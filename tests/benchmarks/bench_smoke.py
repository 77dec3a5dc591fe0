"""What `smoke` costs over what nobody can avoid: importing torch and waking the device.

    python tests/benchmarks/bench_smoke.py [--python PATH] [--runs N]

Both are timed in one run, in turns, each in a fresh process; the answer is a ratio.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time

BARE = (
    "import torch\n"
    "device = 'cuda' if torch.cuda.is_available() else 'cpu'\n"
    "torch.zeros(1, device=device).cpu()\n"
    "print(device)\n"
)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--python", default=sys.executable, help="an interpreter with torch")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    device = subprocess.run(
        [options.python, "-c", BARE], capture_output=True, text=True, check=True
    ).stdout.strip()
    smoke = [sys.executable, "-m", "gpudoctor", "smoke", "--python", options.python, "--json"]
    if device == "cpu":
        smoke += ["--device", "cpu"]
    bare, whole = [], []
    for _ in range(options.runs):
        bare.append(seconds([options.python, "-c", BARE]))
        whole.append(seconds(smoke))
    base, total = statistics.median(bare), statistics.median(whole)
    print(f"device {device}, median of {options.runs}")
    print(f"import torch and wake the device  {base:7.2f} s  ({min(bare):.2f} to {max(bare):.2f})")
    print(
        f"gpudoctor smoke, quick            {total:7.2f} s  ({min(whole):.2f} to {max(whole):.2f})"
    )
    print(f"ratio                             {total / base:7.2f}")


def seconds(argv: list[str]) -> float:
    start = time.monotonic()
    done = subprocess.run(argv, capture_output=True, env=dict(os.environ), check=False)
    if done.returncode != 0:
        raise SystemExit(done.stderr.decode(errors="replace")[-2000:])
    return time.monotonic() - start


if __name__ == "__main__":
    main()
