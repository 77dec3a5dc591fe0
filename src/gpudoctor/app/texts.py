"""Texts: `triage` and `explain`."""

from __future__ import annotations

from gpudoctor import arguments as given
from gpudoctor import results
from gpudoctor.errors import UsageError
from gpudoctor.examine.explain import explain as explanation
from gpudoctor.triage import report_on_text as texts


def triage(text: str | bytes, *, name: str = "", keep_private: bool = False) -> results.Diagnosis:
    """What a text says is wrong: a traceback, a log, `collect_env`, `nvidia-smi`, any mixture.

    Args:
        text: the text itself.
        name: how a message calls it.
        keep_private: leave names, paths and identifiers as they are.

    Raises:
        UsageError: it is no text.
    """
    given.readable(name or "triage", text)

    return results.diagnosis(texts.of_string(text, keep_private=keep_private))


def explain(what: str) -> results.Page:
    """The page about a finding, an error, an architecture, a variant or a GPU, as Markdown.

    Raises:
        UsageError: nobody knows it; names the nearest.
    """
    text = given.text("what", what)
    if not text or not text.strip():
        raise UsageError("explain needs a word: GPU201, sm_120, 'RTX 5060 Ti'")

    found = explanation(text)
    return results.page(found.kind, found.subject, found.markdown)
