"""The knowledge base: typed rows and pure lookups over the tables of `configs/`.

The tables are written as YAML in `configs/`, each row with its source and date, and compiled
to JSON in `data/` by `python -m gpudoctor.kb.compile`. A table is read when it is first asked.
"""
