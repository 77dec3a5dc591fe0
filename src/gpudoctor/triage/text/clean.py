"""What people paste, made plain: encodings, line ends, colours, quotes, fences, log prefixes."""

from __future__ import annotations

from gpudoctor.model.pattern import late_pattern

# CSI and OSC sequences and two-byte escapes (ECMA-48). Bounded, so that a lone ESC costs nothing.
_ESCAPES = late_pattern(
    r"\x1b(?:\[[0-?]{0,40}[ -/]{0,8}[@-~]|\][^\x07\x1b]{0,400}(?:\x07|\x1b\\)|[@-Z\\-_])"
    r"|\x9b[0-?]{0,40}[@-~]"
)
_CONTROLS = late_pattern(r"[\x00-\x08\x0b\x0e-\x1f\x7f\u200b\u200e\u200f\u2060\ufeff]")
_FENCE = late_pattern(r"^\s{0,3}(?:```|~~~)[\w+ .-]{0,40}$")
_QUOTE = late_pattern(r"^(?:\s{0,3}>\s?){1,5}")
_SMART = str.maketrans(
    {
        "\u2018": "'",
        "\u2019": "'",
        "\u201a": "'",
        "\u201b": "'",
        "\u00b4": "'",
        "\u2032": "'",
        "\u201c": '"',
        "\u201d": '"',
        "\u201e": '"',
        "\u00a0": " ",
        "\u202f": " ",
        "\u3000": " ",
        "\uff1a": ":",
        "\uff1d": "=",
        "\uff08": "(",
        "\uff09": ")",
        "\uff0c": ",",
    }
)
_ENTITIES = (
    ("&lt;", "<"),
    ("&gt;", ">"),
    ("&quot;", '"'),
    ("&#39;", "'"),
    ("&#x27;", "'"),
    ("&amp;", "&"),
)

_TABLE = "|+=-"
_NARROWEST, _WIDEST = 40, 300
_ALIKE = 12
_WITHOUT_DIGITS = dict.fromkeys(map(ord, "0123456789"))
# Prefixes that carry no message of their own: compose services, torchrun ranks, vLLM workers.
_PREFIX = late_pattern(
    r"^(?:[\w.-]{1,40}-\d+ {1,4}\| |\[(?:default\d*|rank ?\d+|\d+)\]: ?"
    r"|\((?:\w{1,40} )?pid=\d+[^)]{0,40}\) ?"
    r"|\((?!(?i:osx|mac|win|linux|ubuntu|wsl|amd|rtx|gtx))\w{1,30}\) )"
)


def decode(data: bytes) -> str:
    """Bytes as text: UTF-8, or the UTF-16 that PowerShell's `>` writes, with or without a mark.

    Bytes that are no text become U+FFFD; nothing raises.
    """
    return data.decode(encoding(data[:4096]), "replace")


def encoding(head: bytes) -> str:
    """The encoding that the first bytes of a file show."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    if head.startswith(b"\xef\xbb\xbf"):
        return "utf-8-sig"
    # ASCII in UTF-16 without a mark: every other byte is zero.
    if len(head) >= 16:
        even, odd = head[0::2].count(0), head[1::2].count(0)
        if odd > len(head) * 0.3 and even < len(head) * 0.05:
            return "utf-16-le"
        if even > len(head) * 0.3 and odd < len(head) * 0.05:
            return "utf-16-be"
    return "utf-8"


def clean(text: str) -> str:
    """The text without what terminals, forums and log collectors put around it.

    Line ends become `\\n` (a progress bar's carriage return ends a line too); escape sequences,
    control characters, Markdown fences, `>` quotes and log prefixes go; typographic quotes and
    full-width punctuation become plain. The order and content of lines stay.
    """
    text = _ESCAPES.sub("", text)
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x0c", "\n")
    text = _CONTROLS.sub("", text).translate(_SMART)
    if "&" in text:
        for entity, plain in _ENTITIES:
            text = text.replace(entity, plain)
    lines = [_line(line) for line in text.split("\n") if not _FENCE.match(line)]
    return "\n".join(_unbroken(lines))


def _unbroken(lines: list[str]) -> list[str]:
    """Lines that a terminal broke in the middle of a word, at its last column, made whole again.

    That column is the length of the longest lines. Rows of tables have it too and stay, and so do
    lines of a log, which begin like the line before.
    """
    width = max(map(len, lines), default=0)
    if not _NARROWEST <= width <= _WIDEST:
        return lines
    full = [line for line in lines if len(line) == width and line[:1] not in _TABLE]
    if len(full) < 2:
        return lines
    whole: list[str] = []
    broken, before = False, ""
    for line in lines:
        begins = line[:_ALIKE].translate(_WITHOUT_DIGITS)
        goes_on = broken and line[:1].isalnum() and whole[-1][-1:].isalnum()
        if goes_on and begins != before:
            whole[-1] += line
        else:
            whole.append(line)
        broken = len(line) == width and line[:1] not in _TABLE
        before = begins
    return whole


def _line(line: str) -> str:
    line = line.rstrip()
    if line.lstrip().startswith(">") and not line.lstrip().startswith(">>>"):
        line = _QUOTE.sub("", line)
    if prefix := _PREFIX.match(line):
        line = line[prefix.end() :]
    return line
