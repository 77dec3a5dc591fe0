"""The knowledge base: typed rows and pure lookups over the tables of `configs/`.

The tables are written as YAML in `configs/`, each row with its source and date, and compiled
to JSON in `data/` by `python -m gpudoctor.kb.compile`. A table is read when it is first asked.

Rows are named tuples rather than dataclasses, as elsewhere: their classes are made at every
start, and there are hundreds of rows; a frozen dataclass takes several times as long for both.
"""
