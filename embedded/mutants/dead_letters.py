"""Mutants of dead letters: what they tell of a long answer, and what becomes of those that are refused too."""

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import replace
from typing import TypeAlias

from embedded.dataplane.cloudevents import CloudEvent, NotAnEventError
from embedded.dataplane.cloudevents.http import percent_encode
from embedded.dataplane.policies import MAX_ERROR_DATA, Attempt, DataPlanePolicies, StandstillError
from embedded.dataplane.specs import TriggerSpec
from embedded.mutants.hosts import DATA_PLANE
from embedded.mutants.registry import mutant

_Letter: TypeAlias = Callable[[CloudEvent, str, Attempt], CloudEvent | None]
_Write: TypeAlias = Callable[[CloudEvent, TriggerSpec], tuple[list[tuple[str, str]], bytes]]

_MEDIA_TYPE = "datacontenttype"


def _knowing_letters(dead_letter: _Letter, write_request: _Write) -> tuple[_Letter, _Write, Callable[[], bool]]:
    """Return two policies that note what is under way, and the function that tells whether that is a dead letter."""
    letter: ContextVar[CloudEvent | None] = ContextVar("letter", default=None)
    under_way: ContextVar[bool] = ContextVar("under_way", default=False)

    def make(event: CloudEvent, subscriber: str, attempt: Attempt) -> CloudEvent | None:
        made = dead_letter(event, subscriber, attempt)
        letter.set(made)
        return made

    def write(event: CloudEvent, spec: TriggerSpec) -> tuple[list[tuple[str, str]], bytes]:
        under_way.set(event is letter.get())
        return write_request(event, spec)

    return make, write, under_way.get


@mutant(DATA_PLANE, wraps="dead_letter")
def long_answer_untold(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Leave knativeerrordata out where the answer does not fit, as eventing-kafka-broker issue 2340 discusses."""

    def dead_letter(event: CloudEvent, subscriber: str, attempt: Attempt) -> CloudEvent | None:
        body = attempt.body if len(attempt.body) <= MAX_ERROR_DATA else b""
        return honest.dead_letter(event, subscriber, replace(attempt, body=body))

    return replace(honest, dead_letter=dead_letter)


@mutant(DATA_PLANE, wraps="dead_letter")
def error_data_through_text(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Read what an answer said as text before its bytes are told (EV issue 5439, eventing-kafka-broker PR 2604)."""

    def dead_letter(event: CloudEvent, subscriber: str, attempt: Attempt) -> CloudEvent | None:
        text = attempt.body[:MAX_ERROR_DATA].decode(errors="replace")
        return honest.dead_letter(event, subscriber, replace(attempt, body=text.encode()))

    return replace(honest, dead_letter=dead_letter)


@mutant(DATA_PLANE, wraps="dead_letter")
def dead_letter_keeps_old_error(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Tell in a dead letter what an earlier one of the event told (eventing-kafka-broker issue 2340)."""

    def dead_letter(event: CloudEvent, subscriber: str, attempt: Attempt) -> CloudEvent | None:
        letter = honest.dead_letter(event, subscriber, attempt)
        told = {name: value for name, value in event.attributes.items() if name.startswith("knativeerror")}
        return letter and letter.having(**told)

    return replace(honest, dead_letter=dead_letter)


@mutant(DATA_PLANE, wraps="dead_letter")
def dest_needs_answer(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Leave knativeerrordest out where there was no answer (eventing-kafka-broker issue 2340)."""

    def dead_letter(event: CloudEvent, subscriber: str, attempt: Attempt) -> CloudEvent | None:
        return event if attempt.status is None else honest.dead_letter(event, subscriber, attempt)

    return replace(honest, dead_letter=dead_letter)


@mutant(DATA_PLANE, wraps=("dead_letter", "write_request", "outcome"))
def letter_answer_must_be_event(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Fail the delivery of a dead letter whose sink answers 200 with a body that is no event, and try it again."""
    dead_letter, write_request, is_letter = _knowing_letters(honest.dead_letter, honest.write_request)

    def outcome(attempt: Attempt) -> Attempt:
        attempt = honest.outcome(attempt)
        if not is_letter() or not attempt.is_success:
            return attempt
        try:
            honest.reply(attempt)
        except NotAnEventError:
            return replace(attempt, status=502)
        return attempt

    return replace(honest, dead_letter=dead_letter, write_request=write_request, outcome=outcome)


@mutant(DATA_PLANE, wraps=("dead_letter", "write_request", "is_retryable"))
def dead_letter_retried_always(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Retry the delivery of a dead letter whatever its sink answers."""
    dead_letter, write_request, is_letter = _knowing_letters(honest.dead_letter, honest.write_request)

    def is_retryable(attempt: Attempt) -> bool:
        return is_letter() or honest.is_retryable(attempt)

    return replace(honest, dead_letter=dead_letter, write_request=write_request, is_retryable=is_retryable)


@mutant(DATA_PLANE, wraps=("dead_letter", "write_request", "is_retryable"))
def dead_letter_refusal_stalls(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Never end where the dead letter sink refuses (eventing-kafka-broker PR 597: nothing is committed any more)."""
    dead_letter, write_request, is_letter = _knowing_letters(honest.dead_letter, honest.write_request)

    def is_retryable(attempt: Attempt) -> bool:
        again = honest.is_retryable(attempt)
        if is_letter() and not again:
            raise StandstillError("the dead letter sink refuses")
        return again

    return replace(honest, dead_letter=dead_letter, write_request=write_request, is_retryable=is_retryable)


@mutant(DATA_PLANE, wraps=("dead_letter", "write_request", "is_retryable"))
def dead_letter_once_on_reset(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Give a dead letter up whose sink gives no whole answer (NATS issue 713, RabbitMQ issue 1385)."""
    dead_letter, write_request, is_letter = _knowing_letters(honest.dead_letter, honest.write_request)

    def is_retryable(attempt: Attempt) -> bool:
        return honest.is_retryable(attempt) and not (is_letter() and attempt.status is None)

    return replace(honest, dead_letter=dead_letter, write_request=write_request, is_retryable=is_retryable)


_REFUSED, _UNRESOLVED = "ClientConnectorError: ", "no such host"


def _giving_up(honest: DataPlanePolicies, *errors: str, letters: bool) -> DataPlanePolicies:
    """Return policies that do not retry what fails with one of these errors: dead letters, or deliveries."""
    dead_letter, write_request, is_letter = _knowing_letters(honest.dead_letter, honest.write_request)

    def is_retryable(attempt: Attempt) -> bool:
        given_up = is_letter() is letters and any(error in attempt.error for error in errors)
        return honest.is_retryable(attempt) and not given_up

    return replace(honest, dead_letter=dead_letter, write_request=write_request, is_retryable=is_retryable)


@mutant(DATA_PLANE, wraps=("dead_letter", "write_request", "is_retryable"))
def refused_not_retried(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Dead-letter an event at once whose subscriber refuses the connection (knative/eventing issue 4453)."""
    return _giving_up(honest, _REFUSED, letters=False)


@mutant(DATA_PLANE, wraps=("dead_letter", "write_request", "is_retryable"))
def unresolved_not_retried(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Dead-letter an event at once whose subscriber's name does not resolve (knative/eventing issue 4453)."""
    return _giving_up(honest, _UNRESOLVED, letters=False)


@mutant(DATA_PLANE, wraps=("dead_letter", "write_request", "is_retryable"))
def unreached_letter_given_up(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Give a dead letter up at once whose sink cannot be reached at all (modelled on knative/eventing issue 4453)."""
    return _giving_up(honest, _REFUSED, _UNRESOLVED, letters=True)


@mutant(DATA_PLANE, wraps="outcome")
def closing_answer_fails(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Take an answer that ends its connection for a broken one."""

    def outcome(attempt: Attempt) -> Attempt:
        closes = any(name.lower() == b"connection" and value.lower() == b"close" for name, value in attempt.headers)
        return Attempt(None, error="connection closed") if closes else honest.outcome(attempt)

    return replace(honest, outcome=outcome)


@mutant(DATA_PLANE, wraps="dead_letter")
def letters_encoded_twice(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Percent-encode the values of attributes once more in dead letters."""

    def dead_letter(event: CloudEvent, subscriber: str, attempt: Attempt) -> CloudEvent | None:
        encoded = {name: percent_encode(value) for name, value in event.attributes.items() if name != _MEDIA_TYPE}
        return honest.dead_letter(event.having(**encoded), subscriber, attempt)

    return replace(honest, dead_letter=dead_letter)


@mutant(DATA_PLANE, wraps="dead_letter")
def letter_of_known_id_dropped(honest: DataPlanePolicies) -> DataPlanePolicies:
    """Write one dead letter of a source and an id, and drop every further one of the Trigger."""
    known: set[tuple[str, str]] = set()

    def dead_letter(event: CloudEvent, subscriber: str, attempt: Attempt) -> CloudEvent | None:
        identity = (event.attributes["source"], event.attributes["id"])
        if identity in known:
            return None
        known.add(identity)
        return honest.dead_letter(event, subscriber, attempt)

    return replace(honest, dead_letter=dead_letter)
