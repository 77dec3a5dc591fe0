"""What is said of an error by its number (`803`) or its name (`CUDNN_STATUS_NOT_SUPPORTED`)."""

from __future__ import annotations

import re

from gpudoctor.examine.explain.page import Explanation
from gpudoctor.kb.findings import catalogue, error_codes
from gpudoctor.kb.findings.error_codes import ErrorCode

_NUMBER = re.compile(
    r"(?:(?!error|failure|status|code)(?P<library>[a-z]{3,8}) )?"
    r"(?:error|failure|status)?(?: ?code)?[ :=#(]{0,3}"
    r"(?P<number>\d{1,4})\)?\Z",
    re.I,
)


def of_error(text: str) -> Explanation | None:
    """The page about an error; `None` if no library has one of this number or name.

    `803`, `CUDA error 803`, `NVML 18`, `cudaErrorNoDevice`, `hipErrorInvalidDevice`.
    """
    if rows := error_codes.named(text.removesuffix("()")):
        return _page(text, rows)
    match = _NUMBER.match(text)
    if match is None:
        return None
    library = match["library"]
    if library and library.lower() not in {name.lower() for name in error_codes.libraries()}:
        return None
    rows = error_codes.numbered(int(match["number"]), library)
    return _page(text, rows) if rows else None


def _page(text: str, rows: tuple[ErrorCode, ...]) -> Explanation:
    subject = rows[0].names[0] if len(rows) == 1 or not text[-1:].isdigit() else text
    lines = [f"# {subject}", ""]
    for row in rows:
        names = " or ".join(row.names)
        until = f", up to {row.library} {row.until}" if row.until else ""
        lines.append(f"- {row.library} {row.number}{until}: {names}. {_opened(row.says)}.")
        if row.cause:
            entry = catalogue.entry(row.cause)
            lines.append(f"  Most often {entry.code} ({entry.name}): {entry.meaning}")
            lines.append(f"  `gpudoctor explain {entry.code}` says what to do.")
    return Explanation(kind="error", subject=subject, markdown="\n".join(lines) + "\n")


def _opened(sentence: str) -> str:
    """With a capital, unless it opens with a name that has none: cuDNN, cuBLAS."""
    first = sentence.split(" ", 1)[0]
    return f"{sentence[:1].upper()}{sentence[1:]}" if first.islower() else sentence
