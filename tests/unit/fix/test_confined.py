"""Paths that are read back from a disk lead nowhere but below their folder."""

from __future__ import annotations

import os

import pytest

from gpudoctor.fix.environment.confined import Folder, OutsideError, components

OUTSIDE = ["/etc/passwd", "../own", "a/../../own", "a//b", "", ".", "a/./b", "a\0b"]


@pytest.mark.parametrize("path", OUTSIDE)
def test_a_path_that_climbs_is_no_path(path):
    with pytest.raises(OutsideError):
        components(path)


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
@pytest.mark.parametrize("action", ["create", "make_folder", "remove", "open"])
def test_a_link_on_the_way_is_not_entered(tmp_path, action):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "mine").write_text("mine")
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "link").symlink_to(outside)
    with Folder(str(inside)) as folder:
        if action == "remove":
            folder.remove("link/mine")
        else:
            with pytest.raises(OSError, match=r"directory|symbolic"):
                getattr(folder, action)("link/mine" if action == "open" else "link/new")
    assert [p.name for p in outside.iterdir()] == ["mine"]


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_the_folder_itself_may_be_no_link(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(OSError, match=r"directory|symbolic"), Folder(str(tmp_path / "link")):
        pass


def test_names_are_forgotten_when_what_they_name_is_removed(tmp_path):
    with Folder(str(tmp_path)) as folder:
        for text in ("one", "two"):
            folder.make_folder("a/b")
            descriptor = folder.create("a/b/file")
            os.write(descriptor, text.encode())
            os.close(descriptor)
            assert (tmp_path / "a/b/file").read_text() == text
            for path in ("a/b/file", "a/b", "a"):
                folder.remove(path)
        assert list(tmp_path.iterdir()) == []
