"""The golden reports: what the doctor says of every machine, as people and programs read it.

`python -m machines.golden --update [NAME…]` (from `tests/`) writes them anew; look at the
difference before you commit it. Without `--update` it says which differ.
"""

from __future__ import annotations

import difflib
import json
import os
import sys

from machines.case import Case
from machines.catalogue import MACHINES
from machines.visit import Visit, comparable, visit

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "golden")


def rendered(seen: Visit) -> dict[str, str]:
    """The files of one machine: name's ending → content."""
    return {".txt": seen.text, ".json": _lines(comparable(seen.report), depth=3) + "\n"}


def _lines(value: object, depth: int, margin: str = "") -> str:
    """JSON with a line for each value down to `depth`, and what lies deeper in one line."""
    small = isinstance(value, dict) and len(value) <= 4
    if not depth or not value or small or not isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False)
    inner = margin + " "
    if isinstance(value, dict):
        parts = [f"{json.dumps(k)}: {_lines(v, depth - 1, inner)}" for k, v in value.items()]
        return "{\n" + ",\n".join(inner + part for part in parts) + f"\n{margin}}}"
    parts = [_lines(item, depth - 1, inner) for item in value]
    return "[\n" + ",\n".join(inner + part for part in parts) + f"\n{margin}]"


def differences(name: str, seen: Visit) -> str:
    """How the visit differs from the golden reports; empty if it does not."""
    found = []
    for ending, content in rendered(seen).items():
        try:
            with open(os.path.join(FOLDER, name + ending), encoding="utf-8") as file:
                golden = file.read()
        except FileNotFoundError:
            golden = ""
        found += difflib.unified_diff(
            golden.splitlines(), content.splitlines(), f"golden/{name}{ending}", "now", lineterm=""
        )
    return "\n".join(found)


def update(name: str, case: Case) -> bool:
    """Write the golden reports of one machine; whether they were others before."""
    seen = visit(case)
    changed = bool(differences(name, seen))
    os.makedirs(FOLDER, exist_ok=True)
    for ending, content in rendered(seen).items():
        with open(os.path.join(FOLDER, name + ending), "w", encoding="utf-8") as file:
            file.write(content)
    return changed


def main(arguments: list[str]) -> int:
    """The command line; see above."""
    names = [word for word in arguments if not word.startswith("-")] or list(MACHINES)
    if "--update" in arguments:
        for name in names:
            print("changed  " if update(name, MACHINES[name]) else "the same ", name)
        known = set(MACHINES)
        for file in os.listdir(FOLDER):
            if os.path.splitext(file)[0] not in known:
                os.remove(os.path.join(FOLDER, file))
        return 0
    different = [text for name in names if (text := differences(name, visit(MACHINES[name])))]
    print("\n".join(different) or "All machines are reported as the golden files have it.")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
