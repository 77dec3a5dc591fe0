"""The compiled tables are what the YAML says, and the YAML keeps to its schema."""

from __future__ import annotations

import copy
import json
import os
from pathlib import Path
from typing import Any

import pytest

from gpudoctor.kb import compile as kb_compile
from gpudoctor.kb import info
from gpudoctor.kb._data import FOLDER
from gpudoctor.kb.authoring.documents import AuthoringError, check, read
from gpudoctor.kb.authoring.row_schema import FILES

ROOT = Path(__file__).parents[3]
CONFIGS = ROOT / "configs"


@pytest.fixture(scope="module")
def compiled() -> dict[str, Any]:
    return kb_compile.compile_tables(str(ROOT))


@pytest.fixture(scope="module")
def documents() -> dict[str, dict[str, Any]]:
    return {name: read(str(CONFIGS / name)) for name in FILES if (CONFIGS / name).exists()}


def test_every_compiled_table_says_what_the_yaml_says(compiled: dict[str, Any]) -> None:
    stale = [
        name
        for name, table in compiled.items()
        if not os.path.exists(os.path.join(FOLDER, f"{name}.json"))
        or Path(FOLDER, f"{name}.json").read_text(encoding="utf-8") != kb_compile.render(table)
    ]
    assert not stale, "run `python -m gpudoctor.kb.compile` and commit src/gpudoctor/kb/data"


def test_nothing_lies_in_the_data_folder_that_is_not_compiled(compiled: dict[str, Any]) -> None:
    assert {f"{name}.json" for name in compiled} == set(os.listdir(FOLDER))


def test_every_yaml_of_the_knowledge_base_has_a_schema() -> None:
    assert {path.name for path in CONFIGS.glob("*.yaml")} <= set(FILES)


def test_every_row_has_a_source_and_a_date(documents: dict[str, dict[str, Any]]) -> None:
    for name, document in documents.items():
        for table in FILES[name].tables:
            for row in document[table]:
                sources = row.get("sources") or document.get("row_sources", {}).get(table)
                assert sources or row.get("source") or document.get("source"), (name, table, row)
                assert row.get("date") or document.get("date") or "on 20" in row["source"]


def test_every_listed_source_is_used_by_its_file(documents: dict[str, dict[str, Any]]) -> None:
    """A source that no row names is either forgotten or wrong."""
    for name, document in documents.items():
        if not isinstance(document.get("sources"), dict):
            continue
        text = json.dumps({key: value for key, value in document.items() if key != "sources"})
        unused = [key for key in document["sources"] if f'"{key}"' not in text]
        assert not unused, (name, unused)


def test_an_unknown_key_is_refused_with_its_place(documents: dict[str, dict[str, Any]]) -> None:
    document = copy.deepcopy(documents["gpus.yaml"])
    document["gpus"][0]["colour"] = "green"
    with pytest.raises(AuthoringError, match=r"gpus\.yaml, gpus, row 1 .* unknown keys: colour"):
        check("gpus.yaml", document)


def test_an_unknown_table_is_refused(documents: dict[str, dict[str, Any]]) -> None:
    with pytest.raises(AuthoringError, match="unknown keys: trucks"):
        check("gpus.yaml", {**documents["gpus.yaml"], "trucks": []})


def test_a_row_that_lacks_a_key_is_refused(documents: dict[str, dict[str, Any]]) -> None:
    document = copy.deepcopy(documents["cuda.yaml"])
    del document["toolkits"][3]["branch"]
    with pytest.raises(AuthoringError, match=r"row 4 .* lacks branch"):
        check("cuda.yaml", document)


def test_a_value_of_the_wrong_kind_is_refused(documents: dict[str, dict[str, Any]]) -> None:
    document = copy.deepcopy(documents["torch_releases.yaml"])
    document["builds"][0]["sass"] = ["sm_8.6"]
    with pytest.raises(AuthoringError, match="sass is no sass"):
        check("torch_releases.yaml", document)


def test_a_source_that_is_not_listed_is_refused(documents: dict[str, dict[str, Any]]) -> None:
    document = copy.deepcopy(documents["amd.yaml"])
    document["gpus"][0]["sources"] = ["hearsay"]
    with pytest.raises(AuthoringError, match="hearsay"):
        check("amd.yaml", document)


def test_a_row_without_any_source_is_refused(documents: dict[str, dict[str, Any]]) -> None:
    document = copy.deepcopy(documents["gpus_pci.yaml"])
    del document["row_sources"]
    with pytest.raises(AuthoringError, match="has no source"):
        check("gpus_pci.yaml", document)


@pytest.mark.parametrize("text", ["a: [", "- 1\n", "\0"])
def test_a_file_that_is_no_mapping_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "gpus.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(AuthoringError, match=r"gpus\.yaml"):
        read(str(path))


def test_the_version_is_the_date_of_the_newest_file(documents: dict[str, dict[str, Any]]) -> None:
    dates = [document["date"] for document in documents.values() if "date" in document]
    assert info.date() >= max(dates)
    assert info.version() == info.date().replace("-", ".")


def test_the_list_of_tables_counts_their_rows(documents: dict[str, dict[str, Any]]) -> None:
    rows = {table.name: table.rows for table in info.tables()}
    assert rows["gpus.gpus"] == len(documents["gpus.yaml"]["gpus"])
    assert rows["findings.findings"] == len(documents["findings.yaml"]["findings"])
    assert all(table.sources and table.date for table in info.tables())
