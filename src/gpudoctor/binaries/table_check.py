"""Holding the knowledge base's lists of torch's architectures against torch's wheels."""

from __future__ import annotations

import re
from typing import Literal

from gpudoctor.binaries.containers import zip_archive as archive
from gpudoctor.binaries.containers.wheel import open_member, read_wheel
from gpudoctor.binaries.judgement.general import common_architectures
from gpudoctor.binaries.names import distribution_of_wheel
from gpudoctor.binaries.source import FileSource, UnreadableBinaryError
from gpudoctor.kb.software import torch_releases
from gpudoctor.model.parts.binary import Library
from gpudoctor.model.terms.version import local_label
from gpudoctor.model.value import dataclass

_MAIN = re.compile(r"/(?:libtorch_cuda\.so|torch_cuda\.dll)\Z")
_VERSION = re.compile(r"^__version__ = '([^']+)'", re.MULTILINE)
_CUDA = re.compile(r"^cuda\b[^=\n]*= '([\d.]+)'", re.MULTILINE)
_PLATFORMS = (
    (re.compile(r"(?:many|musl)?linux.*_x86_64\Z"), "linux_x86_64"),
    (re.compile(r"(?:many|musl)?linux.*_aarch64\Z"), "linux_aarch64"),
    (re.compile(r"win_amd64\Z"), "win_amd64"),
    (re.compile(r"win_arm64\Z"), "win_arm64"),
    (re.compile(r"macosx.*_arm64\Z"), "macos_arm64"),
    (re.compile(r"macosx.*_x86_64\Z"), "macos_x86_64"),
)
_LARGEST_VERSION_FILE = 1 << 16


@dataclass(frozen=True, slots=True)
class Verified:
    """One wheel against the knowledge base."""

    wheel: str
    """The wheel's path."""
    status: Literal["agrees", "differs", "unknown"]
    """`unknown`: there is nothing to compare, for `reason`."""
    found: tuple[str, ...] = ()
    """SASS and PTX that every general kernel in the wheel carries."""
    expected: tuple[str, ...] = ()
    """What the knowledge base states."""
    reason: str | None = None


def verify(path: str) -> Verified:
    """Compare the architectures in a wheel of torch with those the knowledge base states.

    Raises:
        UnreadableBinaryError: the file cannot be read or is no wheel.
    """
    name = path.replace("\\", "/").rpartition("/")[2]
    if distribution_of_wheel(name) != "torch":
        return Verified(path, "unknown", reason="the knowledge base has lists of torch alone")
    version, cuda = version_of(path)
    platform = _platform(name)
    label = local_label(version) or ("cu" + cuda.replace(".", "") if cuda else "cpu")
    build = torch_releases.build(version, label, platform) if platform else None
    found: tuple[str, ...] = ()
    for each in read_wheel(path):
        if isinstance(each, Library) and _MAIN.search(each.path):
            sass, ptx = common_architectures(each)
            found = sass + ptx
    if build is None:
        reason = f"it knows no torch {version} ({label}) for {platform or 'this platform'}"
        return Verified(path, "unknown", found, reason=reason)
    expected = build.sass + build.ptx
    same = sorted(found) == sorted(expected)
    return Verified(path, "agrees" if same else "differs", found, expected)


def version_of(path: str) -> tuple[str, str | None]:
    """`2.9.1+cu128` and `12.8`, as `torch/version.py` in the wheel at `path` has them.

    Raises:
        UnreadableBinaryError: the file cannot be read, is no wheel, or has no such file.
    """
    try:
        with FileSource(path) as source:
            for member in archive.members(source):
                if member.name == "torch/version.py":
                    text = open_member(source, member).read(0, _LARGEST_VERSION_FILE).decode()
                    version, cuda = _VERSION.search(text), _CUDA.search(text)
                    if version is None:
                        break
                    return version[1], cuda[1] if cuda else None
    except OSError as error:
        raise UnreadableBinaryError(f"{error.strerror}.", path) from error
    except UnicodeDecodeError as error:
        raise UnreadableBinaryError("Its torch/version.py is no text.", path) from error
    except UnreadableBinaryError as error:
        raise UnreadableBinaryError(error.reason, path) from error
    raise UnreadableBinaryError("It has no torch/version.py that states a version.", path)


def _platform(name: str) -> str | None:
    tag = name.removesuffix(".whl").rpartition("-")[2]
    for pattern, platform in _PLATFORMS:
        if any(pattern.search(part) for part in tag.split(".")):
            return platform
    return None
