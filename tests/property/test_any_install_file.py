"""Whatever lies in an install file: it is read, refused with a sentence, or left open."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpudoctor.errors import UsageError
from gpudoctor.manifests.formats import sources
from gpudoctor.manifests.project import installations
from gpudoctor.manifests.scene import Scene
from gpudoctor.manifests.source_files import SourceFile

LOCKS = Path(__file__).parents[1] / "unit" / "manifests" / "locks"
REAL = {
    path.name: path.read_text() for path in sorted(LOCKS.rglob("*")) if path.is_file()
} | {
    "Dockerfile": "FROM python:3.12 AS a\nARG X=1\nENV A=b C='d'\nRUN pip install torch==2.9.1 \\\n"
    " -i https://x/cu126 && uv sync\nFROM a\nCOPY --from=a /opt/venv /opt/venv\n",
    "environment.yml": "channels: [pytorch]\ndependencies:\n- pytorch=2.4\n- pip:\n  - torch\n",
    "compose.yaml": "services:\n  a:\n    build: .\n    gpus: all\n",
    "pixi.toml": '[workspace]\nplatforms = ["linux-64"]\n[dependencies]\npytorch = "2.9"\n',
    "setup.cfg": "[options]\ninstall_requires =\n  torch>=2\n",
}  # fmt: skip
PIECES = [*"'\"[]{}=,;:-#\n \\$(<@*~^|&!0", "torch", "\n- ", "null", "[[package]]\n"]
SCENE = Scene("linux_x86_64", "3.12")


def read(name, text):
    try:
        installations(sources([SourceFile(name, text, {})]), SCENE)
    except UsageError:
        pass


@pytest.mark.parametrize("name", REAL)
@settings(max_examples=40, deadline=None)
@given(st.data())
def test_a_damaged_file_is_read_or_refused(name, data):
    text = REAL[name]
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(text)))
        gone = data.draw(st.sampled_from([0, 1, 3, 20]))
        text = text[:place] + data.draw(st.sampled_from(PIECES)) + text[place + gone :]
    read(name, text)


@pytest.mark.parametrize("name", REAL)
@settings(max_examples=20, deadline=None)
@given(st.text(max_size=120))
def test_any_text_is_read_or_refused(name, text):
    read(name, text)
