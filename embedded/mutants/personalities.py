"""Personalities: real products as they were observed, each a list of mutants and divergences that are composed at once.

Their source is what was measured on the products themselves, built from their tagged sources. The rows stand in the
selftests of the mutants: what was looked at, and what was seen. What nobody has measured yet is read in the tagged
sources, and its entry in `reports/known/` says so (`read`).
"""

import difflib
from dataclasses import dataclass

from embedded.mutants.registry import MutantError


@dataclass(frozen=True, slots=True)
class Personality:
    """One product of one version.

    Attributes:
        name: The name on the command line.
        product: The name of the product, as reports name it.
        version: The version that was observed.
        divergences: The names of mutants and divergences, innermost first.
    """

    name: str
    product: str
    version: str
    divergences: tuple[str, ...]


_LISTED = (
    Personality(
        "eventing-kafka-broker-1.22.3",
        "eventing-kafka-broker",
        "1.22.3",
        (
            # What replaces policies comes first.
            "content-coding-dropped",
            "reply-coding-dropped",
            "absent-attribute-raises",
            "cesql-as-sdk-java",
            "cesql-like-quote-ends",
            "cesql-like-by-lines",
            "empty-value-matches-absent",
            "empty-attributes-accepted",
            "media-type-case-sensitive",
            "record-media-type-case-sensitive",
            "percent-encoding-ignored",
            "consumer-never-closes",
            "see-other-followed",
            "reply-loss-not-retried",
            "too-large-is-503",
            "long-headers-refused",
            "continue-never-said",
            "removal-waits-for-answers",
            "allow-not-told",
            "control-characters-accepted",
            "datacontenttype-header-ignored",
            "trigger-without-broker-ignored",
            "brokers-share-topic",
            "attributes-leave-as-latin-1",
            "json-printed-again",
            "json-types-of-letters-only",
            "null-extension-as-text",
            "compound-extensions-as-text",
            "base64-ends-at-padding",
            "last-member-wins",
            "last-header-wins",
            "references-by-rfc-2396",
            "media-type-unchecked",
            "empty-optional-attributes-accepted",
            # Behind those that accept attributes as they came: a time is stored whole.
            "cut-times-accepted",
            "trailing-content-ignored",
            "reply-trailing-content-ignored",
            "data-attribute-ignored",
            "filters-see-instants",
            "empty-reply-attributes-accepted",
            "older-specversion-accepted",
            "offset-attributes-added",
            "partitionkey-breaks-ingress",
            "removals-ignored",
            "subscriber-uri-stays",
            "dead-letter-uri-stays",
            "finalizer-needs-readable-config",
            "every-success-read-as-reply",
            "trace-cross-talk",
            # Read in Vert.x and OpenTelemetry of its version.
            "first-traceparent-taken",
            "tracestate-first-field-only",
            "tracestate-empty-member-refused",
            "long-reply-headers-fail",
            "timeout-until-answer-begins",
            "dispatcher-ends-at-once",
            "linear-waits-grow",
            "short-delay-no-retry",
            "kne-header-stalls",
        ),
    ),
    Personality(
        "seldon-executor-1.17.1",
        "seldon-core",
        "1.17.1",
        (
            "executor-dies-on-non-object",
            "executor-dies-on-unknown-proto-name",
            "predict-response-chained",
            "commits-before-answer",
            "sigterm-drops-work",
            "executor-dies-on-other-type",
            "executor-dies-on-bad-route",
            "infer-request-refused",
            "stream-key-order-lost",
            "canary-answers-all",
            "stream-shadow-answers",
            "stream-answer-without-headers",
            "executor-dies-on-nameless-header",
            "header-no-token-drops",
            "header-control-character-drops",
            "metadata-not-ascii-drops",
            # Of the operator 1.17.1, read in its source.
            "stream-variables-unchecked",
            "stream-variables-counted",
            "stream-loop-accepted",
            "available-without-kafka",
            "stream-ends-without-kafka",
        ),
    ),
    Personality(
        "kserve-agent-0.20.0",
        "kserve-agent",
        "0.20.0",
        (
            # What replaces policies comes first.
            "batch-numbers-as-doubles",
            "batch-across-models",
            "batch-failure-shared",
            "batch-media-type-plain",
            "log-without-batched",
            "log-media-type-of-request",
            "batch-failure-as-200",
            "log-source-shared",
        ),
    ),
)
PERSONALITIES = {personality.name: personality for personality in _LISTED}
"""All personalities, by name."""


def find_personality(name: str) -> Personality:
    """Return a personality.

    Raises:
        MutantError: There is none of this name; the message gives similar ones.
    """
    if name in PERSONALITIES:
        return PERSONALITIES[name]
    near = difflib.get_close_matches(name, PERSONALITIES, n=2, cutoff=0.4) or sorted(PERSONALITIES)
    raise MutantError(f"no personality is named {name!r}; did you mean {' or '.join(near)}?")
