"""What makes a text fit for showing, secrets aside: printable and bounded. Each format escapes it by its own rules."""

_CONTROL = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if chr(code) not in "\n\t"}
# Direction marks and other invisible characters can make a text read as what it does not say.
_CONTROL |= {
    code: f"\\u{code:04x}" for code in (*range(0x200B, 0x2010), *range(0x2028, 0x202F), *range(0x2060, 0x206A), 0xFEFF)
}
_CONTROL |= {code: f"\\u{code:04x}" for code in range(0xD800, 0xE000)}


def printable(text: str) -> str:
    """Return the text with control, direction and surrogate characters written out; line ends and tabs stay."""
    return text.replace("\r\n", "\n").translate(_CONTROL)


def bounded(text: str, limit: int) -> str:
    """At most `limit` characters, and how many were left out."""
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text) - limit} more characters)"
