"""Environments that are not ours to change."""

from __future__ import annotations

import os
from types import SimpleNamespace

import pytest

from gpudoctor.fix import permission


@pytest.mark.skipif(os.name == "nt", reason="owners as POSIX has them")
def test_another_users_environment_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(permission.os, "geteuid", lambda: os.stat(tmp_path).st_uid + 1)
    python = SimpleNamespace(
        prefix=str(tmp_path),
        executable=str(tmp_path / "bin/python"),
        externally_managed=False,
        environment="venv",
        conda_base=False,
        site_packages=(),
    )
    sheet = SimpleNamespace(facts=SimpleNamespace(python=python))
    assert "belongs to another user" in permission.why_not(sheet, may_start=True)


def test_asking_whether_a_folder_can_be_written_leaves_nothing(tmp_path):
    assert permission._can_write(str(tmp_path))
    assert list(tmp_path.iterdir()) == []
