"""Where an event was last seen: sender, ingress, topic, consumer group, subscriber.

Failure messages print the path as one line. It reports sightings only; what is missing in between is for the reader,
and for the checks, to conclude.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from evidence.history import Record
    from evidence.identity import Identity
    from evidence.sightings import Sightings


@dataclass(frozen=True, slots=True)
class Step:
    """One sighting. `place` is sender, ingress, topic, group, subscriber or answer; `seq` and `t` are the record's."""

    place: str
    text: str
    seq: int
    t: float


def steps(sightings: Sightings, identity: Identity) -> list[Step]:
    """The event's path, oldest first."""
    seen = sightings.events.get(identity)
    if seen is None:
        return []
    found: list[Step] = []

    def add(place: str, text: str, record: Record) -> None:
        found.append(Step(place, text, record["seq"], record["t"]))

    for record in seen.sent:
        add("sender", f"sender {record['send']}", record)
        answer = sightings.answered.get(record["send"])
        if answer is not None:
            said = answer["status"] if answer["status"] is not None else f"did not answer ({answer.get('error')})"
            add("ingress", f"ingress {said}", answer)
    for record in seen.replied:
        add("sender", f"reply {record['receive']} ({record['status']})", record)
    for record in seen.produced:
        spot = (
            f"[{record.get('partition')}]@{record.get('offset')}" if record["error"] is None else f" {record['error']}"
        )
        add("sender", f"producer {record['produce']} {record['topic']}{spot}", record)
    for record in seen.records:
        spot = f"{record['topic']}[{record['partition']}]@{record['offset']}"
        add("topic", f"topic {spot}", record)
        for (group, topic), commits in sightings.committed.items():
            past = sightings.passed(group, record) if topic == record["topic"] else None
            if past is not None:
                found.append(Step("group", f"group {group} past {spot}", past.seq, past.t))
            elif topic == record["topic"] and commits:
                at, offsets = commits[-1]
                text = f"group {group} at {offsets.get(record['partition'], 'nothing')}, not past {spot}"
                found.append(Step("group", text, at.seq, at.t))
    for record in seen.received:
        add("subscriber", f"sink {record['sink']}", record)
        answer = sightings.replied.get(record["receive"])
        if answer is not None:
            add("answer", f"sink {record['sink']} answered {answer['status']}", answer)
    return sorted(found, key=lambda step: step.seq)


def where(sightings: Sightings, identity: Identity) -> str:
    """The path as one line; the middle of a long one is left out."""
    texts = [step.text for step in steps(sightings, identity)]
    if not texts:
        return "nowhere: no record shows it"
    if len(texts) > 12:
        texts = [*texts[:6], f"({len(texts) - 11} more)", *texts[-5:]]
    return " -> ".join(texts)
