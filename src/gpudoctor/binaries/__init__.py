"""Which machine code is in a file, and which GPUs run it: ELF, PE, fatbin, wheels, folders.

Read from headers alone: nothing is imported, executed, or decompressed on disk.
"""
