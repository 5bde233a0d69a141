"""Values that a secret name is given in a text: assignments, YAML, JSON, arguments, pairs, variables, headers.

A word that sounds secret is found first; then the whole name around it is read, and what follows it. Each of these
looks at a bounded part of the text, and the search goes on behind what was found.
"""

import re
from collections.abc import Iterator

from common.redaction.kinds import Span
from common.redaction.names import LONGEST_NAME, SOUND, SOUND_HINTS, is_secret, is_secret_name

LONGEST_BLOCK = 1 << 16
LONGEST_INDENTED = 1 << 10
_IN_NAMES = "_.-"
_REST = re.compile(r"[\w.-]{0,128}+")
# In logs and in JSON within JSON, quotes have backslashes before them.
_SEPARATOR = re.compile(
    r"(?:%22|\\{0,7}[\"'])?(?:\[\d{0,4}\])?[ \t]{0,16}(?P<sign>:=|=>|[:=]|%3[DdAa])(?P<gap>[ \t]{0,16})"
)
_ARGUMENT = re.compile(r"\n[ \t]{0,64}- [\"']?|\\{0,7}[\"']?,?\s{1,16}\\{0,7}[\"']?|\\{0,7}[\"'],\\{0,7}[\"']")
_PAIR = re.compile(r"(?P<quote>\\{0,7}[\"'])\s{0,4},\s{0,16}b?(?=\\{0,7}[\"'])")
_QUOTED = {
    '"': re.compile(r'\\{0,7}"(?P<value>(?:[^"\\]|\\[^"])*+)'),
    "'": re.compile(r"\\{0,7}'(?P<value>(?:[^'\\]|\\[^'])*+)"),
}
_PLAIN_QUOTED = {
    '"': re.compile(r'"(?P<value>(?:[^"\\]|\\.)*+)', re.DOTALL),
    "'": re.compile(r"'(?P<value>(?:[^'\\]|\\.)*+)", re.DOTALL),
}
_QUOTE = re.compile(r"b?(?P<escape>\\{0,7})(?P<quote>[\"'])")
_BARE = re.compile(r"[^\s\"',;&}\]\\)]++")
_LINE = re.compile(r"[^\r\n\"']++")
_BLOCK = re.compile(r"[|>][+-]?\d?[+-]?[ \t]*+(?:#[^\n]*+)?\r?\n")
_NEXT_LINE = re.compile(
    r"\r?\n(?P<indent>[ \t]{1,64})(?![ \t]|- )(?P<value>[^\s\"'{\[:][^\r\n:{]{0,2000}+)(?=\r?\n|\Z)"
)
_NO_VALUE = re.compile(
    r"(?:expected|got|missing|invalid|required|not|no|none|null|nil|true|false|unexpected|unknown|cannot|is|was|must"
    r"|has|to|in|of|and|or|the|a|an)(?![\w-]|[^\s,.;:]{0,40}\d)|[{\[]|\(redacted\)|<nil>|\$\{|\$\(|\Z"
)
_VARIABLE = re.compile(
    r"\bname\\{0,7}[\"']?\s{0,3}[:=]\s{0,3}\\{0,7}[\"']?(?P<name>[\w./-]{1,128}+)\\{0,7}[\"']?\s{0,3},?\s{0,64}-?\s{0,3}"
    r"\\{0,7}[\"']?value\\{0,7}[\"']?[ \t]{0,3}[:=]",
    re.IGNORECASE,
)
_WHOLE_LINE = re.compile(r"authoriz|cookie|jaas", re.IGNORECASE)


def spans(text: str) -> Iterator[Span]:
    """Where in a text the values of secret names stand."""
    lowered = text.lower()
    if not any(hint in lowered for hint in SOUND_HINTS):
        return
    place = 0
    while (sound := SOUND.search(text, place)) is not None:
        start = _begin_of_name(text, sound.start())
        rest = _REST.match(text, sound.start())
        end = rest.end() if rest else sound.end()
        place = end
        if (value := _value(text, start, end)) is not None and value[1] > value[0]:
            yield value
            place = max(end, value[1])
    for match in _VARIABLE.finditer(text):
        if is_secret_name(match["name"]) and (value := _given(text, match.end(), match.start(), match["name"], "=")):
            yield value


def _begin_of_name(text: str, place: int) -> int:
    most = max(0, place - LONGEST_NAME)
    while place > most and (text[place - 1].isalnum() or text[place - 1] in _IN_NAMES):
        place -= 1
    return place


def _value(text: str, start: int, end: int) -> Span | None:
    name = text[start:end].rstrip(".-")
    end = start + len(name)
    dashes = len(name) - len(name.lstrip("-"))
    if not is_secret_name(name) or _is_in_test_id(text, start, end):
        return None
    if separator := _SEPARATOR.match(text, end):
        return _given(text, separator.end(), start, name, "=" if separator["sign"] in "=%3D%3d" else ":")
    if dashes and (separator := _ARGUMENT.match(text, end)):
        return _argument(text, separator.end())
    if text[max(0, start - 1) : start] in ("'", '"') and (separator := _PAIR.match(text, end)):
        return _pair(text, start, separator)
    return None


def _is_in_test_id(text: str, start: int, end: int) -> bool:
    """Tell whether a name is the path or the class of a test's id: `test_login.py::TestPasswords::test_a_short_one`."""
    return text.startswith("::", end) and (text.endswith(".py", start, end) or text.startswith("::", start - 2))


def _given(text: str, place: int, start: int, name: str, sign: str) -> Span | None:
    """Return the value that begins here, behind a separator."""
    while place < len(text) and text[place] in " \t":
        place += 1
    if quote := _QUOTE.match(text, place):
        return _quoted(text, quote)
    if sign == ":" and (block := _BLOCK.match(text, place)):
        return _block(text, block.end(), start)
    if (line := _NEXT_LINE.match(text, place)) is not None and sign == ":":
        deeper = len(line["indent"]) > _indent(text, start) or _WHOLE_LINE.search(name)
        return line.span("value") if deeper and not _NO_VALUE.match(line["value"]) else None
    if _NO_VALUE.match(text, place):
        return None
    line_start = text.rfind("\n", max(0, start - 200), start) + 1
    leads = (line_start > 0 or start < 200) and text[line_start:start].strip(" \t-#>") in ("", "export", "set", "ENV")
    bare = (_LINE if _WHOLE_LINE.search(name) or leads else _BARE).match(text, place)
    if bare is None or not is_secret(name, bare[0]):
        return None
    end = place + len(bare[0].rstrip(" \t,"))
    # Two characters are hardly a secret, and `token: x` is an example.
    return (place, end) if end - place >= 3 else None


def _quoted(text: str, quote: re.Match[str]) -> Span | None:
    patterns = _QUOTED if quote["escape"] else _PLAIN_QUOTED
    match = patterns[quote["quote"]].match(text, quote.start("escape") if quote["escape"] else quote.start("quote"))
    if match is None or not match["value"] or match["value"].startswith("(redacted)"):
        return None
    return match.span("value")


def _block(text: str, place: int, start: int) -> Span | None:
    """Return a YAML block scalar: the lines that are indented deeper than the key's own."""
    indent = _indent(text, start)
    end, most = place, min(len(text), place + LONGEST_BLOCK)
    while end < most:
        stop = text.find("\n", end)
        stop = len(text) if stop < 0 else stop
        line = text[end:stop]
        if line.strip() and len(line) - len(line.lstrip(" \t")) <= indent:
            break
        end = min(stop + 1, len(text))
    value = text[place:end].rstrip()
    first = place + len(value) - len(value.lstrip())
    return (first, place + len(value)) if value.strip() else None


def _indent(text: str, place: int) -> int:
    """How far the line is indented that this place is in; not at all where other words stand before it."""
    line = text[max(text.rfind("\n", max(0, place - LONGEST_INDENTED), place) + 1, place - LONGEST_INDENTED) : place]
    return 0 if line.strip(" \t-\"'") else len(line) - len(line.lstrip(" \t"))


def _argument(text: str, place: int) -> Span | None:
    """Return the word after an option, as in `--password VALUE` and in `["--password", "VALUE"]`."""
    if text[place : place + 1] in ("-", "") or _NO_VALUE.match(text, place):
        return None
    bare = _BARE.match(text, place)
    return bare.span() if bare and len(bare[0]) >= 3 else None


def _pair(text: str, start: int, separator: re.Match[str]) -> Span | None:
    """Return the second of two quoted words in brackets, as headers are listed."""
    opening = text[max(0, start - 12) : start].rstrip("\\\"'b")
    quote = _QUOTE.match(text, separator.end())
    if quote is None or not opening.rstrip().endswith(("[", "(")):
        return None
    value = _quoted(text, quote)
    if value is None:
        return None
    after = text[value[1] : value[1] + 16].lstrip("\\\"'").lstrip()
    return value if after.startswith(("]", ")", ",)")) or not after else None
