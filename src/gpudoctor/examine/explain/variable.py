"""What is said of an environment variable that changes the outcome."""

from __future__ import annotations

from gpudoctor.examine.explain.page import Explanation
from gpudoctor.kb import environment_variables as environment


def of_variable(text: str) -> Explanation | None:
    """The page about `PYTORCH_CUDA_ALLOC_CONF`, with or without a value; `None`: not known."""
    name = text.partition("=")[0].lstrip("$%").rstrip("%").upper()
    row = next((item for item in environment.variables() if item.name == name), None)
    if row is None:
        return None
    body = f"An environment variable: {row.why}."
    seen = "`gpudoctor check` reads it and says so where its value does harm."
    return Explanation(kind="variable", subject=name, markdown=f"# {name}\n\n{body}\n\n{seen}\n")
