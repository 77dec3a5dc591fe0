"""The pages of docs/codes: one a code, each whole, each in step with the catalogue."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from gpudoctor.kb import environment_variables
from gpudoctor.kb.findings import catalogue
from gpudoctor.kb.hardware import amd_gpus as amd
from gpudoctor.kb.software import cuda, packages, torch_releases
from gpudoctor.rules.engine.all_rules import rules

FOLDER = Path(__file__).parents[3] / "docs" / "codes"
PAGES = {path.stem: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("GPU*.md"))}
ENTRIES = {entry.code: entry for entry in catalogue.entries()}
SECTIONS = [
    "What it means",
    "Why it happens",
    "How it is decided",
    "What to do",
    "When this page is wrong",
    "Sources",
]


@pytest.mark.parametrize("code", ENTRIES)
def test_every_code_of_the_catalogue_has_a_page(code: str) -> None:
    assert code in PAGES


@pytest.mark.parametrize("code", PAGES)
def test_every_page_is_that_of_a_code_and_carries_its_name(code: str) -> None:
    assert code in ENTRIES
    assert PAGES[code].splitlines()[0] == f"# {code}: {ENTRIES[code].name}"


@pytest.mark.parametrize("code", PAGES)
def test_a_page_has_its_sections_in_order_and_says_something_in_each(code: str) -> None:
    headings = re.findall(r"^## (.+)$", PAGES[code], re.MULTILINE)
    assert headings == SECTIONS
    for text in re.split(r"^## .+$", PAGES[code], flags=re.MULTILINE)[1:]:
        assert len(text.strip()) > 10


@pytest.mark.parametrize("code", PAGES)
def test_the_links_of_a_page_lead_to_pages(code: str) -> None:
    for shown, target in re.findall(r"\[(GPU\d+)\]\((GPU\d+)\.md\)", PAGES[code]):
        assert shown == target
        assert target in PAGES
        assert target != code


@pytest.mark.parametrize("code", PAGES)
def test_the_code_blocks_of_a_page_are_closed(code: str) -> None:
    assert PAGES[code].count("```") % 2 == 0


def test_every_finding_that_a_rule_makes_has_a_page() -> None:
    assert {catalogue.code(rule.name) for rule in rules()} <= set(PAGES)


BLOCKS = [
    (code, line)
    for code, page in PAGES.items()
    for block in re.findall(r"^```\w*\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    for line in block.splitlines()
    if line.strip()
]


@pytest.mark.parametrize(("code", "line"), BLOCKS)
def test_a_command_of_a_page_can_be_typed_as_it_stands(code: str, line: str) -> None:
    assert shlex.split(line), code
    assert "…" not in line
    assert not re.search(r"<[a-z]", line)


@pytest.mark.parametrize(("code", "line"), BLOCKS)
def test_what_is_laid_down_again_has_its_version(code: str, line: str) -> None:
    """A name without a version brings the newest, whatever was there."""
    if "--force-reinstall" in line and "--no-deps" in line and "PACKAGE" not in line:
        named = [word for word in shlex.split(line) if word.startswith(("torch", "nvidia-"))]
        assert named, code
        assert all("==" in word for word in named), code


def test_the_releases_that_pages_name_exist() -> None:
    known = {release.version for release in torch_releases.releases()}
    companions = {
        name: {
            r.companions[name].version for r in torch_releases.releases() if name in r.companions
        }
        for name in ("torchvision", "torchaudio")
    }
    for code, page in PAGES.items():
        for version in re.findall(r"\btorch==(\d[\d.]*\d)", page):
            assert version in known, code
        for name, version in re.findall(r"\b(torchvision|torchaudio)==(\d[\d.]*\d)", page):
            assert version in companions[name], code


def test_what_a_page_says_of_an_override_is_what_the_table_says() -> None:
    told = re.search(r"lets (.+?) run the code of gfx1030", PAGES["GPU605"])
    assert told is not None
    named = set(re.findall(r"gfx\w+", told[1]))
    usual = {
        gfx
        for row in amd.overrides()
        if row.value == "10.3.0" and row.works == "usually"
        for gfx in row.gfx
    }
    assert named == usual


@pytest.mark.parametrize("code", PAGES)
def test_no_page_recommends_a_setting_that_is_gone(code: str) -> None:
    assert "VLLM_ATTENTION_BACKEND=" not in PAGES[code]


# What the programs of the pages read themselves, and what is a shell's own.
OTHER_VARIABLES = {"GLOO_SOCKET_IFNAME", "PYTHONNOUSERSITE", "VLLM_WORKER_MULTIPROC_METHOD"}


@pytest.mark.parametrize("code", PAGES)
def test_a_variable_that_a_page_sets_is_one_that_the_table_knows(code: str) -> None:
    """A name that was changed or never existed would be advice that does nothing."""
    known = {variable.name for variable in environment_variables.variables()} | OTHER_VARIABLES
    named = set(re.findall(r"(?:export |\$env:|unset |Env:)([A-Z][A-Z0-9_]{3,})", PAGES[code]))
    assert named - {"NAME"} <= known, code


def test_the_series_of_triton_that_a_page_names_are_those_of_the_releases() -> None:
    told = re.findall(r"(2\.\d+) with (3\.\d+)", PAGES["GPU419"])
    assert told
    for torch, series in told:
        triton = torch_releases.companions(f"{torch}.0")["triton"]
        assert triton.startswith(f"{series}."), torch


def test_the_floors_of_drivers_that_a_page_names_are_those_of_the_table() -> None:
    told = re.findall(r"^\| (1\d) \| ([\d.]+) \| ([\d.]+) \|$", PAGES["GPU107"], re.MULTILINE)
    assert [row[0] for row in told] == ["11", "12", "13"]
    for major, linux, windows in told:
        assert (cuda.floor(int(major), "linux"), cuda.floor(int(major), "windows")) == (
            linux,
            windows,
        )


def test_what_a_page_says_of_cudnn_is_what_the_table_says() -> None:
    told = re.search(r"cuDNN (\S+) and newer need Turing \((\d\.\d)\)", PAGES["GPU426"])
    assert told is not None
    assert cuda.cudnn_floor(told[1]) == told[2]
    assert cuda.cudnn_floor("9.10.2") != told[2]


@pytest.mark.parametrize("code", PAGES)
def test_an_extension_that_a_page_installs_by_number_is_a_known_release(code: str) -> None:
    for name, version in re.findall(r"\b(xformers|vllm|triton)==(\d[\w.]*\w)", PAGES[code]):
        if name == "triton":
            assert packages.triton(version) is not None, code
        else:
            assert packages.torch_for(name, version) is not None, code
