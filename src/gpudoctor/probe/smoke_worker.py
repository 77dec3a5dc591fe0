"""Runs kernels in the examined interpreter and reports each result over a channel of its own.

    python smoke_worker.py CHANNEL PLAN

CHANNEL is the number of an open descriptor (on Windows: of a handle) that takes one JSON object
a line; PLAN is a JSON object, see `smoke_suite.session`. What torch or a driver prints goes to
stdout and stderr and is not part of the report. The process may crash or hang at any point:
whoever reads the channel knows by the last line which test it was in.

It stands alone: standard library and torch, Python 3.8 on, torch 1.13 on.
"""

from __future__ import annotations

import importlib
import json
import os
import sys


def main() -> int:
    """Run the plan; the exit status is 0 whenever the channel took the whole report."""
    here = os.path.dirname(os.path.abspath(__file__))
    # Nothing that lies beside this file may stand in for a module that torch imports, and
    # nothing may be written there: the folder belongs to another environment.
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry or ".") != here]
    sys.path.insert(0, here)
    write_bytecode = not sys.dont_write_bytecode
    sys.dont_write_bytecode = True
    session = importlib.import_module("smoke_suite.session")
    session.preload()
    sys.dont_write_bytecode = not write_bytecode
    del sys.path[0]
    status = session.run(sys.argv[1], json.loads(sys.argv[2]))
    return int(status)


if __name__ == "__main__":
    sys.exit(main())
