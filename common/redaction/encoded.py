"""Secrets in Base64, percent-encoding or JSON's escapes: what is encoded is decoded, and looked at as any other text.

All that is decoded is looked at at once, so that many small pieces cost no more than one large one.
"""

import binascii
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from urllib.parse import unquote

from common.redaction.kinds import Span

Finder = Callable[[str], Iterator[Span]]
SHORTEST = 16
SHORTEST_LINE = 56
"""Shorter lines are words below each other, not one that was wrapped."""
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{16,}+(?:(?:\\n|\r?\n)[ \t]{0,32}[A-Za-z0-9+/_-]{4,}+)*+={0,2}")
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_RUN = re.compile(r"[A-Za-z0-9+/_=-]++")
_PART = re.compile(r"[A-Za-z0-9+_=-]{16,}+")
_BREAK = re.compile(r"\\n|\s++")
_WORD = re.compile(r"[^\s\"'<>]++")
_URL_SAFE = str.maketrans("-_", "+/")
_UNREADABLE = re.compile(r"[\x00-\x08\x0e-\x1f\x7f\ufffd]")
_JOINT = "\n\n"
_MOST_CUT = 3
"""The bytes of a character that the end of the part went through."""


def spans(text: str, inside: Finder) -> Iterator[Span]:
    """Where in a text an encoded part stands that holds a secret.

    Args:
        text: The text.
        inside: The finder of secrets in what was decoded.
    """
    pieces: list[tuple[Span, str]] = []
    for match in _BASE64.finditer(text):
        pieces += _decoded(match)
    if "%" in text:
        for match in _WORD.finditer(text):
            pieces += _unquoted(match)
    yield from _holding(pieces, inside)
    if "\\" in text:
        yield from _escaped(text, inside)


def _escaped(text: str, inside: Finder) -> Iterator[Span]:
    """Secrets in a text that is JSON's or Python's way to write another one."""
    parts: list[str] = []
    plain, escaped = [0], [0]  # where each escape ends, there and here
    size = place = 0
    for match in _ESCAPE.finditer(text):
        letter = _letter(match[1])
        parts += [text[place : match.start()], letter]
        size += match.start() - place + len(letter)
        place = match.end()
        plain.append(size)
        escaped.append(place)
    parts.append(text[place:])
    for start, end in inside("".join(parts)):
        first, last = bisect_right(plain, start) - 1, bisect_right(plain, end - 1) - 1
        stop = escaped[last] + end - plain[last]
        # The last letter may be an escape itself, which is longer here than there.
        following = escaped[last + 1] if last + 1 < len(plain) and plain[last + 1] == end else stop
        yield escaped[first] + start - plain[first], max(stop, following)


def _letter(escape: str) -> str:
    if len(escape) == 5:
        return chr(int(escape[1:], 16))
    return {"n": "\n", "t": "\t", "r": "\r"}.get(escape, escape)


def _decoded(match: re.Match[str]) -> Iterator[tuple[Span, str]]:
    first = _BREAK.split(match[0], maxsplit=1)[0]
    wrapped = len(first) != len(match[0].rstrip("=")) and len(first) >= SHORTEST_LINE
    if wrapped and (said := _text_of(_BREAK.sub("", match[0]))):
        yield match.span(), said
        return
    for word in _RUN.finditer(match[0].replace("\\n", "\n\n")):
        # A path may stand before it, as in a URL: Base64 has no sign for its beginning.
        for part in [word] if (whole := _text_of(word[0])) else _PART.finditer(word.string, *word.span()):
            if said := whole or _text_of(part[0]):
                yield (match.start() + part.start(), match.start() + part.end()), said


def _text_of(word: str) -> str:
    """Return what a word in Base64 says, or nothing when that is no text."""
    word = word.rstrip("=").translate(_URL_SAFE)
    if len(word) < SHORTEST:
        return ""
    word = word[: len(word) - 1] if len(word) % 4 == 1 else word
    try:
        # What is no text, such as a picture, shows itself at once.
        head = binascii.a2b_base64(word[:60] + "=" * (-len(word[:60]) % 4))
        text = head.decode("utf-8", "ignore")
        if _UNREADABLE.search(text) or len(text.encode()) < len(head) - _MOST_CUT:
            return ""
        said = binascii.a2b_base64(word + "=" * (-len(word) % 4)).decode("utf-8", "ignore")
    except binascii.Error:
        return ""
    return "" if _UNREADABLE.search(said[:4096]) else said


def _unquoted(match: re.Match[str]) -> Iterator[tuple[Span, str]]:
    if "%" not in match[0]:
        return
    place = match.start()
    for part in re.split("(&)", match[0]):
        said = unquote(unquote(part)) if "%" in part else part
        if said != part:
            yield (place, place + len(part)), said
        place += len(part)


def _holding(pieces: list[tuple[Span, str]], inside: Finder) -> Iterator[Span]:
    if not pieces:
        return
    begins: list[int] = []
    size = 0
    for _, said in pieces:
        begins.append(size)
        size += len(said) + len(_JOINT)
    hit: set[int] = set()
    for start, end in inside(_JOINT.join(said for _, said in pieces)):
        first, last = bisect_right(begins, start) - 1, bisect_right(begins, max(start, end - 1)) - 1
        hit.update(range(first, last + 1))
    for number in sorted(hit):
        yield pieces[number][0]
