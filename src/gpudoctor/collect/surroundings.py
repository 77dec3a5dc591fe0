"""What lies around the environment: variables, toolkits, compiler, what the loader would find."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from gpudoctor.collect.python.chosen import Chosen
from gpudoctor.collect.recorder import Recorder
from gpudoctor.collect.system.compiler import find_compiler
from gpudoctor.collect.system.linked_libraries import missing_libraries
from gpudoctor.collect.system.loader import find_loader_libraries
from gpudoctor.collect.system.sysroot import Sysroot
from gpudoctor.collect.system.toolkits import find_toolkits
from gpudoctor.collect.system.variables import read_variables
from gpudoctor.model.facts import Torch


def read_surroundings(
    recorder: Recorder, chosen: Chosen | None, environ: Mapping[str, str]
) -> None:
    """Write `environment`, `toolkits`, `compiler`, `loader` and `missing_libraries`.

    They are told also where there is no Python (`chosen` is `None`).
    """
    root = Sysroot.from_environ(environ)
    variables = recorder.part(
        "patient.variables", ("environment",), lambda: read_variables(_heard(chosen, environ))
    )
    if variables is not None:
        recorder.put("environment", variables, "environment variables")
    prefix = chosen.layout.prefix if chosen else None
    site = chosen.path.site if chosen else ()
    toolkits = recorder.part(
        "patient.toolkits", ("toolkits",), lambda: find_toolkits(environ, root, prefix, site)
    )
    if toolkits is not None:
        recorder.put("toolkits", toolkits, "files of the toolkits")
    compiler = recorder.part("patient.compiler", ("compiler",), lambda: find_compiler(environ))
    if "compiler" not in recorder.unknown:
        recorder.put("compiler", compiler, "PATH")
    loader = recorder.part(
        "patient.loader",
        ("loader",),
        lambda: find_loader_libraries(
            environ,
            root,
            windows=bool(chosen and chosen.layout.windows),
            conda=chosen.conda.prefix if chosen and chosen.conda else None,
        ),
    )
    if loader is not None:
        recorder.put("loader", loader[0], "LD_LIBRARY_PATH and /etc/ld.so.cache")
        if loader[1]:
            recorder.miss("", {"loader": loader[1]}, "/etc/ld.so.cache")
    if chosen is not None and not chosen.layout.windows and sys.platform == "linux":
        _linked(recorder, chosen, environ, root)


def _linked(recorder: Recorder, chosen: Chosen, environ: Mapping[str, str], root: Sysroot) -> None:
    """What torch's libraries are linked to and nothing provides: read of a CUDA build alone."""
    torch = recorder.values.get("torch")
    if not isinstance(torch, Torch) or not torch.cuda or not torch.path:
        return
    folder = torch.path
    found = recorder.part(
        "patient.linked",
        ("missing_libraries",),
        lambda: missing_libraries(
            folder,
            chosen.path.site,
            environ,
            root,
            chosen.conda.prefix if chosen.conda else None,
        ),
    )
    if found is not None:
        recorder.put("missing_libraries", found[0], "dynamic sections of torch's libraries")
        if found[1]:
            recorder.miss("", {"missing_libraries": found[1]}, "/etc/ld.so.cache")


def _heard(chosen: Chosen | None, environ: Mapping[str, str]) -> Mapping[str, str]:
    """The variables that the interpreter listens to: an embeddable one hears none of Python's."""
    if chosen is None or chosen.layout.path_file is None:
        return environ
    return {name: value for name, value in environ.items() if not name.startswith("PYTHON")}
