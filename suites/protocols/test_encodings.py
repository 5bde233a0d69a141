"""The Open Inference Protocol over REST: bodies in chunks, and bodies that are compressed."""

import gzip

import pytest

from evidence.expectations import inferred
from fixtures import OpenInference, expect
from suites.oracles.open_inference import Tensor, rest

JSON = ("content-type", "application/json")
ROW = Tensor("INT32", [3, 1, 2])
LONG = Tensor("INT64", range(1000))
"""A tensor that servers compress, if any."""


@pytest.mark.requirement("OIP-INF-014")
def test_an_answer_is_encoded_as_it_says(open_inference: OpenInference) -> None:
    exchange = open_inference.infer(rest(LONG), [JSON, ("accept-encoding", "gzip")])
    expect(inferred(exchange, [LONG.expected()]))


@pytest.mark.requirement("OIP-INF-015")
def test_a_compressed_request_is_read_or_refused(open_inference: OpenInference) -> None:
    exchange = open_inference.infer(gzip.compress(rest(ROW)), [JSON, ("content-encoding", "gzip")])
    expect(inferred(exchange, [ROW.expected()], or_refused=True))


@pytest.mark.requirement("OIP-INF-016")
def test_a_body_in_small_chunks_is_whole(open_inference: OpenInference) -> None:
    chunks = b"".join(b"1\r\n%c\r\n" % octet for octet in rest(ROW)) + b"0\r\n\r\n"
    exchange = open_inference.infer(chunks, [JSON, ("transfer-encoding", "chunked")])
    expect(inferred(exchange, [ROW.expected()]))
