"""What the Kubernetes API says: conditions and fields of objects, and refused calls.

Objects settle in their own time, so a check passes at the first observation that agrees; at the deadline the last one
decides, if it says something definite.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from evidence.checks.base import (
    Check,
    check,
    failed,
    in_status,
    same_json,
    shorten,
    show_status,
    undecidable,
    violation,
)
from evidence.verdict import PASSED, UNDECIDED, Judgement, ObservationRequest, Verdict, Violation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evidence.records import ApiObject
    from evidence.refs import ObjectRef

CHANGES = frozenset({"apply", "create", "patch", "update", "replace", "delete"})
_ABSENT = object()


class Object(Check):
    """What was said of one object."""

    def watch(self) -> None:
        """Keep what is said of it."""
        self.obj: ObjectRef = self.args["obj"]
        self._key = (self.obj.api_version, self.obj.kind, self.obj.namespace, self.obj.name)
        self.history.watch_object(self._key)

    @property
    def records(self) -> list[ApiObject]:
        """The `object` records."""
        return self.history.objects[self._key]

    @property
    def name_of(self) -> str:
        """The object in a sentence."""
        return f"{self.obj.kind} {self.obj.namespace + '/' if self.obj.namespace else ''}{self.obj.name}"

    def latest(self) -> ApiObject | None:
        """Return the last observation that shows the object."""
        return next(
            (record for record in reversed(self.records) if record.get("object") and record["code"] < 300), None
        )

    @property
    def expected(self) -> str:
        """The expectation in a few words."""
        raise NotImplementedError

    def missing(self) -> Violation:
        """Return what was seen of it last."""
        record = self.latest()
        reason = "the object was never seen" if record is None else f"its last state says neither ({_settled(record)})"
        return Violation(f"expected {self.expected}; got no decision: {reason}", (), self.name_of)

    def needs(self) -> tuple[ObservationRequest, ...]:
        """Another look at the object."""
        return (ObservationRequest("object", obj=self.obj),)


def _conditions(record: ApiObject) -> list[dict[str, Any]]:
    status = (record.get("object") or {}).get("status")
    found = status.get("conditions") if isinstance(status, dict) else None
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def _is_ready(record: ApiObject) -> bool:
    return any(item.get("type") == "Ready" and item.get("status") == "True" for item in _conditions(record))


def _at(value: Any, path: Sequence[str]) -> Any:
    for name in path:
        value = value.get(name, _ABSENT) if isinstance(value, dict) else _ABSENT
    return value


def _settled(record: ApiObject) -> str:
    ready = next((item for item in _conditions(record) if item.get("type") == "Ready"), None)
    return f"Ready {ready.get('status')}, reason {ready.get('reason')!r}" if ready else "no condition Ready"


@check("condition")
class Condition(Object):
    """A condition's status, and reason."""

    def watch(self) -> None:
        """Keep what is said of the control too."""
        super().watch()
        control: ObjectRef | None = self.args.get("control")
        self._control = control and (control.api_version, control.kind, control.namespace, control.name)
        if self._control:
            self.history.watch_object(self._control)

    def silent(self, record: ApiObject) -> Judgement | None:
        """Fail where the controller said nothing of this object, and made another one of the kind Ready."""
        if not self._control or self._control[:3] != self._key[:3]:
            return None
        ready = next((seen for seen in self.history.objects[self._control] if _is_ready(seen)), None)
        if ready is None:
            return None
        got = f"no such condition until the deadline, while {self._control[1]} {self._control[3]} was made Ready"
        return failed(violation(self.expected, got, (ready["seq"], record["seq"]), self.name_of))

    @property
    def expected(self) -> str:
        """The expectation in a few words."""
        reason = f" with reason {self.args['reason']}" if self.args["reason"] else ""
        reason += " that says why" if self.args.get("explained") else ""
        return f"{self.name_of} to have condition {self.args['type']} {' or '.join(self.args['status'])}{reason}"

    def decide(self, *, final: bool) -> Judgement:
        """Pass when the last state agrees; at the deadline fail when it definitely does not."""
        record = self.latest()
        if record is None:
            return UNDECIDED
        found = next((item for item in _conditions(record) if item.get("type") == self.args["type"]), None)
        if found is None:
            return (self.silent(record) if final else None) or UNDECIDED
        reason = self.args["reason"]
        is_explained = not self.args.get("explained") or bool(found.get("reason") or found.get("message"))
        if found.get("status") in self.args["status"] and reason in (None, found.get("reason")) and is_explained:
            return PASSED
        if not final or found.get("status") not in {"True", "False"}:
            return UNDECIDED
        got = f"{found.get('status')}, reason {found.get('reason')!r}: {shorten(str(found.get('message') or ''))}"
        return failed(violation(self.expected, got, (record["seq"],), self.name_of))


@check("settled")
class Settled(Condition):
    """An object that the API refused, or of which its controller says that it is Ready, or why it is not."""

    @property
    def expected(self) -> str:
        """The expectation in a few words."""
        return f"{self.name_of} to be refused, to be Ready, or to say why it is not"

    def decide(self, *, final: bool) -> Judgement:
        """Pass at a refusal or a state that says so; fail at the deadline where another one was made Ready."""
        record = self.latest()
        if record is None:
            refused = any(seen["verb"] in CHANGES and 400 <= seen["code"] < 500 for seen in self.records)
            return PASSED if refused else UNDECIDED
        ready = next((item for item in _conditions(record) if item.get("type") == "Ready"), {})
        is_explained = bool(ready.get("reason") or ready.get("message"))
        if ready.get("status") == "True" or (ready.get("status") == "False" and is_explained):
            return PASSED
        return (self.silent(record) if final else None) or UNDECIDED


@check("untouched")
class Untouched(Object):
    """No controller has laid a hand on the object, while it was at work on another one."""

    def watch(self) -> None:
        """Keep what is said of the control too."""
        super().watch()
        control: ObjectRef = self.args["control"]
        self._control = (control.api_version, control.kind, control.namespace, control.name)
        self.history.watch_object(self._control)

    @property
    def expected(self) -> str:
        """The expectation in a few words."""
        return f"{self.name_of} to have no finalizer and nothing in its status"

    def decide(self, *, final: bool) -> Judgement:
        """Fail at a state with a trace; pass at one without, seen after the control had become Ready."""
        del final
        record = self.latest()
        if record is None:
            return UNDECIDED
        seen = record["object"] or {}
        traces = {"status": seen.get("status"), "finalizers": seen.get("metadata", {}).get("finalizers")}
        if found := {name: value for name, value in traces.items() if value}:
            got = shorten(json.dumps(found))
            return failed(violation(self.expected, got, (record["seq"],), self.name_of))
        ready = next((other for other in self.history.objects[self._control] if _is_ready(other)), None)
        return PASSED if ready is not None and ready["seq"] < record["seq"] else UNDECIDED


@check("field")
class FieldCheck(Object):
    """A field's presence, or value."""

    @property
    def expected(self) -> str:
        """The expectation in a few words."""
        wanted = " or ".join("none" if value is None else json.dumps(value) for value in self.args["equals"])
        return f"{self.name_of} to have {'.'.join(self.args['path'])}{' ' + wanted if wanted else ''}"

    def decide(self, *, final: bool) -> Judgement:
        """Pass when the last state agrees; at the deadline fail on another value, or on none in a Ready object."""
        record = self.latest()
        if record is None:
            return UNDECIDED
        value = _at(record["object"], self.args["path"])
        wanted = self.args["equals"]
        there = value is not _ABSENT and value not in (None, "", [], {})
        if any(not there if one is None else same_json(value, one) for one in wanted) if wanted else there:
            return PASSED
        settled = _is_ready(record)
        if not final or not (there or settled or self.args["path"][0] != "status"):
            return UNDECIDED
        got = shorten(json.dumps(value)) if value is not _ABSENT else "none"
        return failed(violation(self.expected, got, (record["seq"],), self.name_of))


@check("located")
class Located(Object):
    """Whom a URL in a field names."""

    @property
    def expected(self) -> str:
        """The expectation in a few words."""
        whose = f"{self.args['name']} in {self.args['namespace']}"
        return f"{self.name_of} to have in {'.'.join(self.args['path'])} a URL whose host begins with {whose}"

    def decide(self, *, final: bool) -> Judgement:
        """Pass when the last state agrees; at the deadline fail on another host, or on none in a Ready object."""
        record = self.latest()
        if record is None:
            return UNDECIDED
        value = _at(record["object"], self.args["path"])
        beginning = f"{re.escape(self.args['name'])}[.-]{re.escape(self.args['namespace'])}"
        if isinstance(value, str) and re.match(rf"https?://{beginning}([.-][^/]*)?(/|$)", value):
            return PASSED
        if not final or (value is _ABSENT and not _is_ready(record)):
            return UNDECIDED
        got = shorten(json.dumps(value)) if value is not _ABSENT else "none"
        return failed(violation(self.expected, got, (record["seq"],), self.name_of))


@check("revision_unnamed")
class RevisionUnnamed(Object):
    """What the status of an InferenceService tells of a revision that is not ready."""

    @property
    def expected(self) -> str:
        """The expectation in a few words."""
        return f"{self.name_of} to tell the newest revision of its {self.args['component']} neither ready nor asked"

    def decide(self, *, final: bool) -> Judgement:
        """Pass when the last state does not name it; at the deadline fail where it does."""
        record = self.latest()
        if record is None:
            return UNDECIDED
        told = _at(record["object"], ("status", "components", self.args["component"]))
        if not isinstance(told, dict):
            return UNDECIDED
        newest, traffic = told.get("latestCreatedRevision"), told.get("traffic")
        targets = [one for one in traffic if isinstance(one, dict)] if isinstance(traffic, list) else []
        asked = [one.get("revisionName") for one in targets if one.get("percent")]
        if not newest or newest not in (told.get("latestReadyRevision"), *asked):
            return PASSED
        got = f"latestReadyRevision {told.get('latestReadyRevision')}, traffic to {asked}"
        return failed(violation(self.expected, got, (record["seq"],), self.name_of)) if final else UNDECIDED


class Call(Object):
    """One call of the API."""

    def call(self) -> ApiObject | None:
        """Return the call that the reference names, or else the last change."""
        seq = self.obj.seq
        calls = [r for r in self.records if (r["seq"] == seq if seq is not None else r["verb"] in CHANGES)]
        return calls[-1] if calls else None

    def needs(self) -> tuple[ObservationRequest, ...]:
        """Nothing: the call is over."""
        return ()


def _said(call: ApiObject) -> str:
    return f"{call['code']} {call.get('reason') or ''} {shorten(str(call.get('message') or ''))}".strip()


@check("api_accepted")
class ApiAccepted(Call):
    """A call that the API did not refuse."""

    @property
    def expected(self) -> str:
        """The expectation in a few words."""
        return f"the API to accept the change of {self.name_of}"

    def decide(self, *, final: bool) -> Judgement:
        """Judge the call, or the last change; an API that is busy or away says nothing of the platform."""
        del final
        call = self.call()
        if call is None:
            return UNDECIDED
        if 200 <= call["code"] < 300:
            return PASSED
        fault = violation(self.expected, _said(call), (call["seq"],), self.name_of)
        return failed(fault) if 400 <= call["code"] <= 500 and call["code"] != 429 else undecidable(fault)


@check("api_refused")
class ApiRefused(Call):
    """A call that the API refused."""

    @property
    def expected(self) -> str:
        """The expectation in a few words."""
        return f"the API to refuse the change of {self.name_of} with {show_status(self.args['status'])}"

    def decide(self, *, final: bool) -> Judgement:
        """Judge the call, or the last change."""
        del final
        call = self.call()
        if call is None:
            return UNDECIDED
        said, got = str(call.get("message") or ""), _said(call)
        fault = violation(self.expected, got, (call["seq"],), self.name_of)
        if not in_status(call["code"], self.args["status"]):
            return undecidable(fault) if call["code"] >= 500 or call["code"] == 0 else failed(fault)
        wanted = self.args["message"]
        if wanted is not None and wanted not in said:
            return failed(
                violation(f"{self.expected} and a message with {wanted!r}", got, (call["seq"],), self.name_of)
            )
        return PASSED


@check("ready_within")
class ReadyWithin(Object):
    """The time from an object's creation to the first state in which it was seen Ready."""

    @property
    def expected(self) -> str:
        """The expectation in a few words."""
        return f"Ready within {self.args['budget'] * 1000:g} ms of its creation"

    def decide(self, *, final: bool) -> Judgement:
        """Judge by the creation and the first Ready state behind it; a late state without Ready tells as much."""
        del final  # the states decide, or nothing does
        states = [record for record in self.records if record["code"] < 300]
        made = next((record for record in states if record["verb"] in {"create", "apply"}), None)
        if made is None:
            return UNDECIDED
        later = [record for record in states if record["seq"] >= made["seq"]]
        ready = next((record for record in later if _is_ready(record)), None)
        took = (ready or later[-1])["t"] - made["t"]
        if ready is None and took <= self.args["budget"]:
            return UNDECIDED
        if took <= self.args["budget"]:
            return Judgement(Verdict.PASS, (), {"ready": took})
        got = f"{took * 1000:.1f} ms" if ready is not None else f"no Ready state {took * 1000:.1f} ms after it"
        witness = (made["seq"], (ready or later[-1])["seq"])
        told = violation(self.expected, got, witness, self.name_of)
        return Judgement(Verdict.FAIL, (told,), {"ready": None if ready is None else took})
