"""A mutant that knows JSON by the letters of `application/json` alone."""

import cloudevent
from conforming import conforming

of_any_spelling = cloudevent.is_json


def is_json(content_type: str) -> bool:
    """Return whether a Content-Type is the usual one for JSON; that of an event as a whole is read as ever."""
    if cloudevent.media_type(content_type)[0] == cloudevent.STRUCTURED:
        return of_any_spelling(content_type)
    return content_type == "application/json"


if __name__ == "__main__":
    cloudevent.is_json = is_json
    conforming()
