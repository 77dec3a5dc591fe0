"""What lies around the environment: variables, toolkits, compiler, what the loader would find."""

from __future__ import annotations

from collections.abc import Mapping

from gpudoctor.collect.python.chosen import Chosen
from gpudoctor.collect.recorder import Recorder
from gpudoctor.collect.system.compiler import find_compiler
from gpudoctor.collect.system.loader import find_loader_libraries
from gpudoctor.collect.system.sysroot import Sysroot
from gpudoctor.collect.system.toolkits import find_toolkits
from gpudoctor.collect.system.variables import read_variables


def read_surroundings(
    recorder: Recorder, chosen: Chosen | None, environ: Mapping[str, str]
) -> None:
    """Write `environment`, `toolkits`, `compiler` and `loader` into the recorder.

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


def _heard(chosen: Chosen | None, environ: Mapping[str, str]) -> Mapping[str, str]:
    """The variables that the interpreter listens to: an embeddable one hears none of Python's."""
    if chosen is None or chosen.layout.path_file is None:
        return environ
    return {name: value for name, value in environ.items() if not name.startswith("PYTHON")}
