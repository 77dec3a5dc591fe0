"""Settings of pip that a Dockerfile leaves in the image: `pip config set`, a pip.conf.

Source: pip documentation, "Configuration"; a variable of the environment counts before a file.
"""

from __future__ import annotations

import configparser
import re

from gpudoctor.manifests.containers.stage import Stage
from gpudoctor.manifests.source_files import SourceFile

_FILE = re.compile(r"(.*/)?(pip\.conf|\.pip/pip\.conf|uv\.toml)\Z")
_KEYS = {
    "index-url": "PIP_INDEX_URL", "extra-index-url": "PIP_EXTRA_INDEX_URL",
    "find-links": "PIP_FIND_LINKS", "constraint": "PIP_CONSTRAINT", "no-binary": "PIP_NO_BINARY",
    "no-index": "PIP_NO_INDEX",
}  # fmt: skip


def is_settings(path: str) -> bool:
    """Whether a path in an image is that of settings of pip or uv."""
    return _FILE.match(path) is not None


def configure(stage: Stage, words: list[str]) -> None:
    """`pip config set global.index-url https://…`."""
    rest = [word for word in words if not word.startswith("--")]
    if rest[:1] == ["set"] and len(rest) > 2:
        _set(stage, rest[1].partition(".")[2], rest[2])


def read_settings(stage: Stage, source: SourceFile | None, path: str) -> None:
    """A pip.conf that is copied into the image."""
    if source is None or path.endswith("uv.toml"):
        unread_settings(stage, path)
        return
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(source.text)
    except configparser.Error:
        unread_settings(stage, path)
        return
    for section in ("install", "global"):
        for key, value in parser.items(section) if parser.has_section(section) else ():
            _set(stage, key, " ".join(value.split()))


def unread_settings(stage: Stage, path: str) -> None:
    """Settings that nobody here can read: what index they name is not known."""
    name = "UV_INDEX_URL" if path.endswith("uv.toml") else "PIP_INDEX_URL"
    stage.variables.setdefault(name, path)


def _set(stage: Stage, key: str, value: str) -> None:
    name = _KEYS.get(key.replace("_", "-"))
    if name is not None:
        stage.variables.setdefault(name, value)
