"""Formats of binaries: ELF, PE, Mach-O, and what their readers have in common."""
