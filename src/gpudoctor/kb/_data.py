"""Reads compiled tables, each once, when it is first asked for."""

from __future__ import annotations

import json
import os
from functools import cache
from typing import Any

from gpudoctor.model.version import numbers as numbers

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "data")


@cache
def load(table: str) -> Any:
    """The table `table` as it lies in `data/<table>.json`.

    The result is shared: readers must not change it.
    """
    with open(os.path.join(FOLDER, f"{table}.json"), encoding="utf-8") as file:
        return json.load(file)
