"""The stand-ins for Kafka's console tools, black-box: the scripts on a container's PATH, against a mock Kafka."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import TIMESTAMP_CREATE_TIME, Producer

from embedded.kafka.mocked import CLIENT
from embedded.kafka.process import project_environment

TOOLS = Path(__file__).resolve().parents[2] / "images" / "kafka" / "bin"
ENVIRONMENT = {"PATH": f"{TOOLS}:{Path(sys.executable).parent}:{os.environ['PATH']}"}
AT = 1_700_000_000_000


@pytest.fixture(scope="module")
def kafka() -> Iterator[str]:
    """Yield the address of a mock Kafka with two records on `topic`."""
    with subprocess.Popen(
        [sys.executable, "-m", "embedded.kafka.mock"],
        env=project_environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as mock:  # fmt: skip
        assert mock.stdout is not None
        assert mock.stdin is not None
        address = re.search(r'"bootstrap": "([^"]+)"', mock.stdout.readline())
        assert address is not None
        mock.stdin.write('{"create": "topic", "partitions": 1}\n')
        mock.stdin.flush()
        assert mock.stdout.readline() == '{"done": true}\n'
        producer = Producer({"bootstrap.servers": address[1], **CLIENT})
        producer.produce("topic", b"first", key=b"k", headers=[("a", b"1"), ("b", b"2")], timestamp=AT)
        producer.produce("topic", None, timestamp=AT)
        assert producer.flush(10) == 0
        yield address[1]
        mock.stdin.close()


def run(*command: str, within: float = 30) -> tuple[int, str, str]:
    ran = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=within, check=False)
    return ran.returncode, ran.stdout, ran.stderr


def consume(kafka: str, *options: str) -> tuple[int, str, str]:
    return run("kafka-console-consumer.sh", "--bootstrap-server", kafka, *options)


def shown(*properties: str) -> list[str]:
    return [word for text in properties for word in ("--property", text)]


@pytest.mark.parametrize(
    ("properties", "printed"),
    [
        pytest.param([], "first\nnull\n", id="values"),
        pytest.param(["print.key=true"], "k\tfirst\nnull\tnull\n", id="keys"),
        pytest.param(
            ["print.headers=true", "headers.separator=;", "print.value=false"], "a:1;b:2\nNO_HEADERS\n", id="headers"
        ),
        pytest.param(
            ["print.timestamp=true", "print.partition=true", "print.offset=true", "key.separator=|"],
            f"CreateTime:{AT}|Partition:0|Offset:0|first\nCreateTime:{AT}|Partition:0|Offset:1|null\n",
            id="place",
        ),
        pytest.param(["null.literal=-", "line.separator=."], "first.-.", id="texts"),
    ],
)
def test_records_are_printed_as_the_real_tool_prints_them(kafka: str, properties: list[str], printed: str) -> None:
    assert TIMESTAMP_CREATE_TIME == 1
    ran = consume(kafka, "--topic=topic", "--from-beginning", "--max-messages", "2", *shown(*properties))
    assert ran == (0, printed, "Processed a total of 2 messages\n")


def test_a_quiet_topic_ends_the_tool_after_its_timeout(kafka: str) -> None:
    code, printed, told = consume(kafka, "--topic", "topic", "--timeout-ms", "1500")  # from the end: nothing comes
    assert (code, printed) == (0, "")
    assert told.endswith("org.apache.kafka.common.errors.TimeoutException\nProcessed a total of 0 messages\n")


def test_settings_come_from_the_file_and_the_command_line(kafka: str, tmp_path: Path) -> None:
    settings = tmp_path / "client.properties"
    settings.write_text("# of the documentation\nsecurity.protocol=PLAINTEXT\n\nclient.id = console\n")
    options = ("--topic", "topic", "--from-beginning", "--max-messages", "1", "--consumer.config", str(settings))
    assert consume(kafka, *options)[:2] == (0, "first\n")
    told = consume(kafka, *options, "--consumer-property", "no.such=1")
    assert (told[0], 'No such configuration property: "no.such"' in told[2]) == (1, True)
    assert consume(kafka, "--topic", "t", "--consumer.config", "/nope")[2] == "/nope: No such file or directory\n"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["INT", "TERM"])
def test_a_signal_ends_it_with_the_count(kafka: str, number: signal.Signals, code: int) -> None:
    command = ["kafka-console-consumer.sh", "--bootstrap-server", kafka, "--topic", "topic", "--from-beginning"]
    with subprocess.Popen(
        command, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        assert [running.stdout.readline(), running.stdout.readline()] == ["first\n", "null\n"]
        running.send_signal(number)
        assert running.communicate(timeout=20) == ("", "Processed a total of 2 messages\n")
        assert running.returncode == code


@pytest.mark.parametrize(
    ("options", "told"),
    [
        pytest.param([], 'Missing required argument "[bootstrap-server]"', id="server"),
        pytest.param(["--bootstrap-server", "h:1"], "Exactly one of --include/--topic is required. ", id="topic"),
        pytest.param(["--bootstrap-server"], "Option bootstrap-server requires an argument", id="value"),
        pytest.param(["--topics", "t"], "topics is not a recognized option", id="unknown"),
        pytest.param(
            ["--bootstrap-server", "h:1", "--topic", "t", "--max-messages", "x"],
            "Cannot parse argument 'x' of option max-messages",
            id="number",
        ),
        pytest.param(
            ["--offset", "1"], "offset is an option of Kafka's own tool only; this stand-in knows ", id="other"
        ),
        pytest.param(
            ["--bootstrap-server", "h:1", "--topic", "t", "--property", "print.color=true"],
            "print.color is no property of this stand-in, which knows print.timestamp, ",
            id="property",
        ),
        pytest.param(
            ["--bootstrap-server", "h:1", "--topic", "t", "--topic", "u"],
            "Found multiple arguments for option topic, but you asked for only one",
            id="twice",
        ),
    ],
)
def test_wrong_usage_is_refused(options: list[str], told: str) -> None:
    code, printed, errors = run("kafka-console-consumer.sh", *options)
    assert (code, printed) == (1, "")
    assert errors.startswith(told)
    assert "Traceback" not in errors


def test_topics_are_listed_and_described(kafka: str) -> None:
    command = ("kafka-topics.sh", "--bootstrap-server", kafka)
    assert run(*command, "--list") == (0, "topic\n", "")
    described = (
        "Topic: topic\tPartitionCount: 1\tReplicationFactor: 1\n"
        "\tTopic: topic\tPartition: 0\tLeader: 1\tReplicas: 1\tIsr: 1\n"
    )
    assert run(*command, "--describe", "--topic", "topic") == (0, described, "")
    assert run(*command, "--describe", "--topic", "other") == (
        1, "Error while executing topic command : Topic 'other' does not exist as expected\n", "",
    )  # fmt: skip
    assert run(*command)[2].startswith("Command must include exactly one action: --list, --describe")
