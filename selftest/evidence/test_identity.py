"""Whose a message is: by its envelope where Content-Type says that there is one, else by its headers."""

import pytest

from evidence.identity import Identity, of_http, of_kafka

ENVELOPE = '{"source": "/inner", "id": "1"}'
STRUCTURED = "Application/CloudEvents+json"


@pytest.mark.parametrize(
    ("kind", "body", "identity"),
    [
        ("application/json", ENVELOPE, ("/outer", "2")),
        (STRUCTURED, ENVELOPE, ("/inner", "1")),
        (STRUCTURED, "{", ("/outer", "2")),
        (STRUCTURED, '{"id": "1"}', ("/outer", "2")),
    ],
    ids=["binary", "both", "unreadable", "incomplete"],
)
def test_content_type_chooses_between_headers_and_envelope(kind: str, body: str, identity: Identity) -> None:
    assert of_http([("ce-id", "2"), ("ce-source", "/outer"), ("content-type", kind)], body) == identity
    assert of_kafka([("ce_id", "2"), ("ce_source", "/outer"), ("content-type", kind)], body) == identity
