"""What is printed of a fix: no credential, one line for one fix, commands for this shell."""

from __future__ import annotations

import os

import pytest

from gpudoctor.cli.commands import fix_kept
from gpudoctor.fix import words
from gpudoctor.fix.installing.scrub import scrub, secrets_of
from gpudoctor.fix.kept import KeptFix
from gpudoctor.prescribe.commands import mirror

OFFICIAL = "https://download.pytorch.org/whl/cu128"


@pytest.mark.parametrize(
    "url",
    ["https://u:s3cret@host/whl", "https://host/whl?token=s3cret", "https://host/whl?a=1&k=s3cret"],
)
def test_a_credential_in_a_mirrors_url_is_shown_nowhere(url):
    index = mirror.index_for(OFFICIAL, url)
    assert index.shown == "https://host/whl/cu128"
    assert index.options == ()
    (value,) = mirror.index_environment("pip", OFFICIAL, url).values()
    assert "s3cret" in value
    assert "/whl/cu128" in value
    assert "s3cret" not in scrub(f"Looking in indexes: {value}")
    assert "s3cret" not in scrub("the password s3cret was refused", secrets_of(url))


def test_a_path_with_a_newline_is_one_line_of_the_list():
    entry = KeptFix(
        id="0001", prefix="/a\nb", state="committed", date="", packages="torch", folder="/s"
    )
    assert fix_kept._line(entry).count("\n") == 0


@pytest.mark.skipif(os.name == "nt", reason="POSIX words")
def test_the_command_that_undoes_can_be_typed():
    assert words.undo_command("/a b") == "gpudoctor fix --undo --python '/a b'"


def test_on_windows_the_way_out_is_one_of_windows(monkeypatch):
    monkeypatch.setattr(words.os, "name", "nt")
    copy = words._copy_command("C:\\kept files", "C:\\venv")
    assert copy == 'robocopy "C:\\kept files" C:\\venv /E /COPY:DAT'
