"""Paths of Windows beyond its old limit."""

from __future__ import annotations

import os

import pytest

from gpudoctor.collect.long_paths import (
    below,
    extended,
    ordinary,
    ordinary_text,
    readable,
    true_path,
)

DRIVE = "C:\\venv\\Lib"
SHARE = "\\\\server\\share\\venv"


@pytest.mark.parametrize(
    ("path", "whole"),
    [(DRIVE, "\\\\?\\C:\\venv\\Lib"), (SHARE, "\\\\?\\UNC\\server\\share\\venv")],
)
@pytest.mark.skipif(os.name != "nt", reason="elsewhere a path has no such form")
def test_a_path_gets_its_prefix_and_loses_it_again(path: str, whole: str) -> None:
    assert extended(path) == whole
    assert extended(whole) == whole
    assert ordinary(whole) == path
    assert ordinary(path) == path


def test_elsewhere_and_where_it_is_short_a_path_stays_as_it_is() -> None:
    assert readable("/home/x/.venv") == "/home/x/.venv"
    assert readable("") == ""
    assert readable(DRIVE) == DRIVE


def test_a_sentence_names_paths_as_people_write_them() -> None:
    said = "\\\\?\\C:\\venv and \\\\?\\UNC\\server\\share\\venv are read-only"
    assert ordinary_text(said) == "C:\\venv and \\\\server\\share\\venv are read-only"


def test_what_a_record_names_lies_below_its_folder() -> None:
    assert below("site", "torch/version.py") == os.path.join("site", "torch", "version.py")


@pytest.mark.skipif(os.name != "nt", reason="elsewhere the path is asked of the system alone")
def test_where_windows_cannot_say_the_true_path_it_is_the_given_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(path: str) -> str:
        raise OSError(1005, "The volume does not contain a recognized file system", path)

    monkeypatch.setattr(os.path, "realpath", refuse)
    assert true_path("C:\\venv") == "C:\\venv"
