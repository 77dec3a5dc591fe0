"""Well-formed files of every kind, mutated at random: so many inputs for each reader.

    python tests/property/mutate_readers.py [COUNT [SEED [KIND…]]]

Needs nothing but the project, unlike `fuzz_binaries.py`, and knows no coverage. A finding is
an exception that a reader does not document; its input is written to a file. The slowest input is
named, by processor time. The kinds are those of `readers.py`, all if none is given, in turns, so
that an interrupted run has tried each as often as the others.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from property.readers import READERS

# What a header must not say: sizes at the edges of every width.
EDGES = [0, 1, 2**15, 2**16 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**63, 2**64 - 1]
_WIDTHS = (1, 2, 4, 8)
_TURN = 1000
_SAID = 50_000


def mutated(data: bytes, chance: random.Random) -> bytes:
    """A copy with one to six changes: a field that claims anything, bits, bytes moved or lost."""
    copy, some = bytearray(data), chance.random
    for _ in range(1 + int(some() * 6)):
        kind, at = some(), int(some() * len(copy))
        if kind < 0.5:
            width = _WIDTHS[int(some() * 4)]
            edge = int(some() * (len(EDGES) + 1))
            claim = EDGES[edge] if edge < len(EDGES) else chance.getrandbits(64)
            copy[at : at + width] = (claim % (1 << 8 * width)).to_bytes(width, "little")
        elif kind < 0.7:
            copy[at] ^= 1 << int(some() * 8)
        elif kind < 0.85:
            source, length = int(some() * len(copy)), 1 + int(some() * 64)
            copy[at : at + length] = copy[source : source + length]
        else:
            del copy[at : at + 1 + int(some() * 200)]
        copy = copy or bytearray(1)
    return bytes(copy)


def main() -> int:
    """Mutate until each reader has had its inputs; 1 if there was a finding."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    chance = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    kinds = sys.argv[3:] or list(READERS)
    slowest, findings = (0.0, ""), 0
    for done in range(0, count, _TURN):
        if done and done % _SAID == 0:
            print(
                f"{done} inputs for each of {len(kinds)} readers, {findings} findings", flush=True
            )
        for kind in kinds:
            reader, data = READERS[kind]
            for _ in range(min(_TURN, count - done)):
                tried = mutated(data, chance)
                started = time.process_time()
                try:
                    reader(tried)
                except Exception:
                    findings += 1
                    _show(kind, tried)
                slowest = max(slowest, (time.process_time() - started, kind))
    print(f"{count} inputs for each of {len(kinds)} readers: {', '.join(kinds)}")
    print(f"the slowest in {slowest[0] * 1e3:.0f} ms ({slowest[1]}); {findings} findings")
    return 1 if findings else 0


def _show(kind: str, tried: bytes) -> None:
    with tempfile.NamedTemporaryFile(prefix=f"mutated-{kind}-", delete=False) as file:
        file.write(tried)
    traceback.print_exc()
    print(f"a finding for {kind}: {file.name}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
