"""Media types, as far as CloudEvents needs them: case-insensitive, with parameters (RFC 9110, 8.3.1)."""

from dataclasses import dataclass, field

EVENT_PREFIX = "application/cloudevents"
EVENT_JSON = "application/cloudevents+json"
BATCH_PREFIX = "application/cloudevents-batch"


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
