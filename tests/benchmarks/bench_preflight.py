"""How long `plan --requirements uv.lock` takes for a project of 500 packages, as a process.

    python tests/benchmarks/bench_preflight.py

prints the median beside that of bare Python and of `plan` without a file, in one run.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

INDEX = "https://download.pytorch.org/whl/cu128"
HEAD = (
    'version = 1\nrevision = 3\nrequires-python = ">=3.12"\n\n[[package]]\nname = "demo"\n'
    'version = "0"\nsource = { virtual = "." }\ndependencies = [\n'
)


def lock(packages: int) -> str:
    """A lock of that many packages; each tenth leads to torch."""
    names = [f"pkg-{number}" for number in range(packages)]
    text = HEAD + "".join(f'    {{ name = "{name}" }},\n' for name in names) + "]\n"
    for number, name in enumerate(names):
        url = f"https://files.pythonhosted.org/packages/{number:064x}/{name}-1.0"
        wheels = "".join(
            f'    {{ url = "{url}-cp312-cp312-manylinux_2_17_x86_64.{n}.whl", '
            f'hash = "sha256:{number:064x}", size = 1 }},\n'
            for n in range(8)
        )
        needs = 'dependencies = [\n    { name = "torch" },\n]\n' if number % 10 == 0 else ""
        text += (
            f'\n[[package]]\nname = "{name}"\nversion = "1.0"\n'
            f'source = {{ registry = "https://pypi.org/simple" }}\n{needs}wheels = [\n{wheels}]\n'
        )
    wheel = "torch-2.9.1%2Bcu128-cp312-cp312-manylinux_2_28_x86_64.whl"
    return text + (
        '\n[[package]]\nname = "torch"\nversion = "2.9.1+cu128"\n'
        f'source = {{ registry = "{INDEX}" }}\n'
        f'wheels = [\n    {{ url = "{INDEX}/{wheel}" }},\n]\n'
    )


def median_ms(argv: list[str], rounds: int = 9) -> float:
    """The median time of a process."""
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        subprocess.run(argv, check=False, stdout=subprocess.DEVNULL)
        times.append((time.perf_counter() - started) * 1e3)
    return statistics.median(times)


def main() -> None:
    plan = [sys.executable, "-m", "gpudoctor", "plan", "--gpu", "4090", "--driver", "580.95.05",
            "--os", "linux", "--arch", "x86_64", "--python", "3.12"]  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "uv.lock"
        file.write_text(lock(500))
        size = file.stat().st_size
        rows = {
            "bare Python": [sys.executable, "-c", "pass"],
            "plan": plan,
            f"plan --requirements uv.lock ({size // 1000} kB)": [
                *plan, "--requirements", str(file),
            ],
        }  # fmt: skip
        for name, argv in rows.items():
            print(f"{median_ms(argv):7.0f} ms  {name}")


if __name__ == "__main__":
    main()
