"""Smaller forms of a stimulus, for a search that keeps those that still fail: pure, and each valid as a document.

The last step is the claim that failed, and stays. What it names stays too: events leave its lists, never its other
arguments, and a Trigger or a sink that it names is not taken away.
"""

import copy
import json
from collections.abc import Collection, Iterator
from typing import Any, Final

from evidence.stimulus import ObjectStep, Request, SendStep, Step, Stimulus, requests_of, steps_of

REQUIRED: Final = frozenset({"ce-id", "ce-source", "ce-specversion", "ce-type"})
"""Headers without which a request is no event any more, so that it would be another case."""
_STRUCTURED = "application/cloudevents+json"
_ATTRIBUTES = frozenset({"id", "source", "specversion", "type"})
_NOTHING = object()


def candidates(stimulus: Stimulus) -> tuple[Iterator[Stimulus], ...]:
    """Return smaller forms, by what is made smaller; of each the one first that takes the most away."""
    return (
        fewer_claims(stimulus),
        fewer_events(stimulus),
        fewer_objects(stimulus),
        simpler_sinks(stimulus),
        simpler_objects(stimulus),
        smaller_bodies(stimulus),
        fewer_headers(stimulus),
        simpler_sending(stimulus),
    )


def size_of(stimulus: Stimulus) -> dict[str, int]:
    """Return what people call the size of a stimulus, by what is counted."""
    steps = steps_of(stimulus)
    requests = [request for step in steps if step["step"] == "send" for request in requests_of(step)]
    records = [step for step in steps if step["step"] == "produce"]
    bodies = [request["body"] for request in requests] + [step["value"] or "" for step in records]
    return {
        "events": len(requests) + len(records),
        "objects": sum(step["step"] == "object" for step in steps),
        "claims": sum(step["step"] == "claim" for step in steps),
        "headers": sum(len(request["headers"]) for request in requests),
        "bytes": sum(map(len, bodies)),
    }


def in_words(stimulus: Stimulus) -> str:
    """Return the size of a stimulus for people."""
    return ", ".join(f"{count} {what}" for what, count in size_of(stimulus).items())


def fewer_claims(stimulus: Stimulus) -> Iterator[Stimulus]:
    """Yield it without the claims before the last one: all of them, then each."""
    claims = [number for number, step in enumerate(steps_of(stimulus)[:-1]) if step["step"] == "claim"]
    if len(claims) > 1:
        yield _without(stimulus, claims)
    for number in claims:
        yield _without(stimulus, [number])


def fewer_events(stimulus: Stimulus) -> Iterator[Stimulus]:
    """Yield it with fewer events: without halves of them, without quarters, and so on down to single ones."""
    names: list[str] = []
    for step in steps_of(stimulus):
        if step["step"] == "send":
            names += [request["send"] for request in requests_of(step)]
        elif step["step"] == "produce":
            names.append(step["produce"])
    size = len(names)
    while size > 1:
        size = (size + 1) // 2
        for start in range(0, len(names), size):
            gone = names[start : start + size]
            if len(gone) < len(names) and (made := without_events(stimulus, set(gone))) is not None:
                yield made


def without_events(stimulus: Stimulus, gone: Collection[str]) -> Stimulus | None:
    """Return it without these requests and records; None where the last claim is about one of them alone."""
    kept: list[Step] = []
    steps = steps_of(copy.deepcopy(stimulus))
    for number, step in enumerate(steps):
        if step["step"] == "send":
            step["requests"] = [request for request in requests_of(step) if request["send"] not in gone]
            if not step["requests"]:
                continue
        elif step["step"] == "answered":
            step["sends"] = [send for send in step["sends"] if send not in gone]
            if not step["sends"]:
                continue
        elif step["step"] == "produce" and step["produce"] in gone:
            continue
        elif step["step"] == "claim":
            args = _without_refs(step["args"], gone)
            if args is _NOTHING and number == len(steps) - 1:
                return None
            if args is _NOTHING:
                continue
            step["args"] = args
        kept.append(step)
    return _with(stimulus, kept)


def _without_refs(value: Any, gone: Collection[str]) -> Any:
    """Return a claim's arguments without some events, or nothing where they cannot be without them."""
    if isinstance(value, list):
        items = [_without_refs(item, gone) for item in value]
        kept = [item for item in items if item is not _NOTHING]
        return kept if kept or not value else _NOTHING
    if not isinstance(value, dict):
        return value
    if value.get("send") in gone or value.get("produce") in gone:
        return _NOTHING
    members = {name: _without_refs(item, gone) for name, item in value.items()}
    return _NOTHING if any(item is _NOTHING for item in members.values()) else members


def fewer_objects(stimulus: Stimulus) -> Iterator[Stimulus]:
    """Yield it without an object that is no Broker, without one change of an object, and without one wait."""
    steps = steps_of(stimulus)
    names = dict.fromkeys(
        (step["kind"], step["name"]) for step in steps if step["step"] == "object" and step["kind"] != "Broker"
    )
    for kind, name in names:
        about = [
            number
            for number, step in enumerate(steps)
            if step["step"] in {"object", "ready"} and (step["kind"], step["name"]) == (kind, name)
        ]
        if not _names(steps[-1], name):
            claims = [number for number, step in enumerate(steps) if step["step"] == "claim" and _names(step, name)]
            yield _without(stimulus, [*about, *claims])
    for number, step in enumerate(steps):
        if step["step"] == "object" and step["verb"] != "create":
            yield _without(stimulus, [number])


def simpler_sinks(stimulus: Stimulus) -> Iterator[Stimulus]:
    """Yield it without a sink that nothing names, and with sinks that just answer 200, or have one answer less."""
    steps = steps_of(stimulus)
    for number, step in enumerate(steps):
        if step["step"] != "sink":
            continue
        others = [other for place, other in enumerate(steps) if place != number]
        if not any(_names(other, step["sink"]) or _names(other, step["url"]) for other in others):
            yield _without(stimulus, [number])
        answers = step["answers"]
        for fewer in ([], answers[1:], answers[:-1]) if answers else ():
            if fewer != answers:
                made = copy.deepcopy(stimulus)
                made["steps"][number]["answers"] = fewer
                yield made


def simpler_objects(stimulus: Stimulus) -> Iterator[Stimulus]:
    """Yield it with one Trigger or Broker that asks for less: a simpler filter, fewer rules of delivery."""
    for number, step in enumerate(steps_of(stimulus)):
        if step["step"] != "object" or step["verb"] not in {"create", "apply"}:
            continue
        for asked in _simpler_manifests(step):
            made = copy.deepcopy(stimulus)
            made["steps"][number]["asked"] = asked
            yield made


def _simpler_manifests(step: ObjectStep) -> Iterator[dict[str, Any]]:
    asked = step["asked"]
    spec = asked.get("spec")
    if step["kind"] not in {"Trigger", "Broker"} or not isinstance(spec, dict):
        return
    for name in ("filter", "filters", "delivery"):
        if name in spec:
            yield {**asked, "spec": {key: value for key, value in spec.items() if key != name}}
            for simpler in simpler_values(spec[name]):
                yield {**asked, "spec": {**spec, name: simpler}}


def simpler_values(value: Any) -> Iterator[Any]:
    """Yield a JSON value without one of its members or items, and with one of them made simpler, never empty."""
    if isinstance(value, dict):
        for name in value if len(value) > 1 else ():
            yield {key: item for key, item in value.items() if key != name}
        for name, item in value.items():
            for simpler in simpler_values(item):
                yield {**value, name: simpler}
    elif isinstance(value, list):
        for number in range(len(value)) if len(value) > 1 else ():
            yield value[:number] + value[number + 1 :]
        for number, item in enumerate(value):
            if isinstance(item, dict) and len(item) == 1:  # a dialect that nests others: one of these in its place
                (inner,) = item.values()
                nested = inner if isinstance(inner, list) else [inner]
                for each in nested:
                    if isinstance(each, dict) and all(isinstance(part, dict | list) for part in each.values()):
                        yield [*value[:number], each, *value[number + 1 :]]
            for simpler in simpler_values(item):
                yield [*value[:number], simpler, *value[number + 1 :]]


def smaller_bodies(stimulus: Stimulus) -> Iterator[Stimulus]:
    """Yield it with smaller bodies: in all requests at once, then in each."""
    for form in range(_FORMS):
        made = copy.deepcopy(stimulus)
        changed = [_shrink(request, form) for request in _requests(made)]
        if any(changed):
            yield made
    if len(_requests(stimulus)) == 1:
        return
    for number in range(len(_requests(stimulus))):
        for form in range(_FORMS):
            made = copy.deepcopy(stimulus)
            if _shrink(_requests(made)[number], form):
                yield made


_FORMS: Final = 3


def _shrink(request: Request, form: int) -> bool:
    """Make the body of a request smaller in one of several ways; tells whether it is smaller now."""
    body = request["body"]
    media = next((value for name, value in request["headers"] if name.lower() == "content-type"), "")
    if media.startswith(_STRUCTURED):
        smaller = _smaller_envelope(body, form)
    else:
        smaller = ("", "{}", body[: len(body) // 2])[form]
    if len(smaller) >= len(body):
        return False
    request["body"] = smaller
    return True


def _smaller_envelope(body: str, form: int) -> str:
    try:
        event = json.loads(body.encode("latin-1"))
    except ValueError:
        return body[: len(body) // 2] if form == 0 else body
    if not isinstance(event, dict):
        return body
    data = ("data", "data_base64", "datacontenttype")
    match form:
        case 0:
            kept = {name: value for name, value in event.items() if name in _ATTRIBUTES}
        case 1:
            kept = {name: value for name, value in event.items() if name not in data}
        case _:
            kept = {name: value for name, value in event.items() if name in _ATTRIBUTES or name in data}
    return json.dumps(kept)


def fewer_headers(stimulus: Stimulus) -> Iterator[Stimulus]:
    """Yield it without a header, by its name, in all requests; of what stands several times, without each too."""
    names = dict.fromkeys(name.lower() for request in _requests(stimulus) for name, _ in request["headers"])
    for name in names:
        if name in REQUIRED:
            continue
        made = copy.deepcopy(stimulus)
        for request in _requests(made):
            request["headers"] = [pair for pair in request["headers"] if pair[0].lower() != name]
        yield made


def simpler_sending(stimulus: Stimulus) -> Iterator[Stimulus]:
    """Yield it with its requests one after the other, where several were under way at once."""
    if any(step["step"] == "send" and step["concurrency"] > 1 for step in steps_of(stimulus)):
        made = copy.deepcopy(stimulus)
        for step in steps_of(made):
            if step["step"] == "send":
                step["concurrency"] = 1
        yield made


def _requests(stimulus: Stimulus) -> list[Request]:
    sends: list[SendStep] = [step for step in steps_of(stimulus) if step["step"] == "send"]
    return [request for step in sends for request in requests_of(step)]


def _names(value: Any, text: str) -> bool:
    """Tell whether a text stands anywhere in a value."""
    if isinstance(value, str):
        return text in value
    if isinstance(value, dict):
        return any(_names(item, text) for item in value.values())
    return isinstance(value, list) and any(_names(item, text) for item in value)


def _without(stimulus: Stimulus, numbers: Collection[int]) -> Stimulus:
    return _with(stimulus, [step for number, step in enumerate(steps_of(stimulus)) if number not in numbers])


def _with(stimulus: Stimulus, steps: list[Step]) -> Stimulus:
    return {**stimulus, "steps": list(steps)}
