"""Packages that bring torch themselves, and what they leave of it."""

from __future__ import annotations

import pytest

from gpudoctor.kb.software import dependents, torch_releases
from gpudoctor.model.requirements.specifier import allows
from unit.manifests.installs import CPU, CU128, NEWEST, NEWEST_CPU, outcome, torch


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("accelerate\n", NEWEST),
        ("accelerate==0.30.0\n", NEWEST),
        ("transformers[torch]==4.50.0\n", NEWEST),
        (f"--extra-index-url {CU128}\nlightning\n", NEWEST),
        (f"--extra-index-url {CPU}\nsentence-transformers\n", NEWEST_CPU),
        ("torch==2.9.1\naccelerate\n", "2.9.1 cu128"),
        ("unsloth\n", "2.14.1 cu130"),
        ("whisperx\n", "2.8.0 cu128"),
        ("torch<2.9\nwhisperx==3.8.6\n", "2.8.0 cu128"),
        ("torchtext==0.17.2\n", "2.2.2 cu121"),
    ],
)
def test_the_torch_that_comes_with_them(text: str, said: str) -> None:
    assert torch(text) == said


@pytest.mark.parametrize("text", ["transformers\n", "transformers[sentencepiece]\n", "diffusers\n"])
def test_without_the_extra_no_torch_comes(text: str) -> None:
    assert outcome(text).silent


@pytest.mark.parametrize(
    "text", ["fastai==2.7.12\n", "torch\nfastai==2.7.12\n", "torch==2.9.1\nfastai==2.7.12\n"]
)
def test_an_older_release_whose_torch_is_not_known_leaves_it_open(text: str) -> None:
    found = outcome(text)
    assert (found.status, "fastai==2.7.12" in found.why) == ("open", True)


def test_a_pin_beside_the_pin_of_another_torch_excludes_it() -> None:
    found = outcome("torch==2.9.1\nwhisperx==3.8.6\n")
    assert (found.status, found.reason) == ("fails", "conflict")


def test_every_row_asks_for_a_torch_that_exists() -> None:
    for row in dependents.dependents().values():
        known = [release.version for release in torch_releases.releases()]
        assert any(allows(row.torch, version) for version in known), row
        assert not row.always or allows(row.torch, known[-1]), row
