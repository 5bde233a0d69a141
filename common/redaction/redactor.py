"""Texts and objects without secrets: found by their look, by their names, or because they are known."""

import base64
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import quote

from common.redaction import spans
from common.redaction.kinds import Span, looks_random
from common.redaction.names import is_secret, is_secret_name
from common.redaction.showing import printable

REDACTED = "(redacted)"
MAX_TEXT = 2_000
MAX_LINE = 300
MAX_HEADERS = 60
MARGIN = 16_384
"""How far beyond what is shown a text is read, so that a secret that begins before the cut is recognised."""
SHORTEST_KNOWN = 6
"""Shorter values are not looked for: they are in half of all words."""
NOISE = ("managedFields",)
APPLIED = "kubectl.kubernetes.io/last-applied-configuration"  # the object once more, in one string
_DEEPEST = 60
_MARK = re.compile(r"^[E>](?=\s)", re.MULTILINE)
_WRAPPED = re.compile(r"(?P<line>\\n)?(?P<quote>['\"])\n[E>]?[ \t]{0,200}+[+?-]?[ \t]{0,200}+(?P=quote)")
"""Between two literals that stand for one text: the end of the first line, marks of a comparison, the next quote."""
_CUT_WORD = re.compile(r"(?<=\.\.\.)[\w+/=.~%-]{8,}+")


@dataclass(frozen=True, slots=True)
class Redactor:
    """Takes secrets out of texts and objects.

    Attributes:
        known: Every form of the values that are secret whatever they look like; `knowing` makes it.
    """

    known: tuple[str, ...] = field(default=(), repr=False)
    _pattern: re.Pattern[str] | None = field(default=None, repr=False, compare=False)
    _bytes: tuple[bytes, ...] = field(default=(), repr=False, compare=False)

    @classmethod
    def knowing(cls, values: Iterable[str]) -> Self:
        """Return a redactor that knows these values as well, in all the forms that they may take."""
        forms = {form for value in values for form in _forms(value) if len(form) >= SHORTEST_KNOWN}
        ordered = tuple(sorted(forms, key=lambda form: (-len(form), form)))
        pattern = re.compile("|".join(map(re.escape, ordered))) if ordered else None
        in_json = {part for form in ordered for part in (form, json.dumps(form, ensure_ascii=False)[1:-1])}
        return cls(ordered, pattern, tuple(part.encode("utf-8", "replace") for part in sorted(in_json)))

    def text(self, said: object, limit: int | None = None) -> str:
        """Return a text without secrets and without control characters.

        Args:
            said: The text; bytes that are no UTF-8 are written out.
            limit: The characters of the text that are shown, as it was before; all of them when None.

        Returns:
            The text. Secrets are found before it is cut, also one that the cut would have gone through.
        """
        text = said.decode("utf-8", "backslashreplace") if isinstance(said, bytes) else str(said)
        size = len(text)
        if limit is None or size <= limit:
            return printable(self._shown(text, 0, size))
        more = f"… ({size - limit} more characters)"
        return printable(self._shown(text[: limit + MARGIN], 0, limit)) + more

    def hide(self, said: str) -> str:
        """Return a text without secrets, otherwise as it is: colours of ours stay."""
        return self._shown(said, 0, len(said))

    def cut(self, said: str | bytes, limit: int, mark: str = "...") -> str:
        """At most `limit` characters of a text, without secrets, otherwise as it is: for a message that is shown later.

        Args:
            said: The text.
            limit: The characters of it that are kept.
            mark: What stands for the rest.
        """
        text = said[: 4 * (limit + MARGIN)].decode("utf-8", "replace") if isinstance(said, bytes) else said
        shown = self._shown(text[: limit + MARGIN], 0, limit)
        return shown if len(said) <= limit else shown + mark

    def tail(self, said: str | bytes, size: int) -> str:
        """Return the last `size` characters without secrets, and without the end of one that began before."""
        text = said[-4 * (size + MARGIN) :].decode("utf-8", "backslashreplace") if isinstance(said, bytes) else said
        text = text[-(size + MARGIN) :]
        return printable(self._shown(text, max(0, len(text) - size), len(text)))

    def traceback(self, said: str) -> str:
        """As `text`, of a traceback: marks before its lines do not hide a secret, nor do words that pytest has cut.

        Nor do long texts that pytest has written as several literals, one below the other.
        """
        plain = _MARK.sub(" ", said)
        whole, places = _joined(said)
        wrapped = ((places[start], places[end - 1] + 1) for start, end in self._spans(whole)) if places else ()
        cut = (match.span() for match in _CUT_WORD.finditer(said) if looks_random(match[0]))
        return printable(self._shown(said, 0, len(said), [*self._spans(plain), *wrapped, *cut]))

    def occurs_in(self, line: bytes) -> bool:
        """Whether a known value is in this line of JSON."""
        return any(form in line for form in self._bytes)

    def clean(self, said: object, limit: int = MAX_TEXT) -> str:
        """As `text`, of bounded length; nothing for None."""
        return "" if said is None else self.text(said, limit)

    def one_line(self, said: object, limit: int = MAX_LINE) -> str:
        """As `clean`, on one line."""
        return " ".join(self.clean(said, limit).split())

    def body(self, said: str | None, limit: int = MAX_TEXT) -> str:
        """Return a recorded body (bytes as latin-1) as UTF-8 text where it is that, otherwise as latin-1."""
        if said is None:
            return ""
        raw = said[: limit * 4 + MARGIN].encode("latin-1", "replace")
        cut = len(said) - limit * 4 - MARGIN
        try:
            # A cut may have gone through a character.
            shown = raw.decode("utf-8") if cut <= 0 else raw.decode("utf-8", "strict" if raw.isascii() else "ignore")
        except UnicodeDecodeError:
            shown = raw.decode("latin-1")
        return self.clean(shown, limit) + (f" (and {cut} more bytes)" if cut > 0 else "")

    def headers(self, pairs: Iterable[Sequence[str | None]] | None) -> list[tuple[str, str]]:
        """Header lines in their order, the values of secret ones replaced, at most `MAX_HEADERS`."""
        shown: list[tuple[str, str]] = []
        for pair in pairs or ():
            if len(shown) == MAX_HEADERS:
                shown.append(("…", "more headers are in the history"))
                break
            name = str(pair[0]) if pair else ""
            value = pair[1] if len(pair) > 1 else None
            shown.append((self.one_line(name, 100), self._header(name, value)))
        return shown

    def named(self, name: str, value: object, limit: int = MAX_LINE) -> str:
        """Return a value that stands under a name, on one line."""
        if is_secret(name, value) and not isinstance(value, Mapping | list | tuple):
            return REDACTED
        return self.one_line(self.obj(value) if isinstance(value, Mapping | list | tuple) else value, limit)

    def obj(self, value: Any) -> Any:
        """Return a Kubernetes object, or any other JSON, without what is secret, and without what nobody reads."""
        return self._member(value, "", _DEEPEST)

    def only_known(self, value: Any) -> Any:
        """JSON without the known values; whatever else it holds stays as it is."""
        if self._pattern is None:
            return value
        if isinstance(value, str):
            return self._pattern.sub(REDACTED, value)
        if isinstance(value, Mapping):
            return {self.only_known(key): self.only_known(member) for key, member in value.items()}
        if isinstance(value, list | tuple):
            return [self.only_known(member) for member in value]
        return value

    def _header(self, name: str, value: str | None) -> str:
        if value is None:
            return "null"
        return REDACTED if is_secret_name(name) else " ".join(self.body(value, MAX_LINE).split())

    def _shown(self, text: str, first: int, last: int, found: Iterable[Span] | None = None) -> str:
        """Return the part of a text from `first` to `last`; a secret that reaches into it is left out whole."""
        parts: list[str] = []
        place = first
        for start, end in self._spans(text) if found is None else spans.merged(iter(found)):
            if end <= first or start >= last:
                continue
            parts += [text[place : max(place, start)], REDACTED]
            place = max(place, end)
        parts.append(text[place:last])
        return "".join(parts)

    def _spans(self, text: str) -> list[Span]:
        found = spans.of(text)
        if self._pattern is None:
            return found
        return spans.merged(iter([*found, *(match.span() for match in self._pattern.finditer(text))]))

    def _member(self, value: Any, name: str, depth: int) -> Any:
        if depth == 0:
            return REDACTED
        if isinstance(value, Mapping):
            return self._mapping(value, depth)
        if isinstance(value, list | tuple):
            return self._list(value, depth)
        if is_secret(name, value) and value != "":
            return REDACTED
        return self.text(value) if isinstance(value, str) else value

    def _mapping(self, value: Mapping[Any, Any], depth: int) -> dict[Any, Any]:
        named = str(value.get("name", ""))
        sealed = ("data", "stringData") if value.get("kind") == "Secret" else ()
        cleaned: dict[Any, Any] = {}
        for key, member in value.items():
            if key in NOISE or key == APPLIED:
                continue
            shown = self.text(key) if isinstance(key, str) else key
            if key in sealed and isinstance(member, Mapping):
                cleaned[shown] = dict.fromkeys(map(self.text, member), REDACTED)
            elif key == "value" and not isinstance(member, Mapping | list) and is_secret(named, member):
                # An entry of `env` carries the name in `name`; in ConfigMaps and settings the key is the name.
                cleaned[shown] = REDACTED
            else:
                cleaned[shown] = self._member(member, str(key), depth - 1)
        return cleaned

    def _list(self, values: Sequence[Any], depth: int) -> list[Any]:
        """Clean the members; the word after `--password` is a secret, and so is the second one of a header's pair."""
        pair = len(values) == 2 and isinstance(values[0], str) and is_secret_name(values[0])
        cleaned: list[Any] = []
        before = ""
        for number, value in enumerate(values):
            after_option = before.startswith("-") and "=" not in before and is_secret_name(before)
            if isinstance(value, str) and (after_option or (pair and number == 1)):
                cleaned.append(REDACTED)
            else:
                cleaned.append(self._member(value, "", depth - 1))
            before = value if isinstance(value, str) else ""
        return cleaned


PLAIN = Redactor()
"""Knows no values: for what comes out of a history, which holds none of the suite's own credentials."""


def _joined(said: str) -> tuple[str, list[int]]:
    """Return a text with its wrapped literals joined, and the place of each of its characters; empty where none is."""
    parts: list[str] = []
    places: list[int] = []
    last = 0
    for match in _WRAPPED.finditer(said):
        parts.append(said[last : match.start()])
        places.extend(range(last, match.start()))
        if match["line"]:
            parts.append("\n")
            places.append(match.start())
        last = match.end()
    if not last:
        return "", []
    return "".join([*parts, said[last:]]), [*places, *range(last, len(said))]


def _forms(value: str) -> Iterable[str]:
    """Yield the forms of a value in a text: as it is, as JSON, percent-encoded, in Base64, as latin-1 of its bytes."""
    value = value.strip()
    if len(value) < SHORTEST_KNOWN:
        return
    raw = value.encode("utf-8", "surrogateescape")
    yield value
    yield json.dumps(value)[1:-1]
    yield json.dumps(value, ensure_ascii=False)[1:-1]
    yield raw.decode("latin-1")
    yield quote(value, safe="", errors="replace")
    yield base64.b64encode(raw).decode().rstrip("=")
    yield base64.urlsafe_b64encode(raw).decode().rstrip("=")
    # The lines of a key may be shown one by one.
    yield from (line for line in value.splitlines() if len(line) >= 24 and "-----" not in line)
