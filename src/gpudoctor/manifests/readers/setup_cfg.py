"""setup.cfg: `install_requires` and `extras_require` of setuptools."""

from __future__ import annotations

import configparser

from gpudoctor.errors import UsageError
from gpudoctor.manifests.install_file import InstallFile, Wish, line_of
from gpudoctor.manifests.readers.requirements_txt import wish_of
from gpudoctor.manifests.source_files import SourceFile
from gpudoctor.model.finding import FileAt
from gpudoctor.model.requirements.requirement_line import normal
from gpudoctor.model.value import replace


def read(source: SourceFile) -> InstallFile:
    """Read a setup.cfg.

    Raises:
        UsageError: it is none.
    """
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(source.text)
    except configparser.Error as error:
        said = str(error).splitlines()[0]
        raise UsageError(f"{source.path} is no setup.cfg: {said}") from None
    wishes = _lines(parser.get("options", "install_requires", fallback=""), source)
    if parser.has_section("options.extras_require"):
        for extra, lines in parser.items("options.extras_require"):
            wishes += [replace(wish, extra=normal(extra)) for wish in _lines(lines, source)]
    return InstallFile(
        path=source.path,
        format="setup.cfg",
        tool="pip",
        wishes=tuple(wishes),
        requires_python=parser.get("options", "python_requires", fallback=None),
    )


def _lines(text: str, source: SourceFile) -> list[Wish]:
    found = []
    for raw in text.replace(";\n", "\n").splitlines():
        line = raw.split("#", 1)[0].strip()
        at = FileAt(source.path, line_of(source.text, line) if line else None)
        wish = wish_of(line, at, source, constraint=False) if line else None
        if wish is not None:
            found.append(wish)
    return found
