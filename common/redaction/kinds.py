"""What secrets look like by themselves, wherever they stand: one pattern a kind, with a name.

Every pattern begins with a fixed word and goes on with possessive or bounded repetitions, so that none goes back over
what it has read.
"""

import re
from collections.abc import Iterator

Span = tuple[int, int]

_KEY_BEGIN = r"-{4,5}BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-{4,5}"
_KEY_END = r"-{4,5}END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-{4,5}"

# The group `secret` is what is taken out, where it is not the whole.
KINDS: dict[str, re.Pattern[str]] = {
    "jwt": re.compile(r"(?<![A-Za-z0-9])eyJ[\w-]{8,}+\.(?:[\w-]++\.?){0,5}+"),
    # "basic authentication" is no secret: what follows the word has a digit, padding, or upper case within.
    "bearer or basic": re.compile(
        r"\b(?i:bearer|basic|negotiate|digest)(?:\s|%20|\+){1,4}(?=[^\s\"']{0,200}?(?:[0-9=]|[a-z][A-Z]))"
        r"(?P<secret>[\w.~+/=:-]{6,}+)"
    ),
    "url password": re.compile(
        r"\b[A-Za-z][A-Za-z0-9+.-]{1,20}://[^\s/:@\"'?#]{0,200}+:(?P<secret>[^\s/@\"']{1,500}+(?:/[^\s/@\"']{1,100}+){0,3}+)@"
    ),
    "aws key id": re.compile(
        r"(?<![A-Za-z0-9])(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{12,}+(?:[\s:,\"'/]{1,5}+[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+]))?"
    ),
    "github": re.compile(r"(?<![A-Za-z0-9])(?:gh[opsur]_[A-Za-z0-9]{8,}+|github_pat_\w{8,}+)"),
    "gitlab": re.compile(r"(?<![A-Za-z0-9])gl(?:pat|dt|rt|cbt|ptt|soat|ft|imt|agent)-[\w.-]{8,}+"),
    "slack": re.compile(r"(?<![A-Za-z0-9])xox[a-z]-[\w-]{6,}+|xapp-\d-[\w-]{6,}+"),
    "slack hook": re.compile(r"hooks\.slack\.com/services/(?P<secret>[\w/-]{6,}+)"),
    "sk": re.compile(r"(?<![A-Za-z0-9_-])(?:sk|rk|pk)[-_](?=[A-Za-z_-]{0,40}[0-9])[A-Za-z0-9_-]{12,}+"),
    "google": re.compile(r"(?<![A-Za-z0-9])(?:AIza[\w-]{20,}+|ya29\.[\w-]{8,}+|GOCSPX-[\w-]{8,}+)"),
    "hugging face, npm, pypi": re.compile(
        r"(?<![A-Za-z0-9])(?:hf_[A-Za-z0-9]{16,}+|npm_[A-Za-z0-9]{16,}+|pypi-[\w-]{16,}+|dckr_pat_[\w-]{8,}+)"
    ),
    "azure": re.compile(
        r"(?i:AccountKey|SharedAccessKey|SharedAccessSignature)\s{0,3}=\s{0,3}(?P<secret>[^\s;\"'&]++)"
    ),
    "sas": re.compile(
        r"(?i:(?<=[?&;\s\"'])(?:sig|X-Amz-[A-Za-z-]{0,20}(?:Signature|Credential|Token)))=(?P<secret>[^\s&\"';]++)"
    ),
}

# One of these is in all that a kind finds: to look for plain words costs next to nothing, and most texts have none.
HINTS: dict[str, tuple[str, ...]] = {
    "jwt": ("eyJ",),
    "bearer or basic": ("bearer", "basic", "negotiate", "digest"),
    "url password": ("://",),
    "aws key id": ("AKIA", "ASIA", "ABIA", "ACCA"),
    "github": ("gh", "github_pat_"),
    "gitlab": ("gl",),
    "slack": ("xox", "xapp-"),
    "slack hook": ("hooks.slack.com",),
    "sk": ("sk-", "sk_", "rk-", "rk_", "pk-", "pk_"),
    "google": ("AIza", "ya29.", "GOCSPX-"),
    "hugging face, npm, pypi": ("hf_", "npm_", "pypi-", "dckr_pat_"),
    "azure": ("accountkey", "sharedaccess"),
    "sas": ("sig=", "x-amz-"),
}

_HINTED = [(hint, kind) for kind, hints in HINTS.items() for hint in hints]
"""In one list: this is asked of every text, and most have none."""

_CONTINUED = re.compile(r"\\?\r?\n[ \t]{0,64}(?P<more>[\w+/=.~-]{4,}+)[ \t]{0,64}(?=\r?\n|\Z)")
_MIXED = re.compile(r"(?=[^\d]{0,200}\d)(?=[^A-Za-z]{0,200}[A-Za-z])|[a-z][A-Z]")
_MOST_LINES = 64


def spans(text: str) -> Iterator[Span]:
    """Where in a text something looks like a secret."""
    yield from _private_keys(text)
    lowered = text.lower()
    for kind in dict.fromkeys(kind for hint, kind in _HINTED if hint in text or hint in lowered):
        pattern = KINDS[kind]
        for match in pattern.finditer(text):
            start, end = match.span("secret" if "secret" in pattern.groupindex else 0)
            yield start, _end_of(text, end)


def looks_random(word: str) -> bool:
    """Whether a word is none of a language: digits and letters, or upper case within."""
    return _MIXED.search(word[:400]) is not None


def _end_of(text: str, end: int) -> int:
    """Return the end of a token that goes on in the next lines, as wrapped ones do; most do not."""
    for _ in range(_MOST_LINES):
        match = _CONTINUED.match(text, end)
        if match is None or not looks_random(match["more"]):
            return end
        end = match.end("more")
    return end


_BEGIN, _END = re.compile(_KEY_BEGIN), re.compile(_KEY_END)


def _private_keys(text: str) -> Iterator[Span]:
    """Private keys with their frames; of one that was cut off, everything up to the cut."""
    if "PRIVATE KEY" not in text:
        return
    place, last = 0, 0
    for end in _END.finditer(text):
        begin = _BEGIN.search(text, place, end.start())
        # Without a beginning, it was cut off: all that is before may be the key.
        yield (begin.start() if begin else last), end.end()
        place = last = end.end()
    if begin := _BEGIN.search(text, place):
        yield begin.start(), len(text)
