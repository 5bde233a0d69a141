"""Makes what a system under test said fit for a report: bounded, printable, without secrets.

Not an escaper: each format escapes by its own rules when it renders.
"""

import re
from collections.abc import Iterable, Sequence

REDACTED = "(redacted)"
MAX_TEXT = 2_000
MAX_HEADER = 300
MAX_HEADERS = 60

_SECRET_NAME = re.compile(r"authorization|cookie|token|secret|passw|api[-_]?key|credential|signature", re.IGNORECASE)
_SECRET_TEXT = re.compile(
    r"(?P<keep>\b(?:bearer|basic)\s+|[\"']?[\w-]*(?:token|secret|passw(?:or)?d|api[-_]?key|authorization)[\w-]*[\"']?\s*[:=]\s*[\"']?)"
    r"(?P<secret>[^\s\"',;&]{6,}(?:\s+[^\s\"',;&]{12,})?)",
    re.IGNORECASE,
)
_CONTROL = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if chr(code) not in "\n\t"}
# Direction marks and other invisible characters can make a report read as what it does not say.
_CONTROL |= {
    code: f"\\u{code:04x}" for code in (*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x206A), 0xFEFF)
}
_CONTROL |= {code: f"\\u{code:04x}" for code in range(0xD800, 0xE000)}


def printable(text: str) -> str:
    """The text with control, direction and surrogate characters written out; line ends and tabs stay."""
    return text.translate(_CONTROL)


def bounded(text: str, limit: int = MAX_TEXT) -> str:
    """At most `limit` characters, and how many were left out."""
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text) - limit} more characters)"


def clean(text: object, limit: int = MAX_TEXT) -> str:
    """Text from outside, safe to show: cut (so that a huge one costs nothing), secrets out, then printable."""
    if text is None:
        return ""
    cut = bounded(str(text), limit)
    return printable(_SECRET_TEXT.sub(lambda found: found["keep"] + REDACTED, cut))


def one_line(text: object, limit: int = MAX_HEADER) -> str:
    """As `clean`, on one line."""
    return " ".join(clean(text, limit).split())


def body(text: str | None, limit: int = MAX_TEXT) -> str:
    """A recorded body (bytes as latin-1) as UTF-8 text where it is that, otherwise as latin-1."""
    if text is None:
        return ""
    raw = text[: limit * 4].encode("latin-1", "replace")
    try:
        shown = raw.decode("utf-8")
    except UnicodeDecodeError:
        shown = raw.decode("latin-1")
    more = len(text) - limit * 4
    return clean(shown, limit) + (f" (and {more} more bytes)" if more > 0 else "")


def headers(pairs: Iterable[Sequence[str | None]] | None) -> list[tuple[str, str]]:
    """Header lines in their order, the values of secret ones replaced, at most `MAX_HEADERS`."""
    shown: list[tuple[str, str]] = []
    for pair in pairs or ():
        if len(shown) == MAX_HEADERS:
            shown.append(("…", "more headers are in the history"))
            break
        name = str(pair[0]) if pair else ""
        value = pair[1] if len(pair) > 1 else None
        if is_secret_name(name):
            shown.append((one_line(name, 100), REDACTED))
        else:
            shown.append((one_line(name, 100), "null" if value is None else one_line(body(value, MAX_HEADER))))
    return shown


def is_secret_name(name: str) -> bool:
    """Whether a field or header of this name holds what no report may show."""
    return _SECRET_NAME.search(name) is not None
