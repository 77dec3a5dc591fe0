"""A stand-in for CUDA GPUs: put `HERE` on PYTHONPATH of an interpreter with any torch."""

from __future__ import annotations

import os

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "path")
