"""Reads compiled tables, each once, when it is first asked for."""

from __future__ import annotations

import json
import os
from functools import cache
from typing import Any

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "data")


@cache
def load(table: str) -> Any:
    """The table `table` as it lies in `data/<table>.json`.

    The result is shared: readers must not change it.
    """
    # By the loader of this module, which also reads inside an archive (gpudoctor.pyz).
    loader: Any = __spec__.loader
    return json.loads(loader.get_data(os.path.join(FOLDER, f"{table}.json")))
