"""Credentials taken out of text before it is shown or kept."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import parse_qsl, unquote, urlsplit

_IN_URL = re.compile(r"(?<=://)[^/\s@]{1,1000}@")
# Everything behind the `?` of a URL may be a credential: a token, a signature.
_QUERY = re.compile(r"(://[^\s?#'\"<>]{1,2000}\?)[^\s#'\"<>]{1,4000}")


def scrub(text: str, secrets: Sequence[str] = ()) -> str:
    """`text` without the `secrets`, and without `user:password@` and queries in any URL."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, "***")
    return _QUERY.sub(r"\1***", _IN_URL.sub("***@", text))


def secrets_of(url: str | None) -> tuple[str, ...]:
    """The user's name, the password, both, and the query, as they stand in a URL."""
    if not url:
        return ()

    try:
        parts = urlsplit(url)
        queried = [value for _, value in parse_qsl(parts.query)]
    except ValueError:
        return ()
    credentials = parts.netloc.rpartition("@")[0]
    password = credentials.partition(":")[2]
    found = (credentials, unquote(credentials), password, unquote(password), parts.query, *queried)
    return tuple(dict.fromkeys(text for text in found if text))
