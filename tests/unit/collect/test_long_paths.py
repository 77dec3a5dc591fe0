"""Paths of Windows beyond its old limit."""

from __future__ import annotations

import pytest

from gpudoctor.collect.system.files import extended, ordinary, readable

DRIVE = "C:\\venv\\Lib"
SHARE = "\\\\server\\share\\venv"


@pytest.mark.parametrize(
    ("path", "whole"),
    [(DRIVE, "\\\\?\\C:\\venv\\Lib"), (SHARE, "\\\\?\\UNC\\server\\share\\venv")],
)
def test_a_path_gets_its_prefix_and_loses_it_again(path: str, whole: str) -> None:
    assert extended(path) == whole
    assert extended(whole) == whole
    assert ordinary(whole) == path
    assert ordinary(path) == path


def test_elsewhere_and_where_it_is_short_a_path_stays_as_it_is() -> None:
    assert readable("/home/x/.venv") == "/home/x/.venv"
    assert readable("") == ""
    assert readable(DRIVE) == DRIVE
