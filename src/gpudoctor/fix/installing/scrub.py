"""Credentials taken out of text before it is shown or kept."""

from __future__ import annotations

import re
from collections.abc import Sequence

_IN_URL = re.compile(r"(?<=://)[^/\s@]{1,1000}@")


def scrub(text: str, secrets: Sequence[str] = ()) -> str:
    """`text` without the `secrets` and without `user:password@` in any URL."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, "***")
    return _IN_URL.sub("***@", text)


def secrets_of(url: str | None) -> tuple[str, ...]:
    """The user's name, the password, and both, as they stand in a URL; empty without any."""
    if not url or "@" not in url:
        return ()
    from urllib.parse import unquote, urlsplit

    try:
        credentials = urlsplit(url).netloc.rpartition("@")[0]
    except ValueError:
        return ()
    password = credentials.partition(":")[2]
    found = (credentials, unquote(credentials), password, unquote(password))
    return tuple(dict.fromkeys(text for text in found if text))
