"""The tools that can change an environment, by the names that `--tool` takes."""

from __future__ import annotations

from typing import Literal

Tool = Literal["pip", "uv", "conda", "pixi", "poetry", "pipenv", "pdm"]
TOOLS: tuple[str, ...] = ("auto", "pip", "uv", "conda", "pixi", "poetry")
