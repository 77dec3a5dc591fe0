"""One installation by pip or uv: its packages, its options, and the variables that are set."""

from __future__ import annotations

import re

from gpudoctor.manifests.choice import InstallOutcome
from gpudoctor.manifests.containers.places import SYSTEM, default_place, placed
from gpudoctor.manifests.containers.stage import Stage
from gpudoctor.manifests.install_file import UnreadPart, Wish
from gpudoctor.manifests.readers import pyproject, setup_cfg
from gpudoctor.manifests.readers.requirements_txt import Reading, add, option, wish_of
from gpudoctor.manifests.readers.toml_file import parse
from gpudoctor.manifests.resolvers import pip as pip_model
from gpudoctor.manifests.resolvers import uv as uv_model
from gpudoctor.manifests.universe import TORCH, brings_torch, family
from gpudoctor.model.finding import FileAt
from gpudoctor.model.requirements.requirement_line import normal
from gpudoctor.model.value import replace

_SETTINGS = {
    "PIP_INDEX_URL": "index", "PIP_EXTRA_INDEX_URL": "extra", "PIP_FIND_LINKS": "links",
    "PIP_NO_BINARY": "no-binary", "PIP_ONLY_BINARY": "only-binary", "PIP_CONSTRAINT": "constraint",
}  # fmt: skip
_UV_SETTINGS = {
    "UV_INDEX_URL": "index", "UV_DEFAULT_INDEX": "index", "UV_EXTRA_INDEX_URL": "extra",
    "UV_INDEX": "extra", "UV_FIND_LINKS": "links", "UV_CONSTRAINT": "constraint",
}  # fmt: skip
_VALUED = {
    "-i": "index", "--index-url": "index", "--default-index": "index", "--extra-index-url": "extra",
    "--index": "extra", "-f": "links", "--find-links": "links", "-r": "file",
    "--requirement": "file", "--requirements": "file", "-c": "constraint",
    "--constraint": "constraint", "--constraints": "constraint", "-e": "editable",
    "--editable": "editable", "--no-binary": "no-binary", "--only-binary": "only-binary",
}  # fmt: skip
_OTHER_VALUED = (
    "-t", "--target", "-p", "--python", "--prefix", "--root", "--cache-dir", "--timeout",
    "--retries", "--trusted-host", "--progress-bar", "--platform",
    "--python-version", "--index-strategy", "--torch-backend", "--group", "--extra", "--override",
    "--overrides", "--build-constraint", "--src", "--log", "--global-option", "--config-settings",
    "-C", "--proxy", "--cert", "--python-platform", "--link-mode",
)  # fmt: skip


_BREAK, _UV_BREAK = "--break-system-packages", "UV_BREAK_SYSTEM_PACKAGES"
_LIFTED = re.compile(
    r"EXTERNALLY-MANAGED|break-system-packages[ =]+[\"']?(true|1)"
    r"|conda|mamba|miniforge|pyenv|altinstall"
)
"""What takes the mark away, or brings another Python of the same version."""
LIFTED = "# EXTERNALLY-MANAGED"
"""A line by which a file is read as if the mark were gone."""
_PLACES = ("-t", "--target", "--prefix", "--root", "-p", "--python")


def concerns(text: str) -> bool:
    """Whether a shell text may install torch."""
    words = r"\b(torch|pip3?|uv|conda|mamba|micromamba|poetry|pdm|pipenv|pixi|requirements)\b"
    return re.search(words, text) is not None


def install(
    stage: Stage, words: list[str], at: FileAt, tool: str, variables: dict[str, str]
) -> None:
    """An installation by pip or by uv."""
    reading = Reading(variables)
    names = _SETTINGS if tool == "pip" else _UV_SETTINGS
    for name, kind in names.items():
        for value in variables.get(name, "").split():
            # uv's UV_INDEX may name an index before its URL: `pytorch=https://…`.
            named = name == "UV_INDEX" and "=" in value.split("/")[0]
            url = value.partition("=")[2] if named else value
            _option(stage, reading, kind, url, at)
    if variables.get("PIP_NO_INDEX" if tool == "pip" else "UV_NO_INDEX", "") in ("1", "true"):
        reading.options["no-index"] = "yes"
    if tool == "uv" and (strategy := variables.get("UV_INDEX_STRATEGY")):
        reading.options["strategy"] = strategy
    if variables.get("PIP_PRE", "") in ("1", "true"):
        reading.options["pre"] = "yes"
    backend = variables.get("UV_TORCH_BACKEND", "") if tool == "uv" else ""
    upgrade = False
    place = default_place(stage, variables, tool)
    position = 0
    # A command line's --index-url takes the place of the environment's; extra ones add up.
    while position < len(words):
        word = words[position]
        position += 1
        if not word.startswith("-") or word == "-":
            _package(stage, reading, word, at)
            continue
        name, separator, value = word.partition("=")
        if name in _VALUED or name in _OTHER_VALUED:
            if not separator:
                value = words[position] if position < len(words) else ""
                position += 1
            if name == "--torch-backend":
                backend = value
            elif name in _PLACES:
                place = placed(stage, value)
            elif name == "--index-strategy":
                reading.options["strategy"] = value
            elif name in _VALUED:
                _option(stage, reading, _VALUED[name], value, at)
        elif name == "--pre" or (name == "--prerelease" and value == "allow"):
            reading.options["pre"] = "yes"
        elif name == "--no-build":
            reading.options.pop("no-binary", None)
        elif name == "--no-index":
            reading.options["no-index"] = "yes"
        elif name == "--system":
            place = stage.image_place or SYSTEM
        elif name == "--user":
            place = "/root/.local"
        elif name in ("-U", "--upgrade", "--force-reinstall", "--reinstall"):
            upgrade = True
    if _is_refused(stage, words, variables, tool, place):
        why = f"the Python {stage.managed} of the base image belongs to its distribution, and "
        why += f"{tool} refuses to install into it: a virtual environment, or "
        why += "--break-system-packages"
        found = InstallOutcome(status="fails", tool=tool, why=why, reason="managed", files=(at,))
        stage.take(found, at)
        return
    if backend:
        # Nobody has a driver while an image is built.
        reading.options["torch-backend"] = "cpu" if backend == "auto" else backend
    _settle(stage, reading, at, tool, upgrade=upgrade, place=place)


def _is_refused(
    stage: Stage, words: list[str], variables: dict[str, str], tool: str, place: str | None
) -> bool:
    """Whether the installation goes into a Python that is marked as externally managed.

    Source: PEP 668; pip leaves the mark aside for --target, --prefix and --root.
    """
    if stage.managed is None or stage.managed != stage.scene.python or place != SYSTEM:
        return False
    if any(word.partition("=")[0] in (*_PLACES[:4], _BREAK, "--user") for word in words):
        return False
    allowed = variables.get("PIP_BREAK_SYSTEM_PACKAGES" if tool == "pip" else _UV_BREAK, "0")
    return allowed in ("", "0", "false") and not _LIFTED.search(stage.source.text)


def _package(stage: Stage, reading: Reading, word: str, at: FileAt) -> None:
    if "$" in word and concerns(word):
        reading.wishes.append(
            Wish(name=TORCH, at=at, unread=f"{at.path}, line {at.line}, has {word} without a value")
        )
        return
    if word in (".", "./") or word.startswith((".[", "./[")) or word.endswith("/."):
        _own_project(stage, reading, word, at)
        return
    wish = wish_of(word, at, stage.source, constraint=False)
    if wish is not None:
        reading.wishes.append(wish)


def _option(stage: Stage, reading: Reading, kind: str, value: str, at: FileAt) -> None:
    if kind in ("file", "constraint"):
        other = stage.find(value)
        if other is None:
            reading.gaps.append(
                UnreadPart(why=f"{value}, which {at.path} installs, is not here", at=at)
            )
        else:
            add(reading, other, constraint=kind == "constraint")
    elif kind == "editable":
        _package(stage, reading, value, at)
    else:
        unset = re.findall(r"\$\{?(\w+)", value)
        if unset:
            value = "${" + unset[0] + "}"
        option(reading, kind, value, at, stage.source, unset)


def _own_project(stage: Stage, reading: Reading, word: str, at: FileAt) -> None:
    """`pip install .`: the requirements of the project in the folder."""
    extras = re.findall(r"\[([^\]]*)\]", word)
    named = {normal(part) for part in ",".join(extras).split(",") if part}
    found = stage.find("pyproject.toml")
    wishes: list[Wish] = []
    if found is not None:
        wishes = pyproject.standard(parse(found), found)
    elif (other := stage.find("setup.cfg")) is not None:
        wishes = list(setup_cfg.read(other).wishes)
    else:
        why = f"the project that {at.path}, line {at.line}, installs is not here"
        reading.gaps.append(UnreadPart(why=why, at=at))
    for wish in wishes:
        if wish.group is None and (wish.extra is None or wish.extra in named):
            reading.wishes.append(replace(wish, extra=None))


def _settle(
    stage: Stage, reading: Reading, at: FileAt, tool: str, *, upgrade: bool, place: str | None
) -> None:
    if not any(not wish.constraint for wish in reading.wishes) and not reading.gaps:
        return
    document = replace(reading.document(at.path, tool), format="requirements")
    asked = [wish for wish in reading.wishes if wish.name == TORCH and not wish.constraint]
    apart = place is not None and stage.place is not None and place != stage.place
    known = upgrade or apart
    if (
        not known
        and stage.open is not None
        and asked
        and not any("+" in w.specifier or w.url for w in asked)
    ):
        return  # whether what is there satisfies cannot be known
    installed = {} if known else stage.installed
    model = uv_model.resolve if tool == "uv" else pip_model.resolve
    found = model(document, stage.scene, installed)
    if found.status == "nothing" or (
        found.status == "open"
        and not found.choices
        and not reading.gaps
        and not _names_torch(reading)
    ):
        return  # fmt: skip
    stage.tool = tool
    stage.take(found, at, backend="torch-backend" in reading.options, place=place)


def _names_torch(reading: Reading) -> bool:
    return any(
        family(wish.name) and brings_torch(wish.name, wish.extras) and not wish.constraint
        for wish in reading.wishes
    )
