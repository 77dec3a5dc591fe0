"""Compiles `configs/*.yaml` and `docs/codes/*.md` into `kb/data/*.json`.

    python -m gpudoctor.kb.compile            writes the tables
    python -m gpudoctor.kb.compile --check    says whether they are up to date

Runs in a checkout only; the installed package has the compiled tables.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Mapping
from typing import Any

from gpudoctor.kb._data import FOLDER
from gpudoctor.kb.authoring.anchor import missing_anchors
from gpudoctor.kb.authoring.documents import AuthoringError, read
from gpudoctor.kb.authoring.reach import reach
from gpudoctor.kb.authoring.row_schema import FILES, SIGNATURE_FILES
from gpudoctor.kb.findings import meaning
from gpudoctor.kb.software import _torch_tables
from gpudoctor.model.terms import toml

Tables = dict[str, Any]

_HEADER = frozenset({"sources", "row_sources", "schema", "date", "notes", "source"})


def _body(document: Mapping[str, Any]) -> dict[str, Any]:
    """The tables of a file without its header."""
    return {key: value for key, value in document.items() if key not in _HEADER}


def _gpus(files: Mapping[str, Any]) -> Tables:
    return {"gpus": _body(files["gpus.yaml"])}


def _pci(files: Mapping[str, Any]) -> Tables:
    rows = files["gpus_pci.yaml"]["devices"]
    return {"pci": {row["id"]: {k: v for k, v in row.items() if k != "id"} for row in rows}}


def _plain(file: str, table: str) -> Callable[[Mapping[str, Any]], Tables]:
    return lambda files: {table: _body(files[file])}


def _pci_pairs(file: str, table: str, key: str) -> Callable[[Mapping[str, Any]], Tables]:
    def make(files: Mapping[str, Any]) -> Tables:
        body = _body(files[file])
        body["pci"] = {row["id"]: [row["name"], row[key]] for row in body["pci"]}
        return {table: body}

    return make


def _findings(files: Mapping[str, Any]) -> Tables:
    return {"findings": sorted(files["findings.yaml"]["findings"], key=lambda row: row["code"])}


def _packages(files: Mapping[str, Any]) -> Tables:
    document = files["packages.yaml"]
    body = _body(document)
    default = document["row_sources"]["fits"]
    body["fits"] = [{"sources": default, **row} for row in body["fits"]]
    return {"packages": body}


def _driver_steps(files: Mapping[str, Any]) -> Tables:
    document = files["driver_steps.yaml"]
    return {"driver_steps": {"date": document["date"], **_body(document)}}


def _signatures(files: Mapping[str, Any]) -> Tables:
    """All messages in one table, and the marks; white space and order as authored."""
    marks = _body(files["signature_marks.yaml"])
    choices = {row["name"]: row["words"] for row in marks["choices"]}
    rows = [
        _signature(row, choices) for name in SIGNATURE_FILES for row in files[name]["signatures"]
    ]
    marks["marks"] = [_searched(row) for row in marks["marks"]]
    return {"signatures": {"signatures": rows, **marks}}


def _searched(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row with all the words that it is looked for by, and how far around them it looks."""
    pattern, anchors = row["pattern"], row["anchors"]
    if anchors:
        anchors = [*anchors, *missing_anchors(pattern, anchors)]
    return {**row, "anchors": anchors, "reach": reach(pattern)}


def _signature(row: Mapping[str, Any], choices: Mapping[str, list[str]]) -> dict[str, Any]:
    """A row whose phrases, where it has such, have become a pattern with anchors."""
    if "meaning" not in row:
        return _searched(row)
    phrases = row["meaning"]
    try:
        found = meaning.anchors(phrases, choices)
        pattern = meaning.compiled(phrases, choices)
    except (KeyError, ValueError) as error:
        raise AuthoringError(f"signature {row['id']}: {error}") from error
    kept = {key: value for key, value in row.items() if key != "meaning"}
    return _searched({**kept, "anchors": found, "pattern": pattern})


_MAKERS: tuple[Callable[[Mapping[str, Any]], Tables], ...] = (
    _gpus,
    _pci,
    _plain("cuda.yaml", "cuda"),
    _torch_tables.compile_torch,
    _pci_pairs("amd.yaml", "amd", "gfx"),
    _plain("apple.yaml", "apple"),
    _pci_pairs("intel.yaml", "intel", "target"),
    _packages,
    _plain("environment.yaml", "environment"),
    _driver_steps,
    _plain("smoke.yaml", "smoke"),
    _plain("error_codes.yaml", "error_codes"),
    _plain("images.yaml", "images"),
    _plain("dependents.yaml", "dependents"),
    _plain("portable.yaml", "portable"),
    _plain("indexes.yaml", "indexes"),
    _plain("follow_ups.yaml", "follow_ups"),
    _findings,
    _signatures,
)


# Written for the programs of others to read: checked like a table, and no part of the knowledge.
_EXAMPLES = ("cpu_fallback.yaml",)


def _info(files: Mapping[str, Any]) -> Tables:
    """Version, date, and one line a table."""
    date = max(_date(document) for document in files.values())
    tables: dict[str, dict[str, Any]] = {}
    for file, document in sorted(files.items()):
        if file in _EXAMPLES:
            continue
        for table in FILES[file].tables:
            # The messages are one table, written in several files.
            stem = "signatures" if file in SIGNATURE_FILES else file.removesuffix(".yaml")
            sources = document.get("sources") or {"source": document.get("source", "")}
            row = tables.setdefault(
                f"{stem}.{table}", {"file": file, "rows": 0, "date": "", "sources": []}
            )
            row["rows"] += len(document.get(table, ()))
            row["date"] = max(row["date"], _date(document))
            row["sources"] += [text for text in sources.values() if text not in row["sources"]]
    notes = {name: document["notes"] for name, document in files.items() if "notes" in document}
    return {
        "info": {"version": date.replace("-", "."), "date": date},
        "contents": {
            "tables": [{"name": name, **row} for name, row in tables.items()],
            "notes": dict(sorted(notes.items())),
        },
    }


def _documentation(root: str) -> str:
    """Where `docs/` is published: `Documentation` in `[project.urls]`; empty while nowhere."""
    try:
        with open(os.path.join(root, "pyproject.toml"), encoding="utf-8") as file:
            project = toml.loads(file.read()).get("project", {})
    except FileNotFoundError:
        return ""
    return str(project.get("urls", {}).get("Documentation", ""))


def _date(document: Mapping[str, Any]) -> str:
    """A file's own date, else the newest that the sources of its rows state."""
    if "date" in document:
        return str(document["date"])
    dates: list[str] = []
    for row in document["builds"]:
        dates += re.findall(r"20\d\d-\d\d-\d\d", row["source"])
    return max(dates)


def _pages(folder: str) -> Tables:
    pages: dict[str, str] = {}
    if os.path.isdir(folder):
        for name in sorted(os.listdir(folder)):
            if name.endswith(".md") and name.startswith("GPU"):
                with open(os.path.join(folder, name), encoding="utf-8") as file:
                    pages[name.removesuffix(".md")] = file.read()
    return {"pages": pages}


def compile_tables(root: str) -> Tables:
    """All tables of the checkout at `root`, as they go into JSON.

    Raises:
        AuthoringError: a file breaks its schema; the message names file, row and key.
    """
    files = {
        name: read(os.path.join(root, "configs", name)) for name in FILES if _exists(root, name)
    }
    tables: Tables = {}
    for make in _MAKERS:
        tables.update(make(files))
    tables.update(_info(files))
    tables["info"]["documentation"] = _documentation(root)
    tables.update(_pages(os.path.join(root, "docs", "codes")))
    return tables


def _exists(root: str, name: str) -> bool:
    return not FILES[name].optional or os.path.exists(os.path.join(root, "configs", name))


def render(table: Any) -> str:
    """The JSON text of one table; the same input gives the same bytes."""
    return json.dumps(table, ensure_ascii=False, separators=(",", ":")) + "\n"


def checkout() -> str:
    """The root of the checkout that this module lies in."""
    return os.path.normpath(os.path.join(FOLDER, "..", "..", "..", ".."))


def main(arguments: list[str]) -> int:
    """Writes the tables, or with `--check` compares them; the exit code."""
    try:
        tables = compile_tables(checkout())
    except AuthoringError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    os.makedirs(FOLDER, exist_ok=True)
    stale = []
    for name, table in tables.items():
        path = os.path.join(FOLDER, f"{name}.json")
        text = render(table)
        if _content(path) == text:
            continue
        stale.append(name)
        if "--check" not in arguments:
            with open(path, "w", encoding="utf-8", newline="\n") as file:
                file.write(text)
    sys.stdout.write(f"{len(tables)} tables, changed: {', '.join(stale) or 'none'}\n")
    return 1 if stale and "--check" in arguments else 0


def _content(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except OSError:
        return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
