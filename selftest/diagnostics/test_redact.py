"""What is written holds no secret, and nothing that a terminal or a browser would take for its own."""

import time
from typing import Any

import pytest

from fixtures.diagnostics import redact

SECRET = "hunter22Hunter22"  # noqa: S105 - the point of these tests


@pytest.mark.parametrize(
    "said",
    [
        f"password={SECRET}",
        f"sasl.password = {SECRET}",
        f"ssl.keystore.password: {SECRET}",
        f'sasl.jaas.config=org.x.ScramLoginModule required username="u" password="{SECRET}";',
        f"Authorization: Bearer {SECRET}",
        f"using Basic {SECRET}==",
        f'{{"api_key": "{SECRET}"}}',
        f'{{\\"token\\": \\"{SECRET}\\"}}',
        f"AWS_SECRET_ACCESS_KEY={SECRET}",
        f"connecting to https://user:{SECRET}@host/path",
        f"eyJhbGciOiJIUzI1NiJ9.eyJ{SECRET}.{SECRET}",
        f"-----BEGIN RSA PRIVATE KEY-----\n{SECRET}\n-----END RSA PRIVATE KEY-----",
        f"-----BEGIN PRIVATE KEY-----\n{SECRET}\n(cut off",
        f"cut off)\n{SECRET}\n-----END EC PRIVATE KEY-----\nand more",
    ],
)
def test_secrets_in_texts(said: str) -> None:
    assert SECRET not in redact.text(said)
    assert redact.REDACTED in redact.text(said)


@pytest.mark.parametrize(
    "said",
    [
        'secret "kafka-ca" not found',
        "secrets is forbidden: User touchstone cannot list resource",
        "basic authentication is off",
        "unexpected token in line 4",
        "http://kafka-broker-ingress.knative-eventing.svc.cluster.local:80/ns/b",
        "REQUEST_TRACE_KEY=test-trace-id",
        "key 'abc' of partition 3",
    ],
)
def test_what_only_sounds_secret_stays(said: str) -> None:
    assert redact.text(said) == said


@pytest.mark.parametrize(
    "found",
    [
        {"env": [{"name": "DB_PASSWORD", "value": SECRET}]},
        {"env": [{"name": "PLAIN", "value": f"jdbc://u:{SECRET}@db"}]},
        {"data": {"sasl.jaas.config": SECRET}},
        {"data": {"client.properties": f"a=b\nsasl.password={SECRET}\n"}},
        {"data": {"tls.key": SECRET}},
        {"args": ["--token", SECRET]},
        {"command": ["sh", "-c", f"run --password={SECRET}"]},
        {"metadata": {"annotations": {redact.APPLIED: SECRET}, "managedFields": [{"x": SECRET}]}},
        {"status": {"conditions": [{"message": f"401: Bearer {SECRET}"}]}},
    ],
    ids=["variable", "url", "setting", "file", "key", "word-after", "word-within", "applied", "message"],
)
def test_secrets_in_objects(found: dict[str, Any]) -> None:
    assert SECRET not in str(redact.obj(found))


def test_names_of_secrets_and_plain_settings_stay() -> None:
    found = {
        "env": [
            {"name": "PLAIN", "value": "1"},
            {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "a", "key": "b"}}},
        ],
        "volumes": [{"name": "v", "secret": {"secretName": "kafka-ca"}}],
        "automountServiceAccountToken": False,
        "data": {"auth.secret.ref.name": "kafka-secret", "default.topic.partitions": "10"},
        "replicas": 2,
    }
    assert redact.obj(found) == found


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("\x1b[2J\x1b[31mred", "\\x1b[2J\\x1b[31mred"),
        ("a\x00b\rc", "a\\x00b\\x0dc"),
        ("left\u202eright", "left\\u202eright"),
        (b"\xff\xfe ok", "\\xff\\xfe ok"),
        ("\ud800", "\\ud800"),
        ("tab\tand\r\nline\n", "tab\tand\nline\n"),
    ],
    ids=["ansi", "control", "direction", "no-utf8", "surrogate", "harmless"],
)
def test_nothing_that_a_terminal_obeys(said: str | bytes, shown: str) -> None:
    assert redact.text(said) == shown


@pytest.mark.parametrize(
    "said",
    ["password" * 60_000, "a://" * 100_000, "-----BEGIN PRIVATE KEY-----" * 20_000, "eyJ" * 150_000, "x" * 500_000],
    ids=["names", "urls", "keys", "tokens", "one-line"],
)
def test_hostile_texts_take_no_time(said: str) -> None:
    began = time.monotonic()
    redact.text(said)
    assert time.monotonic() - began < 3
