"""What kind of text it is: a program's output, or a text that only speaks about messages."""

from __future__ import annotations

import re
from typing import Literal

from gpudoctor.model.pattern import late_pattern
from gpudoctor.triage.text.cleaned_text import Text

Nature = Literal["output", "source", "documentation"]

_CODE = late_pattern(
    r"^\s*(?:import \w|from [\w.]+ import |def \w|class \w|return\b|if .{1,120}:$|elif |else:"
    r"|for .{1,120}:$|while .{1,80}:$|"
    r"try:|except\b|finally:|with .{1,120}:$|raise \w|assert |@\w|#include|#define|#if|#endif"
    r"|namespace |template ?<|using |"
    r"(?:static|const|void|int|bool|auto|let|var|public|private|protected|func|fn|pub|impl|struct"
    r"|enum|package|export|function)\b|"
    r"[\w.\[\]'\"]{1,60} ?(?:\+|-|\|)?= |[})\]];?,?$|\w+\(.{0,120}\);?$|//|/\*|\*/|\* |\"\"\"|'''"
    r"|case .{1,60}:|self\.)"
)
_LITERAL = late_pattern(
    r"^\s*(?:[rfbu]{1,2})?\"[^\"]{0,200}\"[,)\]}]{0,4}$"
    r"|^\s*\"[\w.-]{1,60}\": ?(?:[(\[{\"].{0,200})?[,(\[{)\]}]{1,4}$"
)
_TRACE = late_pattern(r"^\s*(?:\[[\w ]{1,20}\]:? ?)?Traceback \(most recent call last\)", re.M)
_HEADING = late_pattern(
    r"^(?:#{1,4} {1,3}|={2,4} )?(?:\d+[.)] ?)?[^\w\n]{0,6}(?:Installation|Install(?:ing)?|Usage"
    r"|Quick ?start|Getting [Ss]tarted|Features|License|Contributing|Contributors|"
    r"Acknowledge?ments?|Citation|Requirements|Prerequisites|Documentation|Troubleshooting|FAQ"
    r"|Frequently Asked Questions|Changelog|Roadmap|Examples?|Table of [Cc]ontents|Configuration"
    r"|Overview|Support)\b.{0,40}$",
    re.M,
)
_TITLE = late_pattern(r"^# \S.{0,120}$|^={3,}$", re.M)
_ISSUE = late_pattern(
    r"Describe the (?:bug|issue)|To [Rr]eproduce|Steps to [Rr]eproduce|Expected behaviou?r"
    r"|Collecting environment information|^Bug [Dd]escription|^### (?:Versions|Environment"
    r"|Your current environment)|🐛",
    re.M,
)

# Words of a text that tells others what they may meet.
_SPOKEN_OF = late_pattern(
    r"\bbecause you (?:have |had )?(?:\w{2,12} ){0,2}(?:the |a )?$|"
    r"(?:\bif|when|whenever|in case|should) you(?:'re| are)? (?:see|get|getting|encounter"
    r"|run into|receive|hit|have|face|meet|still)\b|"
    r"(?:errors?|messages?|warnings?|exceptions?|failures?) (?:like|such as|similar to"
    r"|of the form)\b|(?:\be\.g\.|\bfor example\b)[^.]{0,12}$|"
    r"\b(?:fixes|fixed|fix|resolves|handles?|detects?|catches?|raises|throws|returns|prints|tests?"
    r"|checks?|renames?|adds?|removes?|maps?|wraps?|mentions?|documents?) "
    r"(?:a |an |the |for |when |if )?(?:rare |spurious |possible )?[`'\"]?$",
    re.I,
)
_PLAIN_WORD = late_pattern(r"(?<![\w.(])[a-z]{2,20}(?![\w(.=])")
_SENTENCE = 5
_SYMBOL = late_pattern(r"[=(){}\[\];]|^\s*(?:#|//|[-*] )|\b(?:raise|print|throw|assert|echo)\b")
_OPENED = late_pattern(r"(?:^|[\s(=,\[{:+!]|\b[rbfuRBFULu]8?)$")
_CODE_BEFORE = late_pattern(
    r"(?:\w\(|[=,(\[{+]\s?|\b(?:raise|print|throw|assert|return|in|if|elif|not|and|or|case|echo"
    r"|match|contains|==|!=)\b[^\"']{0,60}|^\s*-?\s?[\w.-]{1,40}:\s?|^\s*-?\s?|//.{0,80}"
    r"|\bL)[rbfuRBFU]{0,2}$"
)
_DATA_KEY = late_pattern(
    r"[\"']?(?:error|err|message|msg|exception|exc_info|stderr|stdout|output|log|detail|details"
    r"|reason|traceback|text|body|description|status)[\"']?\s?[:=]\s?$",
    re.I,
)
# An exception as Python prints it in a log: `Failed to import from x with ImportError('...')`, or
# with several arguments: `urllib3.exceptions.ProtocolError: ('Connection broken: ...', ...)`.
_CAUGHT = late_pattern(
    r"^\s*[\w.]{1,120}(?:Error|Exception): \($| [:/] \w{1,30}(?:Error|Exception)\($|"
    r"(?<!raise )(?<!throw new )\b(?:with|error|exception|failed|because|due to|got)\b:? "
    r"\w{0,30}(?:Error|Exception)\($",
    re.I,
)

# What stands before a message in back quotes: it is told to others, or it happened.
_OF_OTHERS = late_pattern(r"\b(?:you|users?|error|see)\b", re.I)
_HAPPENED = late_pattern(
    r"\bI \b|\b(?:[Ww]e|my|our) \b|\b(?:it|pod|container|job|script|build|run) "
    r"(?:now |then |always |still )?(?:returns|says|shows|fails|gives|reports|prints|crashes)\b"
    r"|\b(?:got|getting|fails with|failed with)\b"
)

# An exception as Triton's compiler prints it below the code: `ValueError("type fp8e4nv not ...")`.
_ALONE = late_pattern(r"(?:Value|Runtime|Type|Assertion|Index|Key|Import|OS|Compilation)Error\($")

_FIRST = late_pattern(
    r"(?:[rR]?\"\"\"|\'\'\'|#!|from |import |#include|package |//|/\*|# [a-z]+: noqa)"
)
_DEFINES = late_pattern(
    r"^(?:from \S{1,80} import |import \w|def \w|class \w|#include|func |fn |@\w"
    r"|#pragma |#ifn?def |#define |namespace |template ?<|struct |using |static |typedef )"
)
_SECTION = late_pattern(r"^## ?(.{1,80})$", re.M)
_ISSUE_WORDS = late_pattern(
    r"bug|environment|reproduc|summary|actual|expected|version|log|describe|system|error|"
    r"context|question|output|setup|issue|problem|hardware|screenshot|traceback|repro",
    re.I,
)
_SETTING = late_pattern(r"^\s*(?:- )?\{?[a-z_][a-z0-9_-]{0,40}: ?\S?|^\s*#|^\s*- ")
_SETTINGS = 25
# A page explains terms and speaks of nobody; an issue's author says what happened to them.
_TERMS = 12
_TABLE_RULE = late_pattern(r"^\|(?: ?:?-{3,}:? ?\|){2,}\s*$", re.M)
_SOMEBODY = late_pattern(r"\b(?:I(?!/)|I'm|I've|my|We)\b")
# What stands before a page's title: its licence in a comment, or its front matter.
_PREFACE = late_pattern(r"\A\s*(?:<!--.{0,4000}?-->\s*|---\n.{0,2000}?\n---\s*)+", re.S)
_COMMENT = late_pattern(r"^\s*(?:#(?! {0,2}\w+ Traceback)|//|/\*|\*|--|;)")
_DEFINITIONS = 5
# A release in a list of changes: `## [1.2.3] - 2024-01-02`, `binutils (2.40-2) unstable; urgency=`,
# `2023-03-12  Name  <name@host>` of GNU, `1f0c2aa Fix the build` of `git log --oneline`.
_CHANGE = late_pattern(
    r"^(?:#{1,4} |=+ )?(?:v(?:ersion )?|release |\[)?\d{1,4}\.\d{1,3}(?:\.\d{1,3})?\S{0,20}\]?"
    r"(?:\(\S+\))?[ :(-]{1,4}.{0,20}\b(?:19|20)\d\d\b.{0,20}$"
    r"|^[a-z0-9][\w.+-]{1,60} \([^)\s]{1,60}\) [\w -]{2,40}; urgency="
    r"|^(?:19|20)\d\d-\d\d-\d\d  \S.{2,60}  <[^>]{3,80}>"
    r"|^(?:\* )?(?=[0-9a-f]{0,11}\d)[0-9a-f]{6,12} (?:\([^)\n]{1,60}\) )?[A-Za-z][a-z]+\b.{4,}$",
    re.M | re.I,
)
_CHANGES = 3


# Markup of a manual: directives and roles of reStructuredText.
_DIRECTIVE = late_pattern(
    r"^\s*\.\. [\w-]{3,30}::|:(?:func|class|ref|doc|mod|meth|attr|envvar):`", re.M
)
_DIRECTIVES = 3
_UNDERLINED = late_pattern(r"^\S.{2,100}\n([=~^*-])\1{3,}\s*$", re.M)


def _reads_as_documentation(plain: str, lines: list[str]) -> bool:
    """A title and three sections, none of which is one of an issue's.

    The sections of an issue are called by a word or two: "Steps to reproduce", "Environment".
    """
    if not lines[0].startswith("# "):
        return False
    explains = plain.count("`") >= _TERMS or _TABLE_RULE.search(plain)
    if explains and not _SOMEBODY.search(plain):
        return True
    sections = _SECTION.findall(plain)
    if len(sections) < 3:
        return False
    of_issues = sum(
        1 for section in sections if len(section.split()) <= 3 and _ISSUE_WORDS.search(section)
    )
    # A page of an example has "Expected output" among its sections; nobody speaks in it.
    return of_issues == 0 or (2 * of_issues < len(sections) and not _SOMEBODY.search(plain))


def _reads_as_a_manual(plain: str) -> bool:
    """Two underlined headings and directives of reStructuredText, and nobody speaks of himself."""
    return (
        len(_DIRECTIVE.findall(plain)) >= _DIRECTIVES
        and len(_UNDERLINED.findall(plain)) >= 2
        and not _SOMEBODY.search(plain)
    )


def _is_a_program(lines: tuple[str, ...]) -> bool:
    """A file of a program from its first line on: comments, then imports and definitions."""
    body = iter(line for line in lines if line.strip())
    first = next(body, "")
    while first and _COMMENT.match(first):
        first = next(body, "")
    if not (_FIRST.match(first.strip()) or _DEFINES.match(first)):
        return False
    return sum(1 for line in lines if _DEFINES.match(line)) >= _DEFINITIONS


def _reads_as_source(lines: list[str]) -> bool:
    """Begins and goes on as a file of a programming language, or is a long file of settings."""
    if _FIRST.match(lines[0].strip()) and sum(1 for x in lines if _DEFINES.match(x)) >= 3:
        return True
    settings = sum(1 for line in lines if _SETTING.match(line))
    return len(lines) > _SETTINGS and settings > 0.8 * len(lines)


def nature(text: Text) -> Nature:
    """Whether the text as a whole is output (or a report of it), source code or documentation."""
    plain = text.plain
    head = next((line for line in text.lines if line.strip()), "")
    if head.startswith("Metadata-Version:") or len(_CHANGE.findall(plain)) >= _CHANGES:
        return "documentation"
    if _is_a_program(text.lines):
        return "source"
    if _TRACE.search(plain) or _ISSUE.search(plain):
        return "output"
    lines = [line for line in text.lines if line.strip()]
    if len(lines) < 8:
        return "output"
    headings = {match[0].strip("#= ").lower() for match in _HEADING.finditer(plain)}
    if len(headings) >= 3 or (len(headings) >= 2 and _TITLE.search(plain)):
        return "documentation"
    page = _PREFACE.sub("", plain, count=1)
    if _reads_as_documentation(page, page.split("\n")) or _reads_as_a_manual(plain):
        return "documentation"
    if _reads_as_source(lines):
        return "source"
    code = sum(1 for line in lines if _CODE.match(line) or _LITERAL.match(line))
    return "source" if code > 0.5 * len(lines) else "output"


# Lines of a test's report that say that it passed: pytest, TAP, CTest, GoogleTest.
_PASSED = late_pattern(
    r"^\s*(?:ok \d{1,6}\b|PASSED\b|\[ {7}OK \]|\[ RUN {6}\]|\d{1,6}/\d{1,6} Test .{1,200}Passed\b)"
    r"|\bPASSED(?: +\[ *\d{1,3}%\])?\s*$"
)


def only_mentions(line: str, column: int) -> bool:
    """Whether what stands at `column` is quoted in code or spoken of, rather than put out.

    A message in a string literal of source code, in a table of patterns, or behind "if you see"
    happened to nobody. A line of JSON is a log's, and so is a value called `error`.
    """
    if _PASSED.search(line[:600]):
        return True
    before = line[:column]
    if _SPOKEN_OF.search(before[-160:]):
        return True
    stripped = line.strip()
    if stripped.startswith("{") and stripped.endswith(("}", "},")):
        return False
    for quote in ('"', "'", "`"):
        if before.count(quote) % 2 == 0:
            continue
        opening = before.rfind(quote)
        prefix = before[:opening]
        if quote == "'" and prefix[-1:].isalpha():
            continue  # an apostrophe
        if _DATA_KEY.search(prefix) or _CAUGHT.search(prefix):
            return False
        if _ALONE.match(prefix) and stripped.endswith(f"{quote})"):
            return False
        if quote == "`":
            return bool(_OF_OTHERS.search(prefix)) and not _HAPPENED.search(prefix)
        told = not prefix.strip() and stripped.endswith((f".{quote}", f"!{quote}"))
        if told and len(_PLAIN_WORD.findall(stripped)) >= _SENTENCE:
            return False  # a whole sentence in quotation marks, as people write down what they saw
        if len(_PLAIN_WORD.findall(prefix)) >= _SENTENCE and not _SYMBOL.search(prefix):
            return False  # somebody quotes in a sentence what they saw
        return _CODE_BEFORE.search(prefix) is not None and bool(
            prefix.strip() or stripped.endswith((",", ")", ");", '"', "'", '",', "',", "\\"))
        )
    return False
