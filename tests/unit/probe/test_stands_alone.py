"""What runs in the patient's interpreter needs nothing but Python 3.8 and torch."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

import gpudoctor.probe

FOLDER = Path(gpudoctor.probe.__file__).parent
FILES = sorted(FOLDER.rglob("*.py"))
NAMES = [str(path.relative_to(FOLDER)) for path in FILES]

# Names that evaluate at run time in annotations or base classes and that 3.8 lacks.
TOO_NEW = {"match", "removeprefix", "removesuffix", "zip_strict", "pairwise"}


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_every_file_parses_as_python_3_8(path: Path) -> None:
    ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 8))


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_only_the_standard_library_torch_and_its_own_files_are_imported(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [node.module or ""]
        else:
            continue
        for name in names:
            top = name.split(".")[0]
            assert top in sys.stdlib_module_names or top == "torch", (path.name, name)


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_nothing_newer_than_python_3_8_is_called(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    called = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert not called & TOO_NEW
    subscripts = [
        node.value.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name)
    ]
    # With the annotations postponed these would only fail where they are evaluated: nowhere may
    # they be, so they are not used at all.
    assert not {"list", "dict", "tuple", "set", "type"} & set(subscripts)


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_torch_is_never_imported_when_a_file_is_loaded(path: Path) -> None:
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            module = node.module if isinstance(node, ast.ImportFrom) else node.names[0].name
            assert not (module or "").startswith("torch"), path.name
