"""Tables of requests that a Broker's ingress must turn away, and what is expected of each."""

from collections.abc import Iterable

from evidence.expectations import Expectation, not_recorded, recorded, refused
from fixtures import Broker
from suites.wire import Headers


def turned_away(broker: Broker, requests: Iterable[tuple[Headers, bytes]]) -> list[Expectation]:
    """Send each request, and a good event behind it; expect 400 and no record of the one, and a record of the other."""
    sent = [(broker.post(headers, body), broker.send()) for headers, body in requests]
    return [
        expectation
        for request, good in sent
        for expectation in (refused(request, 400), not_recorded(request, on=broker), recorded(good, on=broker))
    ]
