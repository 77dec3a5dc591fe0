"""What a start from gpudoctor.pyz costs beside the same program in a folder, for each Python.

    python tests/benchmarks/bench_one_file.py dist/gpudoctor.pyz [PYTHON…]

Milliseconds of processor time, the children that ask the driver included, best of ten; a machine
that is busy with other things changes them little. In the folder all is compiled beforehand.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import zipfile

FROM_FOLDER = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); import gpudoctor.cli.main as m; m.main()"
)


def cost(*command: str) -> float:
    """Milliseconds of processor time, the least of ten runs."""
    least = 1e9
    for _ in range(10):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, env={"PATH": "/usr/bin:/bin"}, cwd="/", capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        least = min(least, spent * 1e3)
    return least


def main(archive: str, pythons: list[str]) -> None:
    """Print a line for each Python."""
    archive = os.path.abspath(archive)
    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(archive) as whole:
            whole.extractall(folder)
        for python in pythons or [sys.executable]:
            subprocess.run([python, "-m", "compileall", "-q", folder], capture_output=True)
            bare = cost(python, "-I", "-S", "-c", "pass")
            check = cost(python, "-I", "-S", "-c", FROM_FOLDER, folder, "check", "--smoke", "off")
            version_here = cost(python, "-I", "-S", archive, "--version")
            check_here = cost(python, "-I", "-S", archive, "check", "--smoke", "off")
            print(
                f"{python}: bare {bare:.0f}; --version +{version_here - bare:.0f}; "
                f"check from a folder {check:.0f}, from the file +{check_here - check:.0f}",
                flush=True,
            )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
