"""What each mutant of the ingress and of the records of a topic does, and what the honest one does instead."""

import gzip
import json

from selftest.embedded_dataplane.dataplane_row import Row
from selftest.embedded_dataplane.observing import EVENT, JSON, structured, without
from selftest.embedded_dataplane.observing_delivery import (
    arrives,
    behind_foreign,
    data_of,
    dotted_path,
    one_event,
    told,
)
from selftest.embedded_dataplane.observing_ingress import (
    absolute_target,
    after_broken_ones,
    allowing,
    at_paths,
    behind_a_refusal,
    beside_a_stalled_one,
    both_modes,
    chunked,
    concurrent,
    duplicates,
    half_body,
    kept,
    large_load,
    next_on_connection,
    record,
    said_before_the_body,
    slow_body,
    status,
    stored,
    unknown_broker,
    values,
)
from selftest.embedded_dataplane.observing_records import AS_BASE64, AS_TEXT, TYPE, foreign
from selftest.embedded_dataplane.observing_time import (
    late_trigger,
)
from selftest.embedded_dataplane.world import Reply, binary

NO_TEXT = [json.dumps({**EVENT, "partitionkey": key}).encode() for key in (7, True, -1, "seven")]

PACKED = gzip.compress(b"1", mtime=0)
CODED = arrives(lambda got: (got.headers.get("content-encoding"), got.body), PACKED, {"Content-Encoding": "gzip"})
OLDER = structured(specversion="0.3", datacontenttype="text/plain", datacontentencoding="base64", data="YQ==")

ARRIVAL_ROWS: dict[str, Row] = {
    "content-coding-dropped": Row(CODED, (None, b"1"), (None, PACKED)),
    "content-coding-kept": Row(CODED, (None, b"1"), ("gzip", b"1")),
    "unknown-content-coding-ignored": Row(
        values({**binary(**EVENT), "Content-Encoding": "gzip, x-own"}, b"1"), (415, []), (202, [b"1"])
    ),
    "older-specversion-renamed": Row(values(JSON, OLDER), (400, []), (202, [b"YQ=="])),
    "older-encoding-ignored": Row(values(JSON, OLDER), (400, []), (202, [b"YQ=="])),
    "late-answer-for-next": Row(
        one_event(Reply(delay=1.0), Reply(500), timeout="PT0.2S", retry=1, backoffDelay="PT0.05S"), (2, 1), (2, 0)
    ),
    "partitionkey-breaks-ingress": Row(
        stored(*[(JSON, body) for body in NO_TEXT]), ([400, 400, 400, 202], 1), ([503, 503, 503, 202], 1)
    ),
    "too-large-is-503": Row(status(binary(**EVENT), bytes(1_100_000)), 413, 503),
    "too-large-acknowledged": Row(stored((binary(**EVENT), bytes(1_100_000))), ([413], 0), ([202], 0)),
    "large-load-dropped": Row(large_load, honest=True, faulty=False),
    "allow-not-told": Row(allowing("OPTIONS"), (405, "POST"), (405, None)),
    "path-by-prefix": Row(at_paths("/more", "x", ""), [404, 404, 202], [202, 404, 202]),
    "fields-kept-on-connection": Row(next_on_connection, None, b"x"),
    "refused-body-left-on-connection": Row(
        behind_a_refusal, ([400, 202], [b"own", b"fence"]), ([400, 202], [b"inside", b"fence"])
    ),
    "path-to-the-letter": Row(at_paths("/", "?a=/", ""), [202, 202, 202], [404, 404, 202]),
    "absolute-target-unknown": Row(absolute_target, 202, 404),
    "chunked-refused": Row(chunked, (202, b"12"), (411, None)),
    "bad-time-invented": Row(
        stored((binary(**EVENT, time="soon"), b"1"), (binary(**EVENT, time="2025-07-02T08:20:12Z"), b"1")),
        ([400, 202], 1),
        ([202, 202], 2),
    ),
    "data-attribute-ignored": Row(stored((binary(**EVENT, data="x"), b"1")), ([400], 0), ([202], 1)),
    "uris-normalised": Row(kept("ce_source", source="HTTP://A/b/../c?#"), b"HTTP://A/b/../c?#", b"http://a/c"),
    "uris-decoded": Row(kept("ce_source", source="/a%252Fb"), b"/a%2Fb", b"/a/b"),
    "values-typed-by-look": Row(kept("ce_ext", ext="007"), b"007", b"7"),
    "zero-time-dropped": Row(kept("ce_time", time="0001-01-01T00:00:00Z"), b"0001-01-01T00:00:00Z", None),
    "time-in-milliseconds": Row(
        kept("ce_time", time="2025-07-02T08:20:12.1234567Z"),
        b"2025-07-02T08:20:12.1234567Z",
        b"2025-07-02T08:20:12.123Z",
    ),
    "uri-syntax-unchecked": Row(
        stored(
            (binary(**{**EVENT, "source": "/a<b>"}), b""),
            (binary(**EVENT, dataschema="no/scheme"), b""),
            (binary(**{**EVENT, "source": ""}), b""),
            (binary(**EVENT, dataschema=""), b""),
        ),
        ([400] * 4, 0),
        ([202, 202, 400, 400], 2),
    ),
    "media-type-unchecked": Row(
        stored((JSON, structured(datacontenttype="json")), (JSON, structured(datacontenttype=""))),
        ([400, 400], 0),
        ([202, 400], 1),
    ),
    "datacontenttype-cut": Row(
        kept("content-type", datacontenttype="text/plain; charset=utf-8"), b"text/plain; charset=utf-8", b"text/plain"
    ),
    "empty-optional-attributes-accepted": Row(
        stored(*[(JSON, structured(**{name: ""})) for name in ("subject", "dataschema", "datacontenttype", "time")]),
        ([400] * 4, 0),
        ([202, 202, 202, 400], 3),
    ),
    "control-characters-accepted": Row(
        stored(*[(JSON, structured(subject=text)) for text in ("a\nb", "\x7f", "\ufffe", "\ud800", "")]),
        ([400] * 5, 0),
        ([202, 202, 202, 400, 400], 3),
    ),
    "last-header-wins": Row(stored(([*binary(**EVENT).items(), ("ce-type", "other")], b"")), ([400], 0), ([202], 1)),
    "datacontenttype-header-ignored": Row(
        stored(({**binary(**EVENT), "ce-datacontenttype": "a/b"}, b"")), ([400], 0), ([202], 1)
    ),
    "header-names-case-sensitive": Row(
        status({name.upper(): value for name, value in binary(**EVENT).items()}), 202, 400
    ),
    "headers-beat-envelope": Row(both_modes, (b"inner", b"1"), (b"outer", structured(id="inner", data=1))),
    "many-attributes-dropped": Row(record(lambda kept: len(kept.headers), **{f"x{n}": "1" for n in range(60)}), 65, 40),
    "long-attributes-cut": Row(
        record(lambda kept: len(dict(kept.headers)["ce_subject"] or b""), subject="x" * 6000), 6000, 4096
    ),
    "last-member-wins": Row(
        stored((JSON, structured()[:-1] + b', "id": "2"}'), (JSON, b"{")), ([400, 400], 0), ([202, 400], 1)
    ),
    "json-text-unquoted": Row(data_of({"data": "x"}, {"data": 5}), [b'"x"', b"5"], [b"x", b"5"]),
    "null-data-dropped": Row(data_of({"data": None}, {}), [b"null", None], [None, None]),
    "base64-left-encoded": Row(data_of({"data_base64": "AAE="}), [b"\x00\x01"], [b"AAE="]),
    "base64-forgiven": Row(
        stored(
            (JSON, structured(data_base64="?")),
            (JSON, structured(data_base64=5)),
            (JSON, structured(data=1, data_base64="AAE=")),
        ),
        ([400] * 3, 0),
        ([202] * 3, 3),
    ),
    "text-data-quoted": Row(
        data_of({"data": "x", "datacontenttype": "text/plain"}, {"data": "x"}), [b"x", b'"x"'], [b'"x"', b'"x"']
    ),
    "implied-type-omitted": Row(told("content-type", data=1), b"application/json", None),
    "extensions-in-python": Row(told("ce_ext", ext=True), b"true", b"True"),
    "any-value-as-text": Row(
        stored(*[(JSON, structured(**members)) for members in ({"ext": 1.5}, {"ext": [1]}, {"id": 5}, {"time": 5})]),
        ([400] * 4, 0),
        ([202, 202, 202, 400], 3),
    ),
    # Measured on the Kafka Broker 1.22.3, as are the next five.
    "cut-times-accepted": Row(
        stored(
            *[(binary(**EVENT, time=time), b"1") for time in ("2025-07-02T08:20Z", "2025-07-02T08:20:12.Z", "soon")]
        ),
        ([400] * 3, 0),
        ([202, 202, 400], 2),
    ),
    "references-by-rfc-2396": Row(
        stored(
            (binary(**EVENT, dataschema="schemas/1"), b""),
            (JSON, structured(source="/ä")),
            (JSON, structured(dataschema="urn:ä")),
            (binary(**EVENT, dataschema="a b"), b""),
            (JSON, structured(source="/a<b>")),
        ),
        ([400] * 5, 0),
        ([202, 202, 202, 400, 400], 3),
    ),
    "json-types-of-letters-only": Row(
        stored(
            *[
                (JSON, structured(datacontenttype=kind, data=data))
                for kind in ("application/vnd.acme+json", "Application/JSON", "application/json; charset=utf-8")
                for data in ({"n": 1}, "text")
            ]
        ),
        ([202] * 6, 6),
        ([400, 202, 400, 202, 202, 202], 4),
    ),
    "null-extension-as-text": Row(told("ce_ext", ext=None), None, b"null"),
    "compound-extensions-as-text": Row(
        stored(
            (JSON, structured(ext=[1])),
            (JSON, structured(ext={})),
            (JSON, structured(ext=1.5)),
            (JSON, structured(id=[])),
        ),
        ([400] * 4, 0),
        ([202, 202, 400, 400], 2),
    ),
    "base64-ends-at-padding": Row(
        stored(*[(JSON, structured(data_base64=text)) for text in ("AA==AA==", "?", "AAE")]),
        ([400] * 3, 0),
        ([202, 400, 400], 1),
    ),
    "record-headers-percent-encoded": Row(told("ce_subject", subject="a €"), "a €".encode(), b"a%20%E2%82%AC"),
    "content-type-invented": Row(told("content-type", data_base64="AAE="), None, b"application/octet-stream"),
    "no-data-as-empty-value": Row(data_of({}), [None], [b""]),
    "id-as-key": Row(record(lambda kept: kept.key, id="7"), None, b"7"),
    "offset-attributes-added": Row(
        arrives(lambda got: sorted(name for name in got.headers if name.startswith("ce-knativekafka"))),
        [],
        ["ce-knativekafkaoffset", "ce-knativekafkapartition"],
    ),
    "ingress-acks-without-storing": Row(concurrent, honest=True, faulty=False),
    "dataless-event-dropped": Row(
        stored((binary(**EVENT), b""), (binary(**EVENT), b"1")), ([202] * 2, 2), ([202] * 2, 1)
    ),
    "structured-refused": Row(status(JSON, structured()), 202, 400),
    "trailing-content-ignored": Row(
        stored((JSON, structured() + structured()), (JSON, structured() + b"x"), (JSON, structured() + b"\n")),
        ([400, 400, 202], 1),
        ([202, 202, 202], 3),
    ),
    "white-space-refused": Row(
        stored((JSON, b"\n" + structured()), (JSON, structured() + b"\n"), (JSON, structured())),
        ([202] * 3, 3),
        ([400, 400, 202], 1),
    ),
    "missing-id-invented": Row(stored((without("id"), b""), (without("type"), b"")), ([400] * 2, 0), ([202, 400], 1)),
    "empty-attributes-accepted": Row(
        stored((binary(**{**EVENT, "id": ""}), b""), (without("id"), b"")), ([400] * 2, 0), ([202, 400], 1)
    ),
    "any-specversion-accepted": Row(
        stored((binary(**{**EVENT, "specversion": "9"}), b""), (without("specversion"), b"")),
        ([400] * 2, 0),
        ([202, 400], 1),
    ),
    "malformed-structured-accepted": Row(
        stored(
            (JSON, b"{"),
            (JSON, b""),
            ({"Content-Type": "application/cloudevents+avro"}, b"x"),
            (JSON, b'{"id": "1"}'),
            ({"Content-Type": "application/cloudevents-batch+json"}, b"[]"),
        ),
        ([400] * 5, 0),
        ([202, 202, 202, 400, 400], 0),
    ),
    "batch-as-one-event": Row(
        stored(({"Content-Type": "application/cloudevents-batch+json"}, b"[%b, %b]" % (structured(), structured()))),
        ([400], 0),
        ([202], 1),
    ),
    "attribute-names-mangled": Row(
        stored((binary(**EVENT, bad_name="x"), b""), (JSON, structured(**{"Bad-Name": "x"}))),
        ([400] * 2, 0),
        ([202] * 2, 2),
    ),
    "media-type-case-sensitive": Row(status({"Content-Type": "Application/CloudEvents+JSON"}, structured()), 202, 400),
    "any-method-accepted": Row(status(binary(**EVENT), method="PUT"), 405, 202),
    "unknown-broker-accepted": Row(unknown_broker, 404, 202),
    "truncates-large-data": Row(arrives(lambda got: len(got.body), b"x" * 65_536), 65_536, 32_768),
    "percent-encoding-ignored": Row(
        record(lambda kept: dict(kept.headers)["ce_subject"], subject="a%20b"), b"a b", b"a%20b"
    ),
    "half-body-stored": Row(half_body, 1, 2),
    "slow-body-refused": Row(slow_body, 202, 408),
    "continue-never-said": Row(said_before_the_body(8), b"HTTP/1.1 100 Continue", b""),
    "stalled-upload-blocks": Row(beside_a_stalled_one, honest=True, faulty=False),
    "broken-uploads-leak": Row(after_broken_ones, 202, 500),
    "deduplicates-by-id": Row(duplicates, 2, 1),
    "ready-before-consuming": Row(late_trigger, 2, 1),
    "record-headers-hyphenated": Row(
        record(lambda kept: sorted(name for name, _ in kept.headers if "ext" in name or "_id" in name), ext="x"),
        ["ce_ext", "ce_id"],
        ["ce-ext", "ce_id"],
    ),
    "partitionkey-ignored": Row(record(lambda kept: kept.key, partitionkey="k"), b"k", None),
    "structured-record-skipped": Row(foreign(AS_TEXT), b"1", None),
    "structured-record-by-exact-type": Row(foreign(AS_TEXT, f"{TYPE}; charset=utf-8"), b"1", None),
    "record-media-type-case-sensitive": Row(foreign(AS_TEXT, TYPE.upper()), b"1", None),
    "base64-record-left-encoded": Row(foreign(AS_BASE64), b"1", b"MQ=="),
    "escaped-base64-unread": Row(foreign(AS_BASE64.replace(b"MQ=", rb"MQ\u003D")), b"1", None),
    "record-key-told-as-partitionkey": Row(
        foreign(b"1", "text/plain", lambda got: got.headers.get("ce-partitionkey"), key=b"k"), None, "k"
    ),
    "headers-read-to-first-foreign": Row(foreign(b"1", "text/plain", first=("correlation-id", b"42")), b"1", None),
    "foreign-record-eats-next": Row(behind_foreign(), ["first", "second"], ["second"]),
    "unreadable-header-ends-consumer": Row(behind_foreign(("ce_x", b"\xff")), ["first", "second"], []),
    "text-tidied": Row(
        arrives(lambda got: got.body, b"\xef\xbb\xbfa\r\n ", datacontenttype="text/plain"),
        b"\xef\xbb\xbfa\r\n ",
        b"a",
    ),
    "json-read-and-written": Row(
        arrives(lambda got: got.body, b'{"a":1, "a":1e2}'), b'{"a":1, "a":1e2}', b'{"a": 100.0}'
    ),
    "attribute-lists-cut": Row(arrives(lambda got: got.headers["ce-ext"], ext="a,b"), "a,b", "a"),
    "long-attribute-names-dropped": Row(
        arrives(lambda got: [name for name in got.headers if "x" in name], xxxxxxxxxxxxxxxxxxxxx="1", x="1"),
        ["ce-xxxxxxxxxxxxxxxxxxxxx", "ce-x"],
        ["ce-x"],
    ),
    "schema-fragment-dropped": Row(
        arrives(lambda got: got.headers["ce-dataschema"], dataschema="urn:a#b"), "urn:a#b", "urn:a"
    ),
    "empty-extensions-dropped": Row(arrives(lambda got: got.headers.get("ce-ext"), ext=""), "", None),
    "dotted-broker-cut": Row(dotted_path, 404, 202),
}
