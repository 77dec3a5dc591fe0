"""Versions, labels and specifiers, held to what `packaging` says of them."""

from __future__ import annotations

import pytest
from packaging.specifiers import SpecifierSet

from gpudoctor.model.terms.version import numbers, satisfies, split_label

VERSIONS = ("2.6.0", "2.6.1", "2.9", "2.14.0", "2.14.1", "2.15.0", "3.0", "2.10.0+cu128")
SPECIFIERS = (
    *(f"{operator}{limit}" for operator in ("==", "!=", ">=", "<=", "<", ">", "~=")
      for limit in ("2.6.0", "2.14.0", "2.14", "2.10.0")),
    *("==2.14.*", "!=2.6.*", ">=2.6,<2.15", ">=2.14.0,!=2.14.1", "==2.10.0+cu128", "==2.10.0+cpu"),
)  # fmt: skip


@pytest.mark.parametrize("specifier", SPECIFIERS)
@pytest.mark.parametrize("version", VERSIONS)
def test_a_specifier_means_what_packaging_says(version: str, specifier: str) -> None:
    wanted = SpecifierSet(specifier)
    public = version.partition("+")[0]
    said = wanted.contains(version) or ("+" not in specifier and wanted.contains(public))
    assert satisfies(version, specifier) is said


def test_a_nightly_counts_as_its_release() -> None:
    assert satisfies("2.16.0.dev20261101+cu132", ">=2.14.0") is True
    assert satisfies("2.16.0.dev20261101", "==2.16.0.dev20261101") is True
    assert satisfies("2.16.0.dev20261102", "==2.16.0.dev20261101") is False


def test_what_cannot_be_read_is_not_judged() -> None:
    assert satisfies("2.9.1", ">=oddity") is None
    assert satisfies("2.9.1", "torch") is None
    assert satisfies("2.9.1", "") is True


def test_numbers_end_where_words_begin() -> None:
    assert numbers("570.172.08") == (570, 172, 8)
    assert numbers("2.9.1rc2") == (2, 9, 1)
    assert numbers("2.10.0+cu128") == (2, 10, 0)
    assert numbers("x") == numbers("1234567890.1") == ()


def test_a_label_stands_behind_the_plus() -> None:
    assert split_label("2.9.1+cu128") == ("2.9.1", "cu128")
    assert split_label("2.9.1") == ("2.9.1", "")
