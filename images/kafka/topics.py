"""A stand-in for `kafka-topics.sh`: lists topics, and describes them as far as a client's metadata tell."""

import sys

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, TopicMetadata
from options import Options, refuse

KNOWN = {"bootstrap-server": True, "command-config": True, "list": False, "describe": False, "topic": True}
OTHERS = (
    "create", "delete", "alter", "partitions", "replication-factor", "replica-assignment", "config", "delete-config",
    "topic-id", "under-replicated-partitions", "unavailable-partitions", "under-min-isr-partitions",
    "at-min-isr-partitions", "topics-with-overrides", "if-exists", "if-not-exists", "exclude-internal",
    "partition-size-limit-per-response", "help", "version",
)  # fmt: skip
PATIENCE = 10.0


def description(topic: TopicMetadata) -> str:
    """Return the lines about a topic."""
    partitions = sorted(topic.partitions.values(), key=lambda partition: partition.id)
    replicas = len(partitions[0].replicas) if partitions else 0
    lines = [f"Topic: {topic.topic}\tPartitionCount: {len(partitions)}\tReplicationFactor: {replicas}\n"]
    for partition in partitions:
        nodes, in_sync = (",".join(map(str, part)) for part in (partition.replicas, partition.isrs))
        lines.append(
            f"\tTopic: {topic.topic}\tPartition: {partition.id}\tLeader: {partition.leader}"
            f"\tReplicas: {nodes}\tIsr: {in_sync}\n"
        )
    return "".join(lines)


def main() -> int:
    """Do what the command line says; return the exit status."""
    options = Options(sys.argv[1:], KNOWN, OTHERS)
    server = options.required("bootstrap-server")
    if ("list" in options) == ("describe" in options):
        refuse("Command must include exactly one action: --list, --describe, --create, --alter or --delete")
    try:
        admin = AdminClient({"log_level": 0, **options.file("command-config"), "bootstrap.servers": server})
        known = admin.list_topics(timeout=PATIENCE).topics
    except KafkaException as error:
        refuse(f"Error while executing topic command : {error.args[0]}")
    wanted = options.text("topic")
    names = sorted(name for name in known if not wanted or name == wanted)
    if wanted and not names and "describe" in options:
        print(f"Error while executing topic command : Topic '{wanted}' does not exist as expected")  # as the real tool
        return 1
    shown = "".join(description(known[name]) if "describe" in options else f"{name}\n" for name in names)
    sys.stdout.write(shown)
    return 0


if __name__ == "__main__":
    sys.exit(main())
