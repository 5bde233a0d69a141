"""JSON requests in all their forms: what the model can read is answered, and the rest keeps nothing from its answer."""

import json
from typing import Any

import pytest

from evidence.expectations import Expectation, no_prediction, no_stream_answer, stream_answer
from evidence.refs import ProducedRef
from fixtures import Produce, SeldonStream, expect, seed
from suites.oracles.cifar10 import Picture, balanced_picture, flat, picture, probabilities, shaped
from suites.oracles.tensorflow import INPUT, SIGNATURE, json_written, predict_json
from suites.wire import fresh

WITHIN = 5.0  # seconds; an answer counts as missing only after them
GOOD = 6  # requests behind what is bad: a server that dies of it loses the next ones


def send(stream: SeldonStream, produce: Produce, *values: bytes | None) -> list[ProducedRef]:
    """Send values in one batch, in order, each under a key of its own."""
    records = [{"value": value, "key": fresh("key"), "partition": 0} for value in values]
    return produce.many(stream.input, records)


def answers(stream: SeldonStream, asked: list[ProducedRef], expected: Any, **terms: Any) -> list[Expectation]:
    """Return the expectations that each request has this answer."""
    return [stream_answer(each, stream.output, group=stream.group, json=expected, **terms) for each in asked]


def control(stream: SeldonStream, produce: Produce) -> ProducedRef:
    """Send a request and wait for its answer: what comes to a standstill later was at work before."""
    image = picture(seed())
    [asked] = send(stream, produce, predict_json(image))
    expect(*answers(stream, [asked], {"predictions": [probabilities(image)]}), within=WITHIN)
    return asked


def spelled(image: Picture) -> list[bytes]:
    """Return one request in several spellings of the same JSON value, and with members that no model knows."""
    plain = predict_json(image).decode()
    rest = plain.removeprefix('{"instances"')
    deep = "[" * 100 + "]" * 100
    return [
        f" \r\n\t{plain}\n ".encode(),
        f'{{"\\u0069nst\\u0061nces"{rest}'.encode(),
        json.dumps({"instances": [image]}, indent=1).encode(),
        json.dumps({"instances": [image]}, separators=(",", ":")).encode(),
        f'{{"note": "Grüße, 東京 \\ud83d\\ude00 \\u0000", "instances"{rest}'.encode(),
        f'{{"note": {deep}, "instances"{rest}'.encode(),
        f'{{"ticket": 9007199254740993, "none": null, "instances"{rest}'.encode(),
        f'{{"signature_name": "{SIGNATURE}", "instances"{rest}'.encode(),
    ]


@pytest.mark.requirement("STR-JSN-005")
@pytest.mark.parametrize(("member", "answer"), [("instances", "predictions"), ("inputs", "outputs")])
def test_rows_and_columns_are_answered_in_their_format(
    cifar10: SeldonStream, produce: Produce, member: str, answer: str
) -> None:
    image = picture(seed())
    named = [{INPUT: image}] * 2 if member == "instances" else {INPUT: [image] * 2}
    bodies = [{member: [image] * 2}, {member: named}, {member: [image] * 2, "signature_name": SIGNATURE}]
    asked = send(cifar10, produce, *[json.dumps(body).encode() for body in bodies])
    expect(*answers(cifar10, asked, {answer: [probabilities(image)] * 2}), within=WITHIN)


@pytest.mark.requirement("STR-JSN-006")
def test_numbers_keep_their_value_however_they_are_written(cifar10: SeldonStream, produce: Produce) -> None:
    image = balanced_picture(seed(), 1e6)
    writers = [repr, "{:.17e}".format, "{:.17E}".format, "{:.30f}".format, lambda value: f"{value!r}e+00"]
    asked = send(cifar10, produce, *[json_written(image, write) for write in writers])
    expect(*answers(cifar10, asked, {"predictions": [probabilities(image)]}), within=WITHIN)


@pytest.mark.requirement("STR-JSN-006")
def test_small_numbers_and_zeros_of_either_sign_are_numbers(cifar10: SeldonStream, produce: Produce) -> None:
    values = flat(picture(seed()))
    values[:6] = [0.0] * 6
    small = iter(["-0.0", "1e-7", "-0", "5e-324", "0E+9", "1E-400"])
    body = json_written(shaped(values), lambda value: repr(value) if value else next(small, "0"))
    asked = send(cifar10, produce, body)
    expect(*answers(cifar10, asked, {"predictions": [probabilities(shaped(values))]}), within=WITHIN)


@pytest.mark.requirement("STR-JSN-007")
def test_a_request_is_read_as_json_whatever_its_spelling(cifar10: SeldonStream, produce: Produce) -> None:
    image = picture(seed())
    asked = send(cifar10, produce, *spelled(image))
    expect(*answers(cifar10, asked, {"predictions": [probabilities(image)]}), within=WITHIN)


@pytest.mark.requirement("STR-JSN-008")
def test_a_request_of_nearly_kafkas_limit_is_answered(cifar10: SeldonStream, produce: Produce) -> None:
    image = picture(seed())
    count = 950_000 // len(predict_json(image))
    asked = send(cifar10, produce, predict_json(*[image] * count))
    expect(*answers(cifar10, asked, {"predictions": [probabilities(image)] * count}), within=WITHIN)


def refused_by_the_model(image: Picture) -> list[bytes]:
    """Return JSON objects that are no request to this model."""
    rows = [image]
    bodies: list[dict[str, Any]] = [
        {},
        {"instances": []},
        {"instances": None},
        {"instances": image},
        {"instances": [image, image[:-1]]},
        {"instances": ["picture"]},
        {"instances": [[[["0.5"] * 3] * 32] * 32]},
        {"instances": [{"photos": image}]},
        {"instances": rows, "inputs": rows},
        {"instances": rows, "signature_name": "no-such-signature"},
        {"Instances": rows},
        {"inputs": {"photos": rows}},
    ]
    beyond = [json_written(image, lambda _: "1e400"), json_written(image, lambda _: "-1E+400")]
    return [*(json.dumps(body).encode() for body in bodies), *beyond]


@pytest.mark.requirement("STR-JSN-009")
def test_a_request_that_the_model_refuses_stops_no_other(cifar10: SeldonStream, produce: Produce) -> None:
    image, before = picture(seed()), control(cifar10, produce)
    refused = refused_by_the_model(image)
    asked = send(cifar10, produce, *refused, *[predict_json(image)] * GOOD)
    bad, good = asked[: len(refused)], asked[len(refused) :]
    expect(*answers(cifar10, good, {"predictions": [probabilities(image)]}, control=before), within=WITHIN)
    expect(*[no_prediction(each, cifar10.output, group=cifar10.group) for each in bad], within=WITHIN)


@pytest.mark.requirement("STR-JSN-010")
@pytest.mark.destructive
def test_a_null_value_stops_no_other_request(cifar10: SeldonStream, produce: Produce) -> None:
    image, before = picture(seed()), control(cifar10, produce)
    null, *good = send(cifar10, produce, None, *[predict_json(image)] * GOOD)
    expect(*answers(cifar10, good, {"predictions": [probabilities(image)]}, control=before), within=WITHIN)
    expect(no_stream_answer(null, cifar10.output, group=cifar10.group), within=WITHIN)


@pytest.mark.requirement("STR-JSN-011")
@pytest.mark.destructive
def test_a_value_that_is_no_json_is_not_answered(cifar10: SeldonStream, produce: Produce) -> None:
    image, before = picture(seed()), control(cifar10, produce)
    plain = predict_json(image)
    broken = [
        b"",
        b" ",
        b"{",
        plain[:-1],
        plain + b"}",
        plain + plain,
        plain.replace(b'"', b"'", 2),
        plain.decode().encode("utf-16"),
        b"\x00\x00\x00\x00\x07" + plain,
    ]
    asked = send(cifar10, produce, *broken, *[plain] * GOOD)
    bad, good = asked[: len(broken)], asked[len(broken) :]
    expect(*answers(cifar10, good, {"predictions": [probabilities(image)]}, control=before), within=WITHIN)
    expect(*[no_stream_answer(each, cifar10.output, group=cifar10.group) for each in bad], within=WITHIN)


@pytest.mark.requirement("STR-JSN-012")
@pytest.mark.destructive
@pytest.mark.parametrize("poison", [b"{", b'{"instances": []}', None], ids=["no-json", "refused", "null"])
def test_a_bad_value_among_good_ones_stops_neither_side(
    cifar10: SeldonStream, produce: Produce, poison: bytes | None
) -> None:
    image, before = picture(seed()), control(cifar10, produce)
    good = [predict_json(image)] * GOOD
    asked = send(cifar10, produce, *good, poison, *good)
    asked.pop(len(good))
    expect(*answers(cifar10, asked, {"predictions": [probabilities(image)]}, control=before), within=WITHIN)
