"""Run by each Python that gpudoctor.pyz holds code for: sources on stdin, code on stdout.

In: a marshalled {part: {path in the archive: source}}. Out: {entry: bytes}, an entry for each part
with the code of its modules, and `parts`, which says where each module is. A part is marshalled as
one, since names that many modules share are then kept once. Docstrings go, but those of the
command line, which prints them; under `-X no_debug_ranges` the columns of each instruction go too.
"""

import marshal
import sys
from importlib.util import MAGIC_NUMBER


def compiled(path, source):
    """The code of a module."""
    level = 0 if path.startswith(("gpudoctor/cli/", "typer/")) else 2
    return compile(source, path, "exec", dont_inherit=True, optimize=level)


folder = MAGIC_NUMBER.hex()
entries = {}
parts = {}
for part, sources in marshal.load(sys.stdin.buffer).items():
    code = {}
    for path, source in sources.items():
        module = path[: -len(".py")]
        if module.endswith("/__init__"):
            module = module[: -len("/__init__")]
        code[module] = compiled(path, source)
        parts[module] = part
    entries[f"{folder}/{part}"] = marshal.dumps(code)
entries[f"{folder}/parts"] = marshal.dumps(parts)
sys.stdout.buffer.write(marshal.dumps(entries, 2))
