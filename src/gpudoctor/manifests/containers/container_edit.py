"""The prescription as an edit of a Dockerfile or a compose file: its command, or its base image.

Sources: pip.pypa.io/en/stable/cli/pip_install, docs.astral.sh/uv/guides/integration/pytorch
(--torch-backend), the tags of pytorch/pytorch on Docker Hub.
"""

from __future__ import annotations

import re
import shlex

from gpudoctor.kb.software import images as kb_images
from gpudoctor.manifests.choice import Brought
from gpudoctor.manifests.universe import stack
from gpudoctor.model.finding import FileAt
from gpudoctor.model.requirements.requirement_line import normal
from gpudoctor.model.step import Step
from gpudoctor.model.terms.shell import sentence_step
from gpudoctor.model.terms.version import numbers, public_version

_INDEX = ("-i", "--index-url", "--default-index", "--index", "--extra-index-url")
_LINKS = ("-f", "--find-links")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_TAG = re.compile(r"(\d+\.\d+\.\d+)-cuda(\d+\.\d+)-cudnn\d+-(\w+)\Z")


def in_container(brought: Brought, packages: tuple[str, ...], url: str | None) -> tuple[Step, ...]:
    """What to write in place of the command or the image that decides about torch."""
    if brought.image:
        return (_image(brought, packages, url),)
    new = command(brought, packages, url)
    old = shlex.join(brought.command)
    return (_edit(brought.at, f"`{old}`", new),)


def command(brought: Brought, packages: tuple[str, ...], url: str | None) -> str:
    """The command of a RUN line that installs these packages from that index, one line of shell."""
    words = list(brought.command)
    if "install" not in words or words[0] in ("conda", "mamba", "micromamba"):
        return " ".join(("pip install", *_arguments(packages, url)))
    start = words.index("install") + 1
    head, rest = words[:start], words[start:]
    kept, others = _others(rest, packages)
    uv = "uv" in (word.rsplit("/", 1)[-1] for word in head)
    if brought.backend and uv and url is not None:
        chosen = url.rstrip("/").rsplit("/", 1)[-1]
        plain = [public_version(package) for package in packages]
        return shlex.join([*head, *kept, f"--torch-backend={chosen}", *plain, *others])
    if not others:
        return shlex.join([*head, *kept, *_arguments(packages, url)])
    if url is None:
        return shlex.join([*head, *kept, *packages, *others])
    if uv:  # it takes every package that is on the first index from there
        first = shlex.join([*head, *_flags(kept), *_arguments(packages, url)])
        return f"{first} && {shlex.join([*head, *kept, *others])}"
    return shlex.join([*head, *kept, *packages, "--extra-index-url", url, *others])


def _arguments(packages: tuple[str, ...], url: str | None) -> tuple[str, ...]:
    return packages if url is None else (*packages, "--index-url", url)


def _flags(words: list[str]) -> list[str]:
    """The options that have no value of their own word: `--system`, `--no-cache-dir`."""
    return [word for word in words if word.startswith("--") and "index" not in word]


def _others(words: list[str], packages: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """The options that stay, and what else the command installs, with the files it reads."""
    names = {normal(package.partition("==")[0]) for package in packages}
    kept: list[str] = []
    others: list[str] = []
    position = 0
    while position < len(words):
        word = words[position]
        position += 1
        name, separator, value = word.partition("=")
        if word.startswith("-"):
            if name in (*_INDEX, *_LINKS, "--torch-backend"):
                if not separator:
                    value = words[position] if position < len(words) else ""
                    position += 1
                if name != "--torch-backend" and "/whl" not in value:
                    kept += [word] if separator else [word, value]
            elif name in _FILES:
                others.append(word)
                if not separator and position < len(words):
                    others.append(words[position])
                    position += 1
            elif name in _VALUED and not separator and position < len(words):
                kept.append(f"{word}={words[position]}" if word.startswith("--") else word)
                kept += [] if word.startswith("--") else [words[position]]
                position += 1
            else:
                kept.append(word)
            continue
        bare = _NAME.match(word)
        wheel = "/" in word or word.endswith(".whl")
        of_torch = bare is not None and normal(bare[0]) in names
        if not (of_torch or (wheel and _wheel_of(word) in names)):
            others.append(word)
    return kept, others


_FILES = ("-r", "--requirement", "--requirements", "-c", "--constraint", "--constraints", "-e",
          "--editable", "--group", "--override", "--overrides")  # fmt: skip
_VALUED = (
    "-t", "--target", "-p", "--python", "--prefix", "--root", "--cache-dir", "--timeout",
    "--retries", "--trusted-host", "--progress-bar", "--no-binary", "--only-binary", "--platform",
    "--python-version", "--index-strategy", "--extra", "--build-constraint", "--src", "--log",
    "--global-option", "--config-settings", "-C", "--proxy", "--cert", "--python-platform",
    "--link-mode",
)  # fmt: skip


def _wheel_of(word: str) -> str:
    name = normal(word.rsplit("/", 1)[-1].partition("-")[0])
    return name if stack(name) else ""


def _image(brought: Brought, packages: tuple[str, ...], url: str | None) -> Step:
    """Another tag of the same image; where there is none that is sure, a line after it."""
    name, _, tag = brought.image.partition("@")[0].rpartition(":")
    word = "image:" if brought.at.path.endswith((".yml", ".yaml")) else "FROM"
    if "alpine" in tag and kb_images.image(slim := f"{name}:{tag.replace('alpine', 'slim')}"):
        slim = re.sub(r"slim[\d.]+", "slim", slim)
        return _edit(brought.at, f"`{word} {brought.image}`", f"{word} {slim}")
    if new := _tag(name, tag, packages, url):
        why = "; the tags of the image on Docker Hub say whether it is published"
        return _edit(brought.at, f"`{word} {brought.image}`{why}", f"{word} {name}:{new}")
    where = f"{brought.at.path}, line {brought.at.line}"
    line = " ".join(("RUN pip install", *_arguments(packages, url)))
    if word == "image:":
        text = f"In {where}, build an image on this one (`build:`), whose Dockerfile has the line"
    else:
        text = f"In {where}, right after the line"
    return sentence_step("manual", f"{text}:\n\n{line}")


def _tag(name: str, tag: str, packages: tuple[str, ...], url: str | None) -> str | None:
    """The tag of PyTorch's own image for a build; `None`: its tags do not name it."""
    said = _TAG.match(tag)
    variant = (url or "").rstrip("/").rsplit("/", 1)[-1]
    torch = next((p.partition("==")[2] for p in packages if p.startswith("torch==")), "")
    release = public_version(torch)
    if said is None or not release or not (cuda := re.fullmatch(r"cu(\d+)(\d)", variant)):
        return None
    # cuDNN 9 came with torch 2.4 (the release notes of PyTorch).
    cudnn = 9 if numbers(release) >= (2, 4) else 8
    new = f"{release}-cuda{cuda[1]}.{cuda[2]}-cudnn{cudnn}-{said[3]}"
    found = kb_images.image(f"{name}:{new}")
    return new if found is not None and (found.torch, found.variant) == (release, variant) else None


def _edit(at: FileAt, old: str, new: str) -> Step:
    where = f"{at.path}, line {at.line}" if at.line else at.path
    return sentence_step("manual", f"In {where}, in place of {old}:\n\n{new}")
