"""Which machine code is in a file, and which GPUs run it: ELF, PE, fatbin, wheels, folders.

Read from headers alone: nothing is imported, executed, or decompressed on disk.
"""

from gpudoctor.binaries.judgement.coverage import Coverage, coverage
from gpudoctor.binaries.library import read_library
from gpudoctor.binaries.source import UnreadableBinaryError

__all__ = ["Coverage", "UnreadableBinaryError", "coverage", "read_library"]
