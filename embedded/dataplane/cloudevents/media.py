"""Media types, as far as CloudEvents needs them: case-insensitive, with parameters (RFC 9110, 8.3.1)."""

import re
from dataclasses import dataclass, field

EVENT_PREFIX = "application/cloudevents"
EVENT_JSON = "application/cloudevents+json"
BATCH_PREFIX = "application/cloudevents-batch"

_WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_QUOTED = r'"(?:[^"\\\x00-\x08\x0a-\x1f\x7f]|\\[^\x00-\x08\x0a-\x1f\x7f])*"'
_MEDIA_TYPE = re.compile(rf"{_WORD}/{_WORD}(?:[ \t]*;[ \t]*(?:{_WORD}=(?:{_WORD}|{_QUOTED}))?)*[ \t]*")


def is_media_type(value: str) -> bool:
    """Return whether a value is a media type with or without parameters (RFC 9110, 8.3.1, the form of RFC 2046)."""
    return _MEDIA_TYPE.fullmatch(value) is not None


@dataclass(frozen=True, slots=True)
class Media:
    """A parsed media type: `type` in lower case, parameters with lower-case names."""

    type: str
    parameters: dict[str, str] = field(default_factory=dict)

    @property
    def is_event(self) -> bool:
        """True if the body holds event and data together ("structured" or "batched" content mode)."""
        return self.type.startswith(EVENT_PREFIX)

    @property
    def is_batch(self) -> bool:
        """True if the body holds several events."""
        return self.type.startswith(BATCH_PREFIX)

    @property
    def is_json(self) -> bool:
        """True if data of this type is JSON (JSON format, 3.1: subtype `json` or suffix `+json`)."""
        subtype = self.type.partition("/")[2]
        return subtype == "json" or subtype.endswith("+json")


def parse(value: str) -> Media:
    """Parse a Content-Type value. It never fails: an invalid media type is simply an unknown one."""
    kind, *rest = value.split(";")
    parameters = {}
    for item in rest:
        name, _, text = item.partition("=")
        parameters[name.strip().lower()] = text.strip().strip('"')
    return Media(kind.strip().lower(), parameters)
