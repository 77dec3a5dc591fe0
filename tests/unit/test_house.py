"""The order of the source: one name for one thing, folders that can be looked over."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src" / "gpudoctor"
FILES = sorted(path for path in SOURCE.rglob("*.py") if path.name != "__init__.py")
MAY_SHARE = ("cli/commands", "manifests/readers", "manifests/resolvers")
"""A command's file has the command's name, and what a tool's file says and what the tool makes of
it have the tool's: there the same name is the same thing."""
FEW = 14
STARTS = ("cli/main.py", "model/value.py")
"""`--version` must not pay for `typing`, which the table of late modules needs."""


def test_no_file_has_the_name_of_another() -> None:
    places = defaultdict(list)
    for path in FILES:
        folder = path.parent.relative_to(SOURCE).as_posix()
        if folder not in MAY_SHARE:
            places[path.name].append(folder)
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


def test_every_folder_can_be_looked_over() -> None:
    counts: dict[Path, int] = defaultdict(int)
    for path in FILES:
        counts[path.parent] += 1
    assert {folder: count for folder, count in counts.items() if count > FEW} == {}


def test_only_one_file_knows_how_a_local_label_is_cut_off() -> None:
    cutters = []
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in ("split", "partition", "rsplit", "rpartition")
                and any(isinstance(a, ast.Constant) and a.value == "+" for a in node.args)
            ):
                cutters.append(path.name)
    assert cutters == ["version.py"]


def test_what_is_loaded_later_is_said_in_one_place_of_a_file() -> None:
    """At the head, beside the import that type checkers and the layer contract read; or, where it
    is needed in one function alone, there."""
    scattered = {}
    for path in FILES:
        name = path.relative_to(SOURCE).as_posix()
        functions = {
            function.name
            for function in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(function, ast.FunctionDef)
            and any(isinstance(node, ast.Import | ast.ImportFrom) for node in ast.walk(function))
        }
        # The probe runs in Pythons that may lack what it imports.
        if len(functions) > 1 and name not in STARTS and not name.startswith("probe/"):
            scattered[name] = functions
    assert scattered == {}


def test_a_module_that_is_loaded_later_is_the_one_that_type_checkers_read() -> None:
    wrong = []
    for path in FILES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        read = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                read.update({a.asname or a.name: f"{node.module}.{a.name}" for a in node.names})
            elif isinstance(node, ast.Import):
                read.update({a.asname or a.name: a.name for a in node.names})
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Assign)
                and isinstance(node.value, ast.Call)
                and isinstance(node.value.func, ast.Name)
                and node.value.func.id == "later"
                and isinstance(name := node.targets[0], ast.Name)
                and isinstance(module := node.value.args[0], ast.Constant)
                and read.get(name.id) != module.value
            ):
                wrong.append((path.name, name.id))
    assert wrong == []


def test_no_class_has_the_name_of_another_but_for_what_the_interface_hands_out() -> None:
    """The interface's own classes (`results`, `scan_result`) are called as what they show."""
    places = defaultdict(list)
    for path in FILES:
        if path.parent == SOURCE:
            continue
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(path.name)
    assert {name: found for name, found in places.items() if len(found) > 1} == {}
