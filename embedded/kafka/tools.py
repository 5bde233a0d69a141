"""Kafka's own console tools: a folder of scripts as its image has it, which run the classes of the broker's jars."""

import shlex
from pathlib import Path

TOOLS = {
    "kafka-console-consumer.sh": "org.apache.kafka.tools.consumer.ConsoleConsumer",
    "kafka-console-producer.sh": "org.apache.kafka.tools.ConsoleProducer",
    "kafka-consumer-groups.sh": "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
    "kafka-get-offsets.sh": "org.apache.kafka.tools.GetOffsetShell",
    "kafka-topics.sh": "org.apache.kafka.tools.TopicCommand",
}
_LOGGING = Path(__file__).with_name("tools-log4j2.properties")
_HEAP = "${KAFKA_HEAP_OPTS:--Xmx256M}"
"""The heap as Kafka's scripts take it. A tool that prints some records needs less than their 512 MiB."""
_JVM = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.awt.headless=true")


def write_tools(folder: Path, java: str, jars: Path) -> Path:
    """Write the scripts into a folder, which is made if it is not there; return the folder.

    Args:
        folder: The folder for the scripts.
        java: The path of the Java program.
        jars: The folder of Kafka's jars.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, main_class in TOOLS.items():
        options = (*_JVM, f"-Dlog4j2.configurationFile=file:{_LOGGING}", "-cp", f"{jars}/*", main_class)
        script = folder / name
        script.write_text(f'#!/bin/sh\nexec {shlex.quote(java)} {_HEAP} {shlex.join(options)} "$@"\n')
        script.chmod(0o755)
    return folder
