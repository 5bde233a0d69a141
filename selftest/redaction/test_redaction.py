"""The redactor by itself: every sample in every form, what must stay, objects, cuts, and hostile texts."""

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from common.redaction import PLAIN, REDACTED, Redactor, assigned, encoded, kinds, redactor, spans
from selftest.redaction.samples import SECRETS, STAYS, Sample

ROOT = Path(__file__).resolve().parents[2]
SECRET = "hunter22Hunter22"  # noqa: S105 - the point of these tests
samples = pytest.mark.parametrize("sample", SECRETS, ids=[sample.name for sample in SECRETS])


def shows(text: str, sample: Sample) -> list[str]:
    return [secret for secret in sample.secrets if secret in text]


def test_the_table_is_large_and_its_names_are_unique() -> None:
    assert len(SECRETS) >= 45
    assert len(STAYS) >= 25
    assert len({sample.name for sample in SECRETS}) == len(SECRETS)
    assert not [sample.name for sample in SECRETS if not all(secret in sample.text for secret in sample.secrets)]


@samples
def test_a_secret_in_a_text_is_taken_out(sample: Sample) -> None:
    shown = PLAIN.text(sample.text)
    assert not shows(shown, sample)
    assert REDACTED in shown
    assert not shows(PLAIN.text(f"before\n{sample.text}\nafter"), sample)
    assert not shows(PLAIN.text(shown), sample)


@samples
def test_a_secret_in_json_within_json_is_taken_out(sample: Sample) -> None:
    assert not shows(PLAIN.text(json.dumps({"message": sample.text})), sample)
    assert not shows(PLAIN.text(json.dumps(json.dumps({"message": sample.text}))), sample)


@samples
def test_a_secret_is_found_before_the_text_is_cut(sample: Sample) -> None:
    for limit in range(20, 20 + len(sample.text), 3):
        shown = PLAIN.text("x" * 18 + "\n" + sample.text + "\n" + "y" * 400, limit)
        for secret in sample.secrets:
            # No part of a secret that one could go on from.
            assert not any(secret[:size] in shown for size in range(min(len(secret), 10), len(secret) + 1)), shown[:300]


@samples
def test_a_secret_at_the_beginning_of_a_tail_is_taken_out(sample: Sample) -> None:
    said = "x" * 400 + "\n" + sample.text + "\n" + "y" * 20
    for size in range(22, 22 + len(sample.text), 7):
        shown = PLAIN.tail(said, size)
        for secret in sample.secrets:
            assert not any(secret[-length:] in shown for length in range(min(len(secret), 10), len(secret) + 1)), shown


@pytest.mark.parametrize("said", STAYS.values(), ids=STAYS)
def test_what_is_no_secret_stays(said: str) -> None:
    assert PLAIN.text(said) == said
    assert PLAIN.text(f"before\n{said}\nafter") == f"before\n{said}\nafter"


@pytest.mark.parametrize("path", sorted((ROOT / "manifests/pipelines").rglob("*.json")), ids=lambda path: path.name)
def test_the_requests_of_the_documented_flows_stay(path: Path) -> None:
    said = path.read_text(encoding="utf-8")
    assert PLAIN.text(said) == said
    assert PLAIN.obj(json.loads(said)) == json.loads(said)


def test_the_manifests_of_the_documented_flows_stay() -> None:
    paths = sorted((ROOT / "manifests/pipelines").rglob("*.yaml"))
    assert len(paths) > 5
    for path in paths:
        said = path.read_text(encoding="utf-8")
        assert PLAIN.text(said) == said, path


@pytest.mark.parametrize(
    "found",
    [
        {"env": [{"name": "DB_PASSWORD", "value": SECRET}]},
        {"env": [{"name": "PLAIN", "value": f"jdbc://u:{SECRET}@db"}]},
        {"data": {"sasl.jaas.config": SECRET}},
        {"data": {"client.properties": f"a=b\nsasl.password={SECRET}\n"}},
        {"data": {"tls.key": SECRET}},
        {"kind": "Secret", "data": {"anything": SECRET}},
        {"args": ["--token", SECRET]},
        {"command": ["sh", "-c", f"run --password={SECRET}"]},
        {"headers": [["X-Api-Key", SECRET]]},
        {"metadata": {"annotations": {redactor.APPLIED: SECRET}, "managedFields": [{"x": SECRET}]}},
        {"status": {"conditions": [{"message": f"401: Bearer {SECRET}"}]}},
        {"password": SECRET, f"Bearer {SECRET}": 1},
    ],
    ids=[
        "variable", "url", "setting", "file", "key", "kind", "word-after", "word-within", "header", "applied",
        "message", "name",
    ],
)  # fmt: skip
def test_secrets_in_objects(found: dict[str, Any]) -> None:
    assert SECRET not in str(PLAIN.obj(found))


def test_numbers_under_secret_names_are_secrets_and_switches_are_none() -> None:
    found = {"password": 12345, "token": None, "useToken": True, "tokens": 5}
    assert PLAIN.obj(found) == {"password": REDACTED, "token": None, "useToken": True, "tokens": 5}


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
    assert PLAIN.obj(found) == found


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("\x1b[2J\x1b[31mred", "\\x1b[2J\\x1b[31mred"),
        ("a\x00b\rc", "a\\x00b\\x0dc"),
        ("left\u202eright", "left\\u202eright"),
        ("line\u2028line", "line\\u2028line"),
        (b"\xff\xfe ok", "\\xff\\xfe ok"),
        ("\ud800", "\\ud800"),
        ("tab\tand\r\nline\n", "tab\tand\nline\n"),
    ],
    ids=["ansi", "control", "direction", "separator", "no-utf8", "surrogate", "harmless"],
)
def test_nothing_that_a_terminal_obeys(said: str | bytes, shown: str) -> None:
    assert PLAIN.text(said) == shown


VALUE = 'own "credential" of\nthe suite/é'


@pytest.mark.parametrize("form", Redactor.knowing([VALUE]).known)
def test_a_known_value_is_taken_out_in_every_form(form: str) -> None:
    knowing = Redactor.knowing([VALUE, "another-one"])
    assert form not in knowing.text(f"got {form}, and more")
    assert form not in json.dumps(knowing.only_known({"a": [f"x {form} y"], form: 1}), ensure_ascii=False)
    assert form in PLAIN.text(f"got {form}, and more")


def test_a_known_value_that_is_hardly_one_hides_nothing() -> None:
    knowing = Redactor.knowing(["a", "abc", ""])
    assert knowing.known == ()
    assert knowing.text("abc and a") == "abc and a"


def test_only_known_values_leave_everything_else_as_it_is() -> None:
    raw = {"headers": [["Authorization", "Bearer mF9oB5f4Jq1M"]], "n": 1, "none": None}
    assert Redactor.knowing(["something-else"]).only_known(raw) == raw


def test_a_huge_text_is_read_as_far_as_it_is_shown() -> None:
    assert len(PLAIN.clean("x" * 10_000_000)) < 2_100
    assert len(PLAIN.body("x" * 10_000_000)) < 2_200


MEGABYTE = 1 << 20
HOSTILE = {
    "names": "password",
    "named-values": 'password="',
    "names-and-gaps": "password" + " " * 16,
    "quotes": "token='\\\"",
    "urls": "a://",
    "urls-with-passwords": "a://b:c",
    "keys": "-----BEGIN PRIVATE KEY-----",
    "ends-of-keys": "-----END PRIVATE KEY-----",
    "tokens": "eyJ",
    "dotted-tokens": "eyJaaaaaaaa.",
    "base64": "cGFzc3dvcmQ9aHVudGVyMjIy",
    "base64-words": "cGFzc3dvcmQ9aHVudGVyMjIy ",
    "base64-lines": "cGFzc3dvcmQ9aHVudGVyMjIy\n",
    "percent": "%70",
    "percent-words": "a%3Db ",
    "brackets": '["token", ',
    "variables": "name: token value: ",
    "backslashes": "\\",
    "blocks": "token: |\n ",
    "nested-blocks": "token: |\n",
    "arguments": "--token ",
    "dashes": "-",
    "one-line": "x",
    "blank": " ",
    "lines": "\n",
    "equals": "=",
}


@pytest.mark.parametrize("piece", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_text_costs_time_in_proportion_to_its_size(piece: str) -> None:
    """Four times the text is some four times the work, counted in the lines that the redactor runs."""
    small, large = (_work((piece * size)[:size]) for size in (MEGABYTE >> 8, MEGABYTE >> 6))
    assert large <= 6 * small + 1000


@pytest.mark.parametrize(
    "piece", [HOSTILE["names-and-gaps"], HOSTILE["quotes"], HOSTILE["base64"]], ids=["names", "quotes", "base64"]
)
def test_a_hostile_megabyte_comes_to_an_end(piece: str) -> None:
    assert spans.of((piece * MEGABYTE)[:MEGABYTE]) is not None


def _work(text: str) -> int:
    steps = 0

    def count(frame: Any, event: str, argument: Any) -> Any:
        nonlocal steps
        del frame, argument
        steps += event == "line"
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        spans.of(text)
    finally:
        sys.settrace(before)
    return steps


def test_no_pattern_repeats_without_bound_and_gives_back() -> None:
    """An unbounded repetition in a pattern is possessive: it never gives back, so no text makes it go over itself."""
    unbounded = re.compile(r"(?<!\\)(?:[*+]|\{\d+,\})(?![+?])")
    for module in (kinds, assigned, encoded, redactor):
        for name, value in vars(module).items():
            patterns = value.values() if isinstance(value, dict) else [value]
            for pattern in patterns:
                if isinstance(pattern, re.Pattern):
                    bare = re.sub(r"\[(?:\\.|[^\]\\])*\]", "[]", pattern.pattern).replace("++", "").replace("*+", "")
                    bare = re.sub(r"\{\d*,\d+\}\+?|\\.|\?\+", "", bare).replace("}+", "")
                    assert not unbounded.search(bare), f"{module.__name__}.{name}: {pattern.pattern}"
