"""Text from a machine made harmless: it may carry escape sequences, markup, or bidi controls."""

from __future__ import annotations

import re

# C0 and C1 controls but for newline and tab; Unicode's bidirectional and invisible controls,
# with which a GPU's "name" could rewrite the line it stands in (Trojan Source, CVE-2021-42574).
_CONTROLS = {
    code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in "\n\t"
}
_INVISIBLE = {
    code: f"\\u{code:04x}"
    for code in (
        0x061C,
        *range(0x200B, 0x2010),
        *range(0x2028, 0x202F),
        *range(0x2060, 0x2070),
        0xFEFF,
    )
}
# `git@` is no secret: it is the name that everybody has there.
_CREDENTIALS = re.compile(r"(?<=://)(?!git@)[^\s/@\"'<>`]{1,1000}@")
_TOKENS = re.compile(
    r"([?&][\w.-]{0,40}(?:token|sig|signature|secret|password|credential|api[_-]?key)=)"
    r"[^\s&#\"'<>`\\]{1,4000}",
    re.IGNORECASE,
)
_RUNNER = re.compile(r"#(#\w{0,20})\[")
_TABLE = _CONTROLS | _INVISIBLE


def inert(text: str, *, one_line: bool = True) -> str:
    """`text` with controls shown as escapes; line breaks too, unless `one_line` is false.

    Lone surrogates, which no stream can encode, are replaced. What a CI runner would take for a
    command gets a backslash.
    """
    clean = text.translate(_TABLE).encode("utf-8", "replace").decode("utf-8")
    return no_command(clean.replace("\n", "\\n") if one_line else clean)


def no_credentials(text: str) -> str:
    """`text` without passwords and tokens in its URLs: the last look before anything is put out.

    What is known to be a URL was cleaned where it was read; this is for all that nobody thought of.
    """
    if "://" not in text:
        return text
    if "@" in text:
        text = _CREDENTIALS.sub("***@", text)
    return _TOKENS.sub(r"\1***", text) if "?" in text else text


def no_command(text: str) -> str:
    """`text` without commands to a CI runner, which reads them from stdout and stderr.

    GitHub's obeys `::name::` behind any white space at the beginning of a line, and `##[name]`
    anywhere in one (actions/runner, `ActionCommand.TryParseV2` and `TryParse`, read 2026-11-21);
    Azure's agent and TeamCity obey `##vso[…]` and `##teamcity[…]`.
    """
    if "##" in text:
        text = _RUNNER.sub(r"#\1\\[", text)
    if "::" not in text:
        return text
    return "\n".join(
        f"{line[: len(line) - len(line.lstrip())]}\\{line.lstrip()}"
        if line.lstrip().startswith("::")
        else line
        for line in text.split("\n")
    )


def runner_command_as_json(text: str) -> str:
    """JSON with the same meaning, in which no CI runner finds a command: a letter is escaped."""
    return _RUNNER.sub(lambda found: f"#\\u0023{found[1][1:]}[", text) if "##" in text else text
