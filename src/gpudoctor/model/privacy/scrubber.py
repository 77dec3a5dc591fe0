"""Private details in text, and what stands in their place.

Every replacement keeps the shape: a path stays a path, a URL a URL, and the same UUID becomes the
same label wherever it occurs, so that what hangs together still does.
"""

from __future__ import annotations

import re

from gpudoctor.model.value import dataclass, field

_END = r"(?=[/\\:;,\"'\s)\]>]|\Z)"
_UUID = r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
# Older drivers name a MIG instance by its GPU's UUID and two numbers.
_UUIDS = re.compile(rf"\b(?:(MIG)-(?:GPU-)?({_UUID}(?:/\d+/\d+)?)|(?:(GPU)-)?({_UUID}))\b")
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{0,19}://)([^\s\"'<>]*)")
_POSIX_HOME = re.compile(
    r"(?<![\w.~-])(?:/[\w.-]+){0,3}?/(?:home|Users)/(?!Shared/|runner/)[^/\\:;,\"'\s()<>]+"
)
_ROOT_HOME = re.compile(rf"(?<![\w./~-])/root{_END}")
_WINDOWS_HOME = re.compile(
    r"[A-Za-z]:(\\\\|\\|/)Users\1(?!Public\b|Default\b|All Users\b)"
    r"(?:[^\\/:*?\"<>|\r\n;,]+(?=[\\/])|[^\\/:*?\"<>|\s;,]+)",
    re.IGNORECASE,
)
_SERIAL = re.compile(
    r"((?:Board )?Serial(?: Number)?[^\S\n]*[:=][^\S\n]*)(?!N/A\b|removed\b)\S+", re.I
)
_SYSLOG = re.compile(
    r"^((?:[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT[\d:.,]+(?:Z|[+-]\d\d:?\d\d)?) )"
    r"([\w.-]+)(?= (?:kernel|[\w./-]+\[\d+\]):)",
    re.MULTILINE,
)
_EMAIL = re.compile(r"(?<![\w/:.*+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b")
_TOKENS = re.compile(
    r"\b(?:hf_[A-Za-z0-9]{16,}|gh[pousr]_[A-Za-z0-9]{16,}|github_pat_\w{16,}|glpat-[\w-]{16,}|"
    r"sk-[\w-]{16,}|nvapi-[\w-]{16,}|AKIA[A-Z0-9]{16}|pypi-[\w-]{16,}|xox[a-z]-[\w-]{10,}|"
    r"eyJ[\w-]{8,2000}\.[\w-]{8,4000}\.[\w-]{8,})"
)
# Short words without a sign that any pattern here asks for; nearly all strings of a sheet are so.
_HARMLESS = re.compile(r"(?:\w{0,17}(?:[ .,()\[\]'\"=+]|\Z))*\Z", re.ASCII)
# Hosts that everyone knows. Any other host's name says where somebody works.
_PUBLIC_HOSTS = re.compile(
    r"(?:[\w-]+\.)*(?:pypi\.org|pythonhosted\.org|pytorch\.org|nvidia\.com|amd\.com|intel\.com|"
    r"github\.com|githubusercontent\.com|gitlab\.com|huggingface\.co|anaconda\.org|anaconda\.com|"
    r"prefix\.dev|conda-forge\.org|astral\.sh|python\.org|readthedocs\.io|microsoft\.com|"
    r"apple\.com|ubuntu\.com|debian\.org|tsinghua\.edu\.cn|aliyun\.com|localhost)\Z",
    re.IGNORECASE,
)
# A user called so would take half of the file system with him.
# fmt: off
_NO_NAMES = frozenset({
    "torch", "nvidia", "cuda", "python", "python3", "pip", "conda", "lib", "lib64", "usr",
    "bin", "opt", "local", "share", "var", "data", "work", "src", "home", "root", "user",
    "users", "site-packages", "dist-packages", "envs", "env", "venv", "include", "etc", "tmp",
    "mnt", "run", "dev", "proc", "sys", "app", "apps", "workspace", "project", "projects",
    "code", "main", "test", "tests", "linux", "windows", "ubuntu", "admin", "runner", "jovyan",
    "nobody", "shared", "public", "default", "kernel", "localhost", "host",
})
# fmt: on


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose machine it is, as far as its own environment tells it."""

    home: str | None = None
    user: str | None = None
    host: str | None = None


@dataclass(slots=True)
class Scrubber:
    """Takes private details out of texts; one for each sheet, so that labels agree."""

    identity: Identity = field(default_factory=Identity)
    _labels: dict[str, str] = field(default_factory=dict)
    _own: list[tuple[re.Pattern[str], str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        home = (self.identity.home or "").rstrip("/\\")
        if len(home) > 3:
            self._own.append((re.compile(rf"(?<![\w.~-]){re.escape(home)}{_END}"), "~"))
        user, host = self.identity.user or "", self.identity.host or ""
        if len(user) >= 3 and user.lower() not in _NO_NAMES:
            pattern = re.compile(rf"(?<=[/\\]){re.escape(user)}{_END}|\b{re.escape(user)}(?=@)")
            self._own.append((pattern, "USER"))
        if len(host) >= 3 and host.lower() not in _NO_NAMES:
            for name in dict.fromkeys((host, host.split(".")[0])):
                if len(name) >= 3 and name.lower() not in _NO_NAMES:
                    pattern = re.compile(rf"(?<![\w/\\.-]){re.escape(name)}(?![\w-])")
                    self._own.append((pattern, "HOST"))

    def text(self, text: str) -> str:
        """The text without private details; applying it again changes nothing."""
        if not self._own and _HARMLESS.match(text) and "eyJ" not in text:
            return text
        text = _URL.sub(self._url, text)
        for pattern, replacement in self._own:
            text = pattern.sub(replacement, text)
        text = _WINDOWS_HOME.sub("~", text)
        text = _POSIX_HOME.sub("~", text)
        text = _ROOT_HOME.sub("~", text)
        text = _UUIDS.sub(self._uuid, text)
        text = _SYSLOG.sub(r"\1HOST", text)
        text = _SERIAL.sub(r"\1removed", text)
        text = _TOKENS.sub("***", text)
        return _EMAIL.sub("***@***", text)

    def _uuid(self, match: re.Match[str]) -> str:
        kind = "MIG" if match[1] else "GPU" if match[3] else "UUID"
        value = (match[2] or match[4]).lower()
        count = sum(label.startswith(kind) for label in self._labels.values())
        return self._labels.setdefault(f"{kind} {value}", f"{kind}-removed-{count + 1}")

    def _url(self, match: re.Match[str]) -> str:
        scheme, rest = match[1], match[2]
        if scheme.lower() == "file://":
            return scheme + self._path(rest)
        secret, host, port, tail = split_url(rest)
        shown = host if _PUBLIC_HOSTS.match(host) or not host else "host-removed"
        path, mark, query = _cut(tail, "?")
        return (
            f"{scheme}{'***@' if secret else ''}{shown}{port}{path}{mark}{'***' if query else ''}"
        )

    def _path(self, text: str) -> str:
        for pattern, replacement in self._own:
            text = pattern.sub(replacement, text)
        return _POSIX_HOME.sub("~", text)


def strip_credentials(text: str) -> str:
    """`https://user:token@host/?sig=x` → `https://***@host/?***`, for every URL in the text."""

    def without(match: re.Match[str]) -> str:
        secret, host, port, tail = split_url(match[2])
        path, mark, query = _cut(tail, "?")
        shown = f"{path}{mark}{'***' if query else ''}"
        return f"{match[1]}{'***@' if secret else ''}{host}{port}{shown}"

    return _URL.sub(without, text)


def split_url(rest: str) -> tuple[str, str, str, str]:
    """What follows `scheme://`: credentials, host, port with its colon, and the remainder.

    A password may hold what it must not, unquoted: `/`, `@` or `:`. So what looks like a port is
    taken for a password if an `@` follows anywhere: better to lose a path than to show a secret.
    """
    place, mark, tail = _cut(rest, "/?#")
    secret, _, host = place.rpartition("@")
    name, colon, port = host.partition(":")
    if port and "@" in tail and not host.startswith("["):
        secret, _, after = rest.rpartition("@")
        place, mark, tail = _cut(after, "/?#")
        name, colon, port = place.partition(":")
    return secret, name, colon + port, mark + tail


def _cut(text: str, marks: str) -> tuple[str, str, str]:
    """Split at the first of the marks: before, mark, after."""
    places = [place for mark in marks if (place := text.find(mark)) >= 0]
    if not places:
        return text, "", ""
    place = min(places)
    return text[:place], text[place], text[place + 1 :]
