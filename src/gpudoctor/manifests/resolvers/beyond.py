"""Releases of torch that the knowledge base does not have: what allows them is left open."""

from __future__ import annotations

from collections.abc import Sequence

from gpudoctor.kb.software import indexes as kb_indexes
from gpudoctor.kb.software import torch_releases
from gpudoctor.manifests.install_file import Wish
from gpudoctor.model.requirements.specifier import allows, version
from gpudoctor.model.terms.version import public_version

# Releases before and after those of the knowledge base, as far as people ask for them, and the last
# Python 3 that the older ones have wheels for.
_OLDER = ("1.7.1", "1.8.1", "1.10.2", "1.11.0", "1.12.1")
_NEWER = ("2.99.0", "3.0.0")
_LAST_OF_OLD = 10


def beyond_known(wishes: Sequence[Wish], urls: Sequence[str], python: str) -> str | None:
    """A release that is allowed, may lie there, and is not known: older or newer than all that are.

    `None`: there is none.
    """
    specifiers = [public_version(wish.specifier) for wish in wishes if wish.specifier]
    if not specifiers:
        return None
    pinned = {w.lstrip("=").split(",")[0].strip() for w in specifiers if w.startswith("==")}
    tried = [text for text in pinned if "*" not in text]
    old_too = _may_be_old(urls, python)
    known = [release.version for release in torch_releases.releases()]
    for text in (*tried, *_NEWER, *(_OLDER if old_too else ())):
        old = version(text) < version(known[0])
        if text in known or not (old or version(text) > version(known[-1])):
            continue
        if old and not old_too:
            continue
        if all(allows(specifier, text) for specifier in specifiers):
            return str(text)
    return None


def _may_be_old(urls: Sequence[str], python: str) -> bool:
    """Whether releases before the first known one may lie there, with wheels for this Python."""
    minor = int(python.rstrip("t").partition(".")[2] or 0)
    if minor > _LAST_OF_OLD:
        return False
    known = torch_releases.variants()
    places = [kb_indexes.carried(url) for url in urls]
    return any(
        place.kind in ("pypi", "pytorch")
        or place.variant == "cpu"
        or (place.variant is not None and place.variant not in known)
        for place in places
    )
