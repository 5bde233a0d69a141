"""What a request wishes of a node beside an answer, and the answers that say what a node got."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

IMAGE = "serving"


@dataclass(frozen=True)
class Wishes:
    """What a request asks of the node beside an answer.

    Attributes:
        delay: The seconds until the answer.
        status: The HTTP status of the answer; over gRPC anything but 200 is INVALID_ARGUMENT.
        size: The bytes of a text in the answer's place; 0: the echo.
        show: The names of headers, in small letters, that come in the answer's place; none: the echo.
        route: The route that a router answers; None: no route at all.
        form: The form in which it does: `plain`, `nested` (an array in an array) or `tensor`.
        child: The child, from 0, whose message a combiner over gRPC answers where not all of them are texts.
        named: True to have the method by which a node was called behind the suffix.
        sign: True to have each node add itself to `meta`: to the tags with its method, or with the headers that it is
            to show, and to `requestPath`.
        most: The number of requests of which no more should be at the node at one time; the answer says how it was. 0:
            the echo.
        least: The number of requests that are waited for then, this one included.
        measure: True to have each node that signs add a metric, too.
        exit: True to have the process end at once, in place of an answer.
    """

    delay: float = 0.0
    status: int = 200
    size: int = 0
    show: frozenset[str] = frozenset()
    route: int | None = 0
    form: str = "plain"
    child: int = 0
    named: bool = False
    sign: bool = False
    most: int = 0
    least: int = 1
    measure: bool = False
    exit: bool = False


def wishes(tags: Mapping[str, Any], name: str) -> Wishes:
    """Read tags or parameters; what a node does not know is of no effect.

    Args:
        tags: The tags or parameters. Where `at` is among them, all but the route is wished of the node of that name.
        name: The name of the node that reads them.
    """
    route = tags.get("route", 0)
    routing = Wishes(route=None if route is None else int(route), form=str(tags.get("form", "plain")))
    if tags.get("at", name) != name:
        return routing
    return replace(
        routing,
        delay=float(tags.get("delay", 0)),
        status=int(tags.get("status", 200)),
        size=int(tags.get("size", 0)),
        child=int(tags.get("child", 0)),
        show=frozenset(str(tags.get("show", "")).lower().split(",")) - {""},
        named=bool(tags.get("named")),
        sign=bool(tags.get("sign")),
        most=int(tags.get("most", 0)),
        least=int(tags.get("least", 1)),
        measure=bool(tags.get("measure")),
        exit=bool(tags.get("exit")),
    )


def routed(wish: Wishes) -> dict[str, Any]:
    """Return a router's answer as a SeldonMessage."""
    values = [] if wish.route is None else [wish.route]
    if wish.form == "tensor":
        return {"data": {"tensor": {"shape": [1, len(values)], "values": values}}}
    return {"data": {"ndarray": [values] if wish.form == "nested" else values}}


def signed(metas: Sequence[Mapping[str, Any]], name: str, told: str, *, measure: bool) -> dict[str, Any]:
    """Return the `meta` of an answer to one message or several: what theirs say together, and this node.

    As in Seldon's own wrapper, the puid is that of the first.

    Args:
        metas: The `meta` of each message.
        name: The name of the node.
        told: What it says of itself: the method by which it was called, or the headers that it got.
        measure: True to add a metric.
    """
    own = [{"key": name, "type": "COUNTER", "value": 1}] if measure else []
    together: dict[str, Any] = {"tags": {}, "requestPath": {}}
    for meta in (*metas, {"tags": {name: told}, "requestPath": {name: IMAGE}}):
        for member, known in together.items():
            known.update(meta.get(member) or {})
    metrics = [*(metric for meta in metas for metric in meta.get("metrics") or ()), *own]
    puid = metas[0].get("puid") if metas else None
    return together | ({"metrics": metrics} if metrics else {}) | ({"puid": puid} if puid else {})


def shown(pairs: Iterable[tuple[str, str]], names: Collection[str]) -> str:
    """Return those headers or metadata as a JSON text: sorted pairs, the names in small letters."""
    return json.dumps(sorted([name.lower(), value] for name, value in pairs if name.lower() in names))
