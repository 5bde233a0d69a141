"""librdkafka's mock cluster as a program: `python -m embedded.kafka.mock`.

The `confluent-kafka` wheel contains a small Kafka for librdkafka's own tests. This program starts one broker of it on
127.0.0.1 through ctypes and obeys JSON lines on stdin, with one answer on stdout for each:

    -> (at start)                                      {"bootstrap": "127.0.0.1:41234", "version": "2.16.0"}
    <- {"create": "orders", "partitions": 3}           {"done": true}, or {"done": false} when it exists
    <- {"delete": "orders"}                            {"done": true}, or {"done": false} when it does not
    <- {"away": "orders"}, {"back": "orders"}          {"done": true}; meanwhile the partitions have no leader
                                                       {"error": "..."} when it cannot

The program ends when stdin ends, so it never outlives its parent. The mock API is experimental and promises no ABI:
therefore the wheel is pinned exactly, and every symbol is looked up before the first call.

It is not a Kafka to keep data in. A partition holds 5 MiB or 100,000 batches; older ones are dropped silently. There
are no admin requests, no real transactions and no look-up by time. A producer's metadata request creates an unknown
topic with four partitions.
"""

import ctypes
import importlib.util
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_POINTER, _INT, _STRING = ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p
_PRODUCER = 0
_NOBODY, _BROKER = -1, 1
_PRODUCE, _FETCH = 0, 1
_TOPIC_ALREADY_EXISTS, _UNKNOWN_TOPIC, _UNKNOWN_TOPIC_OR_PARTITION = 36, -188, 3

# name -> (result, arguments); the signatures are those of rdkafka.h and rdkafka_mock.h, 2.16.0
_SYMBOLS: dict[str, tuple[Any, list[Any]]] = {
    "rd_kafka_version_str": (_STRING, []),
    "rd_kafka_err2str": (_STRING, [_INT]),
    "rd_kafka_conf_new": (_POINTER, []),
    "rd_kafka_conf_set": (_INT, [_POINTER, _STRING, _STRING, _STRING, ctypes.c_size_t]),
    "rd_kafka_new": (_POINTER, [_INT, _POINTER, _STRING, ctypes.c_size_t]),
    "rd_kafka_destroy": (None, [_POINTER]),
    "rd_kafka_mock_cluster_new": (_POINTER, [_POINTER, _INT]),
    "rd_kafka_mock_cluster_destroy": (None, [_POINTER]),
    "rd_kafka_mock_cluster_bootstraps": (_STRING, [_POINTER]),
    "rd_kafka_mock_group_initial_rebalance_delay_ms": (None, [_POINTER, ctypes.c_int32]),
    "rd_kafka_mock_set_apiversion": (_INT, [_POINTER, ctypes.c_int16, ctypes.c_int16, ctypes.c_int16]),
    "rd_kafka_mock_partition_set_leader": (_INT, [_POINTER, _STRING, ctypes.c_int32, ctypes.c_int32]),
    "rd_kafka_mock_topic_create": (_INT, [_POINTER, _STRING, _INT, _INT]),
    "rd_kafka_mock_topic_delete": (_INT, [_POINTER, _STRING]),
}


class MockUnavailableError(Exception):
    """A librdkafka that is not the one that this program was written for."""


def load() -> ctypes.CDLL:
    """Load the wheel's librdkafka and set the signature of every function that is used.

    Raises:
        MockUnavailableError: The wheel, its library or a symbol is missing.
    """
    spec = importlib.util.find_spec("confluent_kafka")
    if spec is None or spec.origin is None:
        raise MockUnavailableError("confluent-kafka is not installed; install the project's requirements.txt")
    folder = Path(spec.origin).parents[1] / "confluent_kafka.libs"
    libraries = sorted(folder.glob("librdkafka*.so*"))
    if not libraries:
        raise MockUnavailableError(
            f"no librdkafka in {folder}: confluent-kafka was built from source here, but the mock cluster needs the "
            "wheel that requirements.txt pins (or use --kafka apache)",
        )
    library = ctypes.CDLL(str(libraries[0]))
    missing = [name for name in _SYMBOLS if not hasattr(library, name)]
    if missing:
        raise MockUnavailableError(
            f"{libraries[0].name} lacks {', '.join(missing)}: another confluent-kafka than requirements.txt pins",
        )
    for name, (result, arguments) in _SYMBOLS.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


class MockCluster:
    """One mock broker."""

    def __init__(self, library: ctypes.CDLL, cluster: int) -> None:
        self._library = library
        self._cluster = cluster
        # Members of a consumer group get their partitions at once instead of after three seconds.
        library.rd_kafka_mock_group_initial_rebalance_delay_ms(cluster, 0)
        # Later versions name the leader in their answers, and the mock crashes where a partition has none.
        for request, version in ((_PRODUCE, 8), (_FETCH, 11)):
            library.rd_kafka_mock_set_apiversion(cluster, request, 0, version)

    @property
    def bootstrap(self) -> str:
        """The address of the broker as `host:port`."""
        return str(self._library.rd_kafka_mock_cluster_bootstraps(self._cluster).decode())

    def create(self, topic: str, partitions: int) -> bool:
        """Create a topic; return False when it exists."""
        code = self._library.rd_kafka_mock_topic_create(self._cluster, topic.encode(), partitions, 1)
        return self._done(code, _TOPIC_ALREADY_EXISTS)

    def delete(self, topic: str) -> bool:
        """Delete a topic; return False when there is none."""
        code = self._library.rd_kafka_mock_topic_delete(self._cluster, topic.encode())
        return self._done(code, _UNKNOWN_TOPIC, _UNKNOWN_TOPIC_OR_PARTITION)

    def lead(self, topic: str, leader: int) -> bool:
        """Give all partitions of a topic this leader; nobody can write or read them where they have none."""
        partition = 0
        while not self._library.rd_kafka_mock_partition_set_leader(self._cluster, topic.encode(), partition, leader):
            partition += 1
        return partition > 0

    def _done(self, code: int, *refusals: int) -> bool:
        if code and code not in refusals:
            raise OSError(self._library.rd_kafka_err2str(code).decode())
        return code == 0


@contextmanager
def running(library: ctypes.CDLL) -> Iterator[MockCluster]:
    """Run a mock cluster of one broker for the length of a `with` block."""
    error = ctypes.create_string_buffer(512)
    configuration = library.rd_kafka_conf_new()
    library.rd_kafka_conf_set(configuration, b"log_level", b"0", error, len(error))
    client = library.rd_kafka_new(_PRODUCER, configuration, error, len(error))
    if not client:
        raise MockUnavailableError(f"librdkafka made no client: {error.value.decode(errors='replace')}")
    try:
        cluster = library.rd_kafka_mock_cluster_new(client, 1)
        if not cluster:
            raise MockUnavailableError("librdkafka made no mock cluster: it could not listen on 127.0.0.1")
        try:
            yield MockCluster(library, cluster)
        finally:
            library.rd_kafka_mock_cluster_destroy(cluster)
    finally:
        library.rd_kafka_destroy(client)


def obey(cluster: MockCluster, line: str) -> dict[str, Any]:
    """Carry out one request line and return the answer."""
    try:
        request = json.loads(line)
        match request:
            case {"create": str(topic), "partitions": int(partitions)}:
                return {"done": cluster.create(topic, partitions)}
            case {"delete": str(topic)}:
                return {"done": cluster.delete(topic)}
            case {"away": str(topic)}:
                return {"done": cluster.lead(topic, _NOBODY)}
            case {"back": str(topic)}:
                return {"done": cluster.lead(topic, _BROKER)}
            case _:
                return {"error": f"unknown request {line.strip()!r}"}
    except (OSError, ValueError) as error:
        return {"error": str(error)}


def _print_answer(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def main() -> int:
    """Serve until stdin ends; return the exit code."""
    try:
        library = load()
        with running(library) as cluster:
            version = library.rd_kafka_version_str().decode()
            _print_answer({"bootstrap": cluster.bootstrap, "version": version})
            for line in sys.stdin:
                _print_answer(obey(cluster, line))
    except MockUnavailableError as error:
        _print_answer({"error": str(error)})
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
