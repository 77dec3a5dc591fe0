"""A fix is a transaction: lock, journal, snapshot, apply, verify, or back to where it was."""
