"""Numbers in JSON keep their spelling: whoever reads an answer may take 9 for an integer, and 9.0 for a fraction."""

import json
from typing import Any

import pytest

from evidence.expectations import stream_answer
from fixtures import Produce, SeldonStreams, expect
from suites.wire import fresh

WITHIN = 5.0  # seconds; an answer counts as missing only after them
LONG = [0.1234567890123456, 1111111.5, 555557.5]
"""Numbers that six digits do not hold, and of which single precision does not hold the first."""
ROW: list[Any] = [9, 7668.0, 0, 0.0, -1, -1.0, *LONG]
PAYLOADS: dict[str, dict[str, Any]] = {
    "jsonData": {
        "jsonData": {
            "integer": 9,
            "fraction": 7668.0,
            "none": [0, 0.0, -1, -1.0],
            "nested": {"rows": [[1, 2.0], [3.0, 4]], "half": 0.5, "text": "9", "flag": True},
            "long": LONG,
        }
    },
    "ndarray": {"data": {"names": ["a"], "ndarray": [ROW, [1, [2.0, "9"], True]]}},
    "tensor": {"data": {"tensor": {"shape": [1, len(ROW)], "values": ROW}}},
}


@pytest.mark.requirement("STR-SLD-004")
@pytest.mark.parametrize("payload", PAYLOADS)
def test_an_integer_stays_one_and_a_fraction_too(echoes: SeldonStreams, produce: Produce, payload: str) -> None:
    stream, body = echoes("echo-seldon-rest"), PAYLOADS[payload]
    asked = produce(stream.input, json.dumps(body).encode(), key=fresh("key"))
    expect(stream_answer(asked, stream.output, group=stream.group, json=body, spelled=True), within=WITHIN)
