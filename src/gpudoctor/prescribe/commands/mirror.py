"""The index that wheels come from: the official one, or a company's mirror of its root.

Credentials in a mirror's URL travel by environment variable and never stand in a command line,
which other users of the machine can read, nor in a report.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpudoctor.errors import UsageError
from gpudoctor.model.lazy import later
from gpudoctor.model.value import dataclass

if TYPE_CHECKING:
    from urllib import parse as url_parse
else:  # most plans name no mirror
    url_parse = later("urllib.parse")

OFFICIAL_ROOT = "https://download.pytorch.org/whl"


@dataclass(frozen=True, slots=True)
class MirroredIndex:
    """One index: what is shown of it, and the options that name it to pip and uv."""

    shown: str | None
    """URL without credentials; `None` means the tool's own default index."""
    has_credentials: bool = False

    @property
    def options(self) -> tuple[str, ...]:
        """`--index-url URL`; nothing where the environment carries it."""
        if self.shown is None or self.has_credentials:
            return ()
        return ("--index-url", self.shown)

    def note(self, tool: str) -> str:
        """What must be said where the URL carries credentials, as a sentence; else nothing."""
        if not self.has_credentials:
            return ""
        return (
            f" The index is given by {variable(tool)}, with the credentials of your mirror; "
            "gpudoctor sets it for the command that it runs, and shows it nowhere."
        )


def variable(tool: str) -> str:
    """The environment variable that names the index to a tool."""
    return "UV_DEFAULT_INDEX" if tool == "uv" else "PIP_INDEX_URL"


def index_for(variant_url: str | None, mirror: str | None) -> MirroredIndex:
    """The index of a variant: `https://download.pytorch.org/whl/cu128`, or the mirror's.

    Only what lies below the official root moves to the mirror; an index of another publisher
    (AMD's, Jetson's) stays.

    Raises:
        UsageError: the mirror is no http, https or file URL.
    """
    url = index_url(variant_url, mirror)
    if url is None:
        return MirroredIndex(None)
    # On the start-up path: urllib.parse costs more than the rest of this module.
    if not any(mark in url for mark in "@?#"):
        return MirroredIndex(url)

    parts = url_parse.urlsplit(url)
    if "@" not in parts.netloc and not parts.query and not parts.fragment:
        return MirroredIndex(url)
    # A query is a credential too: `?token=…`.
    host = parts.netloc.rpartition("@")[2]
    shown = url_parse.urlunsplit(parts._replace(netloc=host, query="", fragment=""))
    return MirroredIndex(shown, has_credentials=True)


def index_url(variant_url: str | None, mirror: str | None) -> str | None:
    """The URL of a variant's index with the mirror's credentials; never to be shown."""
    if mirror is None:
        return variant_url
    check_mirror(mirror)
    if variant_url is None or not variant_url.startswith(OFFICIAL_ROOT):
        return variant_url
    path, mark, query = mirror.partition("?")
    return path.rstrip("/") + variant_url[len(OFFICIAL_ROOT) :] + mark + query


def index_environment(tool: str, variant_url: str | None, mirror: str | None) -> dict[str, str]:
    """Variables for the process that installs: the index with its credentials, or nothing."""
    if not index_for(variant_url, mirror).has_credentials:
        return {}
    url = index_url(variant_url, mirror)
    return {variable(tool): url} if url else {}


def check_mirror(url: str) -> None:
    """Whether `--index-url` names something that can be an index.

    Raises:
        UsageError: it cannot; the message does not repeat credentials.
    """
    try:
        parts = url_parse.urlsplit(url)
    except ValueError:
        raise UsageError("--index-url is not a URL") from None
    if parts.scheme not in ("http", "https", "file") or not (parts.netloc or parts.path):
        shown = url_parse.quote(parts.scheme, safe="") or "no scheme"
        raise UsageError(f"--index-url takes an http, https or file URL, not one with {shown}")
