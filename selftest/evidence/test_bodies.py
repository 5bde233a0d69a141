"""Bodies that a history holds once: the reader puts them back; what is not sound is a fault with its line."""

import base64
import zlib
from collections.abc import Sequence
from typing import Any

import pytest

from evidence import bodies
from evidence.bodies import LARGE, body_record, digest
from evidence.history import HistoryError, parse
from evidence.records import FORMAT
from selftest.histories import Raw, lines

TEXT = "\x00\xffbody" * LARGE
NAMED = {"sha256": digest(TEXT)}


def read(*records: Raw) -> list[Any]:
    numbered = ({"format": FORMAT, "seq": seq, "t": 1, "scope": "s"} | record for seq, record in enumerate(records, 1))
    return list(parse(lines(numbered), "h.ndjson"))


def body(text: str = TEXT, sha256: str | None = None) -> Raw:
    return {**body_record(sha256 or digest(text), text)}


def packed(content: bytes) -> str:
    return base64.b64encode(content).decode()


def replied(content: Any) -> Raw:
    return {"record": "replied", "receive": "r", "status": 200, "headers": [], "body": content}


def stored(value: Any) -> Raw:
    place = {"record": "topic.record", "topic": "t", "partition": 0, "offset": 0}
    return place | {"key": None, "headers": [], "value": value}


def test_a_record_gets_its_body_back_and_all_share_one_text() -> None:
    _, first, second, third = read(body(), replied(NAMED), replied(NAMED), stored(NAMED))
    assert first["body"] == TEXT
    assert first["body"] is second["body"] is third["value"]


def test_a_body_may_come_again_from_another_process_of_the_probe() -> None:
    _, first, _, second = read(body(), replied(NAMED), body(), replied(NAMED))
    assert first["body"] is second["body"]


ABSENT = digest("absent")
FAULTS: list[tuple[str, Sequence[Raw], str]] = [
    ("absent", [body(), replied({"sha256": ABSENT})],
     f":2: field body.sha256: expected the digest of a body that stands before, got '{ABSENT[:60]}'... (64 "),
    ("behind", [replied(NAMED), body()], ":1: field body.sha256: expected the digest of a body that stands before"),
    ("another text", [body(TEXT, ABSENT)], f":1: field sha256: expected {digest(TEXT)}, which is that of the body"),
    ("no digest", [body(TEXT, "x")], ":1: field sha256: expected 64 hexadecimal digits, got 'x'"),
    ("no Base64", [body() | {"packed": "€"}], ":1: field packed: expected what zlib has packed, in Base64: "),
    ("not packed", [body() | {"packed": packed(b"abc")}], ":1: field packed: expected what zlib has packed, in Base64"),
    ("cut off", [body() | {"packed": packed(zlib.compress(b"abc")[:-1])}],
     ":1: field packed: expected one whole stream of zlib, got a part of one"),
    ("more behind", [body() | {"packed": packed(zlib.compress(b"abc") + b"d")}],
     ":1: field packed: expected one whole stream of zlib, got more"),
    ("a number", [body(), replied({"sha256": 1})], ":2: field body: expected a text or an object of one field, sha256"),
    ("empty", [body(), replied({})], ":2: field body: expected a text or an object of one field, sha256, got"),
    ("more", [body(), replied({**NAMED, "x": 1})], ":2: field body: expected a text or an object of one field, sha256"),
    ("elsewhere", [body(), stored("") | {"key": NAMED}], ":2: field key: expected a text or null, got an object"),
    ("a list", [replied([NAMED])], ":1: field body: expected a text, got a list of 1"),
]  # fmt: skip


@pytest.mark.parametrize(("records", "told"), [case[1:] for case in FAULTS], ids=[case[0] for case in FAULTS])
def test_a_fault_names_its_line(records: Sequence[Raw], told: str) -> None:
    with pytest.raises(HistoryError) as caught:
        read(*records)
    assert str(caught.value).startswith(f"h.ndjson{told}")


def test_a_body_is_not_unpacked_beyond_what_any_may_have(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "MOST_BODY", 100)
    assert read(body("a" * 100))
    with pytest.raises(HistoryError, match=":1: field packed: expected a body of at most 100 bytes, got a larger one"):
        read(body("a" * 101))


def test_no_more_bodies_are_kept_than_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    size = len(body("a")["packed"])
    monkeypatch.setattr(bodies, "MOST_KEPT", 2 * size)
    assert read(body("a"), body("b"), body("a"))
    told = rf":3: field packed: expected packed bodies of at most {2 * size} bytes in all, got {3 * size}"
    with pytest.raises(HistoryError, match=told):
        read(body("a"), body("b"), body("c"))


def test_bodies_that_were_not_used_for_long_are_unpacked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "MOST_UNPACKED", 2)
    named = [replied({"sha256": digest(letter)}) for letter in "abcacc"]
    records = read(body("a"), body("b"), body("c"), *named)
    assert [record["body"] for record in records[3:]] == [*"abcacc"]


def test_a_body_that_is_named_again_and_again_does_not_stand_for_more_than_a_history_may_hold(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bodies, "MOST_GIVEN", 3 * len(TEXT))
    assert read(body(), *[replied(NAMED)] * 3)
    with pytest.raises(HistoryError, match=r":5: field body: expected at most .* in all, got more"):
        read(body(), *[replied(NAMED)] * 4)


def test_an_object_of_the_system_may_have_such_a_field() -> None:
    name = {"verb": "get", "apiVersion": "v1", "kind": "ConfigMap", "namespace": "n", "name": "c", "code": 200}
    record = {"record": "object", **name, "object": NAMED}
    assert read(record)[0]["object"] == NAMED
