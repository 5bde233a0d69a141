"""A reply whose body is in a content coding: who gets it can read it, or its delivery has failed."""

import pytest

from evidence.expectations import delivered, failed_or_unchanged
from evidence.refs import EventRef
from fixtures import Answer, Broker, Sinks, expect
from suites.oracles.codings import CODED
from suites.wire import attributes, binary, fresh

SOURCE = "/touchstone/subscriber"


@pytest.mark.requirement("EVT-RPL-022")
@pytest.mark.parametrize(("coding", "body"), CODED.values(), ids=CODED)
def test_a_reply_in_a_content_coding_can_be_read_or_has_failed(
    broker: Broker, sinks: Sinks, coding: str, body: bytes
) -> None:
    letters, reply = sinks(), EventRef(SOURCE, fresh("reply"))
    told = binary(attributes(id=reply.id, source=SOURCE, type="answer"))
    replier, receiver = broker.several(
        {
            "filter": {"attributes": {"type": "question"}},
            "subscriber": sinks([Answer(200, headers=[*told, ("content-encoding", coding)], body=body)]),
            "delivery": {"deadLetterSink": {"uri": letters.url}},
        },
        {"filter": {"attributes": {"type": "answer"}}},
    )
    question = broker.send(type="question")
    expect(delivered(question, to=replier))
    expect(failed_or_unchanged(reply, to=receiver, replied_by=replier, cause=question, letters=letters))
