"""Well-formed binaries of every kind, mutated at random for as long as one likes.

    python tests/property/mutate_binaries.py [SEED [SECONDS]]

Needs nothing but the project, unlike `fuzz_binaries.py`, and knows nothing of coverage. Anything
but a result or `UnreadableBinaryError` is a finding, which is written to a file beside; the slowest
input is named, by processor time.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from gpudoctor.binaries import UnreadableBinaryError
from property.test_binaries_mutated import EDGES, ELF, PE, VENDORS, WHEEL, read_bytes, read_wheel

KINDS = [
    (read_bytes, ELF),
    (read_bytes, PE),
    (read_wheel, WHEEL),
    *((read_bytes, data) for data in VENDORS),
]


def mutated(data: bytes, chance: random.Random) -> bytes:
    """A copy with one to six changes: a field that claims anything, bits, bytes moved or lost."""
    copy = bytearray(data)
    for _ in range(chance.randint(1, 6)):
        kind, at = chance.random(), chance.randrange(len(copy))
        if kind < 0.5:
            width = chance.choice([1, 2, 4, 8])
            claim = chance.choice([*EDGES, chance.getrandbits(64)]) % (1 << 8 * width)
            copy[at : at + width] = claim.to_bytes(width, "little")
        elif kind < 0.7:
            copy[at] ^= 1 << chance.randrange(8)
        elif kind < 0.85:
            source, length = chance.randrange(len(copy)), chance.randint(1, 64)
            copy[at : at + length] = copy[source : source + length]
        else:
            del copy[at : at + chance.randint(1, 200)]
        copy = copy or bytearray(1)
    return bytes(copy)


def main() -> int:
    """Mutate until the time is over; 1 at the first finding."""
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 60.0
    chance = random.Random(seed)
    end, count, slowest = time.monotonic() + seconds, 0, 0.0
    while time.monotonic() < end:
        reader, data = chance.choice(KINDS)
        tried = mutated(data, chance)
        started = time.process_time()
        try:
            reader(tried)
        except UnreadableBinaryError:
            pass
        except Exception:
            with tempfile.NamedTemporaryFile(prefix="mutated-", delete=False) as file:
                file.write(tried)
            traceback.print_exc()
            print(f"{count} inputs; found: {file.name}")
            return 1
        slowest = max(slowest, time.process_time() - started)
        count += 1
    print(f"{count} inputs, the slowest in {slowest * 1e3:.0f} ms; no finding")
    return 0


if __name__ == "__main__":
    sys.exit(main())
