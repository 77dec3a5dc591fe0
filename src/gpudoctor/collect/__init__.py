"""Everything that touches the machine: one collector a source, each guarded and limited in time."""
