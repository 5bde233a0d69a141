"""The users' document "Build Async Prediction Flow", done to its last line: the console consumer shows the answer.

The consumer has no end of its own: like the document's reader, the test looks at a terminal and presses Ctrl-C.
"""

import json
import os
import pty
import selectors
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from selftest.walkthrough.conftest import ROOT, Environment, platform

STEPS = Path(__file__).with_suffix("").with_name("async_prediction_flow.sh")
CONSUMER = (
    "kubectl -n database exec -it deployment/kafka-client-tools -- bash -c \\\n"
    "  'kafka-console-consumer.sh --bootstrap-server $BOOTSTRAP_SERVER --consumer.config $CLIENT_CONFIG_FILE "
    "--topic test-topic --from-beginning'"
)
PREDICTION = '{"predictions":[2]}'
SECONDS = 120.0
CTRL_C = b"\x03"

pytestmark = [
    pytest.mark.timeout(600),  # a fresh clone builds the images here
    pytest.mark.skipif(
        not (shutil.which("kubectl") and shutil.which("curl")), reason="the document needs kubectl and curl"
    ),
]


def test_the_documented_flow_works_to_its_last_line(up: Environment, tmp_path: Path) -> None:
    environment = {**up, "PROJECT": str(ROOT)}
    steps = subprocess.run(
        ["bash", "-euo", "pipefail", str(STEPS)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert steps.returncode == 0, f"{steps.stdout[-2000:]}\n{steps.stderr[-3000:]}"
    assert PREDICTION in steps.stdout.replace(" ", "")
    assert "202 Accepted" in steps.stderr
    assert [line.split()[1] for line in steps.stdout.splitlines() if line.startswith("test-transformer-")] == [
        "1/1"
    ] * 2

    shown, status = in_terminal(CONSUMER, environment, until="}")
    result = json.loads(shown[shown.index("{") : shown.rindex("}") + 1])
    expected = {
        "specversion": "1.0",
        "source": "data-and-computing/kafka-sink-transformer",
        "type": "org.zhejianglab.zverse.data-and-computing.kafka-sink-transformer",
        "data": {"predictions": [2]},
        "request-host": "test-transformer-transformer.kserve-test.svc.cluster.local",
        "kserve-isvc-name": "test-transformer",
        "kserve-isvc-namespace": "kserve-test",
        "test-trace-id": "16ec3446-48d6-422e-9926-8224853e84a7",
    }
    assert {name: result[name] for name in expected} == expected
    assert sorted(result.keys() - expected.keys()) == ["id", "time"]
    assert status != 0, "a consumer that was interrupted ended as if it had come to an end"


@pytest.mark.skipif(not (shutil.which("java") and shutil.which("mvn")), reason="Apache Kafka needs Java and Maven")
def test_beside_apache_kafka_the_console_tools_are_its_own(tmp_path: Path) -> None:
    server = "--bootstrap-server $BOOTSTRAP_SERVER --command-config $CLIENT_CONFIG_FILE"
    tool = f"kafka-topics.sh {server} --describe --topic test-topic"
    command = f"kubectl -n database exec deployment/kafka-client-tools -- bash -c '{tool}; kafka-topics.sh --version'"
    with platform(tmp_path / "stderr", "--kafka", "apache") as environment:
        ran = subprocess.run(
            ["bash", "-c", command], env=environment, capture_output=True, text=True, timeout=120, check=False
        )
    assert ran.returncode == 0, ran.stderr
    described, partition, version = ran.stdout.splitlines()
    assert described.startswith("Topic: test-topic\tTopicId: "), "no stand-in tells the id"
    assert partition.startswith("\tTopic: test-topic\tPartition: 0\t")
    assert version == "4.1.1"


def in_terminal(command: str, environment: Environment, until: str) -> tuple[str, int]:
    """Run a command in a terminal, press Ctrl-C once a line ends with a text; return what was shown and the status."""
    ours, theirs = pty.openpty()
    shown = b""
    interrupted = False
    with subprocess.Popen(
        ["bash", "-c", command], env=environment, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    ) as process:
        os.close(theirs)
        deadline = time.monotonic() + SECONDS
        try:
            with selectors.DefaultSelector() as selector:
                selector.register(ours, selectors.EVENT_READ)
                while selector.select(deadline - time.monotonic()):
                    try:
                        piece = os.read(ours, 65536)
                    except OSError:  # the terminal's other side is closed
                        break
                    if not piece:
                        break
                    shown += piece
                    if not interrupted and shown.decode(errors="replace").rstrip().endswith(until):
                        os.write(ours, CTRL_C)
                        interrupted = True
            assert interrupted, (
                f"no line that ends with {until!r} within {SECONDS:.0f} s; shown:\n{shown.decode(errors='replace')}"
            )
            status = process.wait(10)
        finally:
            process.kill()
            os.close(ours)
    return shown.decode(), status
