"""URIs and URI-references by the grammar of RFC 3986, appendix A."""

import re

_PERCENT = r"%[0-9A-Fa-f]{2}"
_NAME = r"A-Za-z0-9\-._~!$&'()*+,;="
_USER = rf"(?:[{_NAME}:]|{_PERCENT})*"
_HOST = rf"(?:\[[0-9A-Za-z:.\-_~!$&'()*+,;=]+\]|(?:[{_NAME}]|{_PERCENT})*)"
_AUTHORITY = rf"//(?:{_USER}@)?{_HOST}(?::[0-9]*)?(?:/(?:[{_NAME}:@/]|{_PERCENT})*)?"
_PATH = rf"(?!//)(?:[{_NAME}:@/]|{_PERCENT})*"
# The first segment of a relative path has no colon: it would be taken for a scheme.
_RELATIVE_PATH = rf"(?!//)(?![^/?#]*:)(?:[{_NAME}:@/]|{_PERCENT})*"
_QUERY = rf"(?:\?(?:[{_NAME}:@/?]|{_PERCENT})*)?"
_FRAGMENT = rf"(?:#(?:[{_NAME}:@/?]|{_PERCENT})*)?"
_SCHEME = r"[A-Za-z][A-Za-z0-9+.\-]*:"

_URI = re.compile(rf"{_SCHEME}(?:{_AUTHORITY}|{_PATH}){_QUERY}{_FRAGMENT}")
_RELATIVE = re.compile(rf"(?:{_AUTHORITY}|{_RELATIVE_PATH}){_QUERY}{_FRAGMENT}")


def is_reference(value: str) -> bool:
    """Return whether a value is a URI-reference (4.1); the empty one is."""
    return _URI.fullmatch(value) is not None or _RELATIVE.fullmatch(value) is not None


def is_absolute(value: str) -> bool:
    """Return whether a value is a URI with its scheme.

    "Absolute URI" (4.3) has no fragment, but the examples of schemas have one everywhere; it is let through.
    """
    return _URI.fullmatch(value) is not None
