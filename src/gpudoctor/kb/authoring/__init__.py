"""The knowledge base as people write it: YAML, checked against the schema of its tables."""
