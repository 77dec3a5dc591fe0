"""The commands: one file each, with what it prints and the code that it ends with."""
