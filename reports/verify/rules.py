"""The published rules, one a line: what a run must keep to be accepted. docs/certification.md lists them.

A further rule is a line here and a function that returns findings.
"""

from collections.abc import Sequence
from typing import Final

from reports.verify import asked, attested, policies, told
from reports.verify.model import Rule

RULES: Final[Sequence[Rule]] = (
    Rule(
        "signature", "A DSSE envelope lies beside the run, and one of the lab's keys has signed it.", attested.signature
    ),
    Rule(
        "statement",
        "It holds an in-toto Statement with the predicate test-result, which says what the history gives, and no more.",
        attested.stated,
    ),
    Rule(
        "subjects",
        "It names history, report, catalogue and each image that the history names by digest, each by its SHA-256.",
        of_history=attested.subjects,
    ),
    Rule("format", "The history has the format that this suite reads, and report.json fits its schema.", told.readable),
    Rule("verdicts", "Every field of report.json is what the history gives, computed again.", told.recomputed),
    Rule("chain", "Every record's digest follows from the record before it.", of_history=told.chain),
    Rule("sequence", "No record is foreign or missing: every number is there once.", of_history=told.sequence),
    Rule("run", "All records are of one run, between its beginning and its end.", of_history=told.one_run),
    Rule(
        "clock",
        "One clock was kept: it never goes back, and agrees with the time of day of probe and controller.",
        of_history=told.one_clock,
    ),
    Rule(
        "probe", "One process of the probe wrote the history, from its beginning to its end.", of_history=told.one_probe
    ),
    Rule(
        "recorded",
        "The history says nothing else that an honest run does not: verdicts that its records do not give,"
        " expectations outside of tests, tests that were not selected.",
        of_history=told.recorded,
    ),
    Rule(
        "suite-released",
        "The suite's version is that of a release, and one of the policy's; where it names none, one that the lab's own"
        " CHANGELOG.md lists.",
        of_history=asked.released,
    ),
    Rule("suite-clean", "The suite's commit is known, and no file differed from it.", of_history=asked.clean),
    Rule(
        "catalogue", "The run asked the lab's catalogue: digest, version, number of cases.", of_history=asked.catalogue
    ),
    Rule("system", "The run asked the system under test, and no mutant of it.", of_history=asked.system),
    Rule(
        "collected", "Every case of every claimed requirement was collected and selected.", of_history=asked.collected
    ),
    Rule("started", "Every one of these cases began, as often as the run repeats them.", of_history=asked.started),
    Rule("finished", "Every test that began came to its end, and so did the run.", of_history=asked.finished),
    Rule(
        "challenge",
        "Where the lab gave a challenge, all ids and the order of the cases derive from it and from the run's start.",
        of_history=asked.challenged,
    ),
    Rule(
        "gate",
        "The claimed requirements pass the gate of the run, or that of the policy; the run is held against no other.",
        of_history=asked.gated,
    ),
    Rule(
        "profiles",
        "Every profile of the policy may be claimed: all that it binds passed.",
        of_history=policies.profiles,
    ),
    Rule(
        "observed",
        "The versions of products that the run claims are those that were observed in the cluster.",
        of_history=policies.observed,
    ),
    Rule("products", "Every product of the policy has one of its versions, as observed.", of_history=policies.products),
    Rule("target", "The target is one of the policy's.", of_history=policies.target),
    Rule("kafka", "The kind of Kafka is one of the policy's.", of_history=policies.kafka),
    Rule("personality", "The platform plays no product but the policy's.", of_history=policies.personality),
    Rule("fresh", "The run ended in the past, and not longer ago than the policy allows.", of_history=policies.fresh),
    Rule(
        "known",
        "Where failures are forgiven, each is by a published list that the policy accepts, and not by a file of the"
        " operator's own.",
        of_history=policies.known,
    ),
    Rule(
        "waivers",
        "Every waiver for a fault of the suite holds today and names its issue, and the policy accepts waivers.",
        of_history=policies.waivers,
    ),
)
"""All rules, in the order in which they are told."""


def as_markdown(rules: Sequence[Rule] = RULES) -> str:
    """Return the table of the rules, as docs/certification.md has it."""
    return "\n".join(
        ["| rule | what must hold |", "|---|---|", *(f"| `{rule.id}` | {rule.sentence} |" for rule in rules)]
    )
