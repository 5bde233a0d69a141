"""What each mutant of the stream server does, and what the honest server does instead."""

import struct
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from embedded.dataplane.cloudevents import Record
from embedded.streaming import messages
from selftest.embedded_dataplane.stream_graph_rows import GRAPH_ROWS
from selftest.embedded_dataplane.stream_observations import (
    GOOD,
    again_after_a_restart,
    answered_after_a_replacement,
    answered_at_the_stop,
    asking,
    callers_at_once,
    committed_early,
    committed_with_all_answers,
    counts,
    got_tensor,
    headers_of,
    in_turn,
    is_named,
    mispaired,
    node,
    of_type,
    overtakes,
    partitions_taken,
    pauses_for_one,
    puids_at_once,
    raw,
    reads_on,
    seen_headers,
    sorted_inputs,
    stands_still,
    tells_kafka,
    tensors,
    told,
    values_of,
    width,
)
from selftest.embedded_dataplane.stream_row import NODE, Row
from selftest.embedded_dataplane.streams import NAMED, PREDICT, changed, protobuf, rest, with_one

GOOD_PROTOBUF = [protobuf(key, 1) for key in "abcd"]
ALL: Mapping[bytes | None, list[Any]] = {key.encode(): [[2]] for key in "abcd"}
LAST: Mapping[bytes | None, list[Any]] = {b"d": [[2]]}
SINGLE, TURNED = (struct.unpack(back, struct.pack("<f", value))[0] for back, value in (("<f", 0.1), (">f", 1.0)))
LONG = b"k" * 300
SELDON, INFER = messages.SELDON_MESSAGE, messages.INFER_REQUEST
RESPONSE = [("proto-name", b"tensorflow.serving.PredictResponse")]
NOT_A_NUMBER = b"\x1a\x0d\x1a\x0b\x0a\x09\x11" + struct.pack("<Q", 0xFFF800000000BEEF)
"""A SeldonMessage whose array has one number, which is none."""
ROWS: dict[str, Row] = {
    "stream-answer-constant": Row(asking(rest("a", 1)), {b"a": [[2]]}, {b"a": [[[0.1] * 10]]}),
    "stream-answers-mispaired": Row(mispaired, honest=True, faulty=False),
    "stream-dies-on-non-object": Row(asking(rest("x", value=b"[]"), *GOOD), ALL, LAST),
    "stream-dies-on-undecodable": Row(asking(rest("x", value=b"{"), *GOOD), ALL, LAST),
    "stream-dies-on-depth": Row(asking(rest("x", value=b"[" * 10_000), *GOOD), ALL, LAST),
    "stream-key-dropped": Row(
        asking(replace(rest("", 1), key=b"\xff"), rest("k", 2)),
        {b"\xff": [[2]], b"k": [[4]]},
        {None: [[2]], b"k": [[4]]},
    ),
    "slow-stream": Row(pauses_for_one, [], [3.0]),
    "stream-works-in-rounds": Row(overtakes, honest=True, faulty=False),
    "stream-answers-twice": Row(asking(rest("a", 1)), {b"a": [[2]]}, {b"a": [[2], [2]]}),
    "proto-name-ignored": Row(asking(protobuf("a", 1)), {b"a": [[2]]}, {}, "grpc"),
    "unknown-proto-name-kills": Row(
        asking(protobuf("x", headers=[("proto-name", b"x")]), *GOOD_PROTOBUF), ALL, LAST, "grpc"
    ),
    "missing-proto-name-guessed": Row(
        asking(protobuf("a", 1, headers=[]), protobuf("b", 1, headers=NAMED * 2)),
        {},
        {b"a": [[2]], b"b": [[2]]},
        "grpc",
    ),
    # Measured on the executor 1.17.1: after `[1]`, and after an unknown proto-name, it dies, and again after a restart.
    "executor-dies-on-non-object": Row(
        lambda running: stands_still(running, rest("x", value=b"[1]"), rest("a", 1)), honest=False, faulty=True
    ),
    "executor-dies-on-unknown-proto-name": Row(
        lambda running: stands_still(running, protobuf("x", headers=[("proto-name", b"x")]), protobuf("a", 1)),
        honest=False,
        faulty=True,
        transport="grpc",
    ),
    # Measured on the executor 1.17.1: the process ends in grpc-go 1.53.0, which looks at the first letter of the name.
    "executor-dies-on-nameless-header": Row(
        lambda running: stands_still(running, protobuf("x", 1, headers=[*NAMED, ("", b"1")]), protobuf("a", 1)),
        honest=False,
        faulty=True,
        transport="grpc",
    ),
    "sigterm-drops-work": Row(answered_at_the_stop, 1, 0),
    "commits-before-answer": Row(committed_early, honest=False, faulty=True),
    "commits-before-stored": Row(committed_early, honest=False, faulty=True),
    "commits-out-of-order": Row(committed_with_all_answers, honest=True, faulty=False),
    "stream-answers-rarely-twice": Row(counts, Counter({1: 100}), Counter({1: 99, 2: 1})),
    "stream-answers-rarely-lost": Row(counts, Counter({1: 100}), Counter({1: 99})),
    "stream-empty-key-dropped": Row(asking(replace(rest("", 1), key=b"")), {b"": [[2]]}, {None: [[2]]}),
    "stream-key-cut": Row(asking(replace(rest("", 1), key=LONG)), {LONG: [[2]]}, {LONG[:255]: [[2]]}),
    "json-columns-dropped": Row(asking(rest("a", value=b'{"inputs": [1]}')), {b"a": [[2]]}, {}),
    "json-found-by-bytes": Row(asking(rest("a", value=b' {"instances": [1]}')), {b"a": [[2]]}, {}),
    "json-numbers-in-single-precision": Row(asking(rest("a", 0.1)), {b"a": [[0.2]]}, {b"a": [[2 * SINGLE]]}),
    "large-requests-dropped": Row(asking(rest("a", value=b'{"instances": [1]}'.ljust(300 * 1024))), {b"a": [[2]]}, {}),
    "header-not-text-drops": Row(
        asking(replace(rest("a", 1), headers=[("h", b"\xff")]), replace(rest("b", 1), headers=[("h", None)])),
        {b"a": [[2]], b"b": [[2]]},
        {},
    ),
    "refused-request-kills": Row(asking(rest("x", value=b"{}"), *GOOD), ALL, LAST),
    "refused-request-answered": Row(
        in_turn(rest("a", 1), rest("x", value=b"{}")), {b"a": [[2]]}, {b"a": [[2]], b"x": [[2]]}
    ),
    "tombstone-kills": Row(asking(Record(b"x", [], None), *GOOD), ALL, LAST),
    "poison-drops-in-work": Row(asking(rest("a", 1), rest("x", value=b"{")), {b"a": [[2]]}, {}),
    # Nothing at all is a message without tensors.
    "garbage-passed-on": Row(asking(rest("x", value=b"")), {}, {b"x": [[]]}),
    "predict-response-chained": Row(
        asking(protobuf("a", headers=RESPONSE, value=changed(with_one, "Response"))), {}, {b"a": [[2]]}, "grpc"
    ),
    "message-type-guessed": Row(asking(protobuf("a", value=changed(with_one, "Response"))), {}, {b"a": [[2]]}, "grpc"),
    "any-proto-name-is-a-request": Row(
        asking(protobuf("a", 1, headers=[("proto-name", b"x")])), {}, {b"a": [[2]]}, "grpc"
    ),
    "proto-name-case-folded": Row(
        asking(protobuf("a", 1, headers=[("Proto-Name", PREDICT.encode())])), {}, {b"a": [[2]]}, "grpc"
    ),
    "framing-guessed": Row(asking(protobuf("a", value=bytes(5) + changed(with_one))), {}, {b"a": [[2]]}, "grpc"),
    "tensor-content-big-endian": Row(
        asking(protobuf("a", value=changed(lambda x: setattr(x, "tensor_content", struct.pack("<f", 1))))),
        {b"a": [[2]]},
        {b"a": [[2 * TURNED]]},
        "grpc",
    ),
    "unknown-fields-refused": Row(
        asking(protobuf("a", value=changed(with_one) + b"\xc5\x3e" + bytes(4))), {b"a": [[2]]}, {}, "grpc"
    ),
    "stream-key-order-lost": Row(
        asking(node("a", predictions=["1"], delay=0.2), node("a", predictions=["2"])),
        {b"a": [["1/switch"], ["2/switch"]]},
        {b"a": [["2/switch"], ["1/switch"]]},
        terms=NODE,
    ),
    **{
        name: Row(width, 6, faulty, terms={"workers": 6})
        for name, faulty in {
            "stream-one-worker": 1,
            "stream-workers-ignored": 4,
            "stream-workers-unbounded": 600,
        }.items()
    },
    "canary-answers-all": Row(asking(rest("a", 1)), {}, {b"a": [[2]]}, terms={"share": (0, 0)}),
    "stream-shadow-answers": Row(asking(rest("a", 1)), {}, {b"a": [[2]]}, terms={"shadow": True}),
    "replicas-read-all": Row(partitions_taken, [1], [0, 1], terms={"replica": 1, "replicas": 2}),
    "restart-at-earliest": Row(again_after_a_restart, 1, 2),
    "stop-loses-work": Row(answered_after_a_replacement, 3, 0, terms=NODE),
    "oversize-answer-kills": Row(
        asking(node("x", size=1_100_000), *(node(key, predictions=["1"]) for key in "abcd")),
        {key.encode(): [["1/switch"]] for key in "abcd"},
        {b"d": [["1/switch"]]},
        terms=NODE,
    ),
    "headers-not-passed-on": Row(
        seen_headers, ["application/x-own", True, "a"], ["application/x-own", True], terms=NODE
    ),
    "puid-made-anew": Row(
        seen_headers, ["application/x-own", True, "a"], ["application/x-own", False, "a"], terms=NODE
    ),
    "content-type-always-json": Row(
        seen_headers, ["application/x-own", True, "a"], ["application/json", True, "a"], terms=NODE
    ),
    "stream-answer-without-headers": Row(is_named, honest=True, faulty=False),
    "stream-ends-without-kafka": Row(reads_on, honest=True, faulty=False),
    "available-without-kafka": Row(tells_kafka, honest=True, faulty=False),
    "infer-integers-through-double": Row(
        told(node("a", inputs=[{"data": [2**53 + 1]}])),
        [b'{"predictions": [{"inputs": [{"data": [9007199254740993]}]}]}'],
        [b'{"predictions": [{"inputs": [{"data": [9007199254740992]}]}]}'],
        terms=NODE,
    ),
    "infer-id-dropped": Row(
        told(node("a", id="i")), [b'{"predictions": [{"id": "i"}]}'], [b'{"predictions": [{}]}'], terms=NODE
    ),
    "rare-types-dropped": Row(
        got_tensor(tensors(of_type(22, "uint32_val", 7)), values_of("uint32_val")), ["7"], None, "grpc"
    ),
    "scalars-dropped": Row(got_tensor(tensors(with_one), values_of("float_val")), ["1.0"], None, "grpc"),
    "floats-made-canonical": Row(
        got_tensor(tensors(of_type(1, "float_val", -0.0)), values_of("float_val")), ["-0.0"], ["0.0"], "grpc"
    ),
    "subnormals-flushed": Row(
        got_tensor(tensors(of_type(2, "double_val", 5e-324)), values_of("double_val")), ["5e-324"], ["0.0"], "grpc"
    ),
    "strings-must-be-text": Row(
        got_tensor(tensors(of_type(7, "string_val", b"\xff")), values_of("string_val")), ["b'\\xff'"], None, "grpc"
    ),
    "infer-request-refused": Row(told(raw("a", INFER, b"\x0a\x01m")), [b"\x0a\x01m"], [], "grpc", {"protocol": "v2"}),
    "kfserving-as-seldon": Row(
        told(raw("a", INFER, b"\x0a\x01m")), [b"\x0a\x01m"], [], "grpc", {"protocol": "kfserving"}
    ),
    "raw-contents-lost": Row(
        told(raw("a", INFER, b"\x0a\x01m\x3a\x01\xff")),
        [b"\x0a\x01m\x3a\x01\xff"],
        [b"\x0a\x01m"],
        "grpc",
        {"protocol": "v2"},
    ),
    "seldon-not-finite-dropped": Row(
        told(raw("a", SELDON, NOT_A_NUMBER), raw("b", SELDON, b"\x2a\x01x")),
        [NOT_A_NUMBER, b"\x2a\x01x"],
        [b"\x2a\x01x"],
        "grpc",
        {"protocol": "seldon", "workers": 1},
    ),
    "seldon-kinds-lost": Row(
        told(raw("a", SELDON, b"\x22\x01\xff"), raw("b", SELDON, b"\x2a\x01x")),
        [b"\x22\x01\xff", b"\x2a\x01x"],
        [b"", b"\x2a\x01x"],
        "grpc",
        {"protocol": "seldon", "workers": 1},
    ),
    "seldon-empty-payload-lost": Row(
        told(raw("a", SELDON, b"\x22\x00"), raw("b", SELDON, b"\x2a\x00"), raw("c", SELDON, b"\x2a\x01x")),
        [b"\x22\x00", b"\x2a\x00", b"\x2a\x01x"],
        [b"", b"", b"\x2a\x01x"],
        "grpc",
        {"protocol": "seldon", "workers": 1},
    ),
    "seldon-unknown-fields-lost": Row(
        told(raw("a", SELDON, b"\x2a\x01x\xc8\x3e\x01")),
        [b"\x2a\x01x\xc8\x3e\x01"],
        [b"\x2a\x01x"],
        "grpc",
        {"protocol": "seldon"},
    ),
    # Measured on the executor 1.17.1 in protocol seldon: any other registered type ends the process.
    "executor-dies-on-other-type": Row(
        lambda running: stands_still(running, raw("x", INFER, b""), raw("a", SELDON, b"")),
        honest=False,
        faulty=True,
        transport="grpc",
        terms={"protocol": "seldon"},
    ),
    "empty-batch-dropped": Row(
        asking(protobuf("a", value=changed(lambda x: x.tensor_shape.dim.add(size=0)))), {b"a": [[]]}, {}, "grpc"
    ),
    "stream-headers-mixed": Row(callers_at_once, ["a", None, "b"], ["b", "b", "b"], terms=NODE),
    "stream-puids-mixed": Row(puids_at_once, ["a", "b", "c"], ["c", "c", "c"], terms=NODE),
    "stream-keyless-dropped": Row(asking(*(replace(rest("", 1), key=None),) * 2), {None: [[2], [2]]}, {None: [[2]]}),
    "stream-large-answers-dropped": Row(asking(node("a", size=300_000)), {b"a": [["x" * 300_000]]}, {}, terms=NODE),
    "header-underscores-dropped": Row(
        headers_of("http_headers", ("x_a", b"1"), ("x-a", b"2")), ["x_a", "x-a"], ["x-a"], terms=NODE
    ),
    **{
        name: Row(
            asking(*(replace(rest("a", 1), headers=[header]) for header in (("a b", b"1"), ("x", b"\x02")))),
            {b"a": [[2], [2]]},
            {b"a": [[2]]},
        )
        for name in (
            "header-no-token-drops",
            "header-control-character-drops",
        )
    },
    "metadata-not-ascii-drops": Row(
        asking(
            protobuf("a", 1, headers=[*NAMED, ("x", "ü".encode())]),
            protobuf("b", 1, headers=[*NAMED, ("x-bin", b"\xff")]),
        ),
        {b"a": [[2]], b"b": [[2]]},
        {b"b": [[2]]},
        "grpc",
    ),
    "call-metadata-passed-on": Row(
        headers_of("grpc_metadata", ("grpc-timeout", b"1n"), ("x", b"2"), ("x-bin", b"$$$")),
        ["x"],
        ["x", "grpc-timeout", "x-bin"],
        "grpc",
    ),
    "connection-headers-passed-on": Row(
        headers_of("http_headers", ("Content-Length", b"1"), ("x", b"2")), ["x"], ["x", "Content-Length"], terms=NODE
    ),
    "metadata-collapsed": Row(headers_of("grpc_metadata", ("x", b"1"), ("x", b"2")), ["x", "x"], ["x"], "grpc"),
    "seldon-rare-kinds-lost": Row(
        told(raw("a", SELDON, b"\x3a\x03\x0a\x01t")), [b"\x3a\x03\x0a\x01t"], [b""], "grpc", {"protocol": "seldon"}
    ),
    "seldon-integers-through-double": Row(
        told(node("a", jsonData=2**53 + 1)),
        [b'{"predictions": [{"jsonData": 9007199254740993}]}'],
        [b'{"predictions": [{"jsonData": 9007199254740992}]}'],
        terms=NODE,
    ),
    "stream-empty-answer-null": Row(told(raw("a", SELDON, b"")), [b""], [None], "grpc", {"protocol": "seldon"}),
    "tensor-parameters-lost": Row(
        told(node("a", inputs=[{"name": "x", "parameters": {}}])),
        [b'{"predictions": [{"inputs": [{"name": "x", "parameters": {}}]}]}'],
        [b'{"predictions": [{"inputs": [{"name": "x"}]}]}'],
        terms=NODE,
    ),
    "first-input-only": Row(
        got_tensor(
            protobuf("a", value=changed(with_one) + changed(with_one).replace(b"\x01x", b"\x01y")), sorted_inputs
        ),
        ["x", "y"],
        ["x"],
        "grpc",
    ),
    **GRAPH_ROWS,
}
