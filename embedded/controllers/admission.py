"""What the real controllers' webhooks do: they fill in what an object leaves open, and refuse, in their words.

The API server finds structural faults (wrong types, missing fields of a schema). This module checks meaning: immutable
fields, fields that exclude each other, and invalid values.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from embedded.api.errors import ApiError, denied, invalid
from embedded.api.resources import BROKER, INFERENCESERVICE, SELDONDEPLOYMENT, TRIGGER, Resource
from embedded.api.store import Operation
from embedded.controllers.broker import CLASS, class_of
from embedded.controllers.policies import ControlPlanePolicies
from embedded.controllers.seldon_admission import faults_of_graphs, faults_of_streams

KNATIVE = "validation.webhook.eventing.knative.dev"
KSERVE = "inferenceservice.kserve-webhook-server.validator"

DIALECTS = ("exact", "prefix", "suffix", "all", "any", "not", "cesql")
ATTRIBUTE = re.compile(r"[a-z][a-z0-9]*")
ATTRIBUTE_RULE = "Attribute name must start with a letter and can only contain lowercase alphanumeric"
DURATION = re.compile(r"P(?=.)(\d+Y)?(\d+M)?(\d+W)?(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+([.,]\d+)?S)?)?")
POLICIES = ("linear", "exponential")
PREDICTOR_KINDS = ("model", "containers")
CHECKED = (BROKER, TRIGGER, INFERENCESERVICE, SELDONDEPLOYMENT)
LABEL = 63
"""The characters that a Service's name may have: it is a label of DNS."""
TOO_LONG = f"must be no more than {LABEL} characters"
NOT_NEGATIVE = "cannot be less than 0"
TOO_FEW = "'MinReplicas' cannot be greater than MaxReplicas"
UNKNOWN_MODE = "invalid logger type"
LOGGED = ("all", "request", "response")
DEFAULT_REPLICAS = 1
NAME = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
# What `config-br-defaults` of Knative Eventing's release says, for Brokers of all classes that say nothing themselves.
DEFAULT_DELIVERY = {"retry": 10, "backoffPolicy": "exponential", "backoffDelay": "PT0.2S"}


class Admission:
    """The store's admission hook for Brokers, Triggers, InferenceServices and SeldonDeployments."""

    def __init__(self, policies: Callable[[str], ControlPlanePolicies]) -> None:
        self._policies = policies

    def __call__(
        self, operation: Operation, resource: Resource, new: dict[str, Any] | None, old: dict[str, Any] | None
    ) -> None:
        """Check an object before it is written.

        Raises:
            ApiError: The object is invalid, or changes an immutable field.
        """
        if new is None or resource not in CHECKED or "deletionTimestamp" in new["metadata"]:
            return
        policies = self._policies(new["metadata"]["namespace"])
        _say_defaults(resource, new, policies)
        if resource in (BROKER, TRIGGER):
            if not policies.is_up(new):
                raise ApiError(
                    500, "InternalError", f'Internal error occurred: failed calling webhook "{KNATIVE}": EOF'
                )
            if not policies.checks(operation, resource):
                return
        if resource is BROKER:
            _broker(new, old, policies)
        elif resource is TRIGGER:
            _trigger(new, old, policies)
        elif resource is INFERENCESERVICE:
            if faults := policies.faults_of_service(list(_inference_service(new))):
                raise denied(KSERVE, faults[0])
        elif causes := policies.faults_of_deployment([*faults_of_graphs(new), *faults_of_streams(new)]):
            raise invalid(SELDONDEPLOYMENT, new["metadata"]["name"], causes)


def _say_defaults(resource: Resource, new: dict[str, Any], policies: ControlPlanePolicies) -> None:
    """Write into a Broker or a Trigger what it leaves open, as the defaulting webhook does."""
    if resource is BROKER:
        if policies.default_class and not class_of(new):
            new["metadata"]["annotations"] = {
                **(new["metadata"].get("annotations") or {}),
                CLASS: policies.default_class,
            }
        spec = new.setdefault("spec", {})
        if spec.get("delivery") is None:
            spec["delivery"] = dict(DEFAULT_DELIVERY)
    elif resource is TRIGGER:
        if policies.default_broker:
            new["spec"]["broker"] = new["spec"].get("broker") or policies.default_broker
        if new["spec"].get("filter") is None:
            new["spec"]["filter"] = {}


def _broker(new: dict[str, Any], old: dict[str, Any] | None, policies: ControlPlanePolicies) -> None:
    spec = new.get("spec") or {}
    faults = policies.faults_of_delivery(_delivery(spec.get("delivery"), "spec.delivery", policies))
    config = spec.get("config")
    if config is not None:
        needed = ("apiVersion", "kind", "name")
        missing = [f"missing field(s): spec.config.{field}" for field in needed if not config.get(field)]
        faults += policies.faults_of_config(missing)
    if old is not None:
        before, after = class_of(old), class_of(new)
        changes = {}
        if before != after:
            changes["annotations"] = _difference("string", before, after)
        if (old.get("spec") or {}).get("config") != config:
            changes["spec"] = _difference("v1.KReference", (old.get("spec") or {}).get("config"), config)
        for field in policies.kept_fields(list(changes)):
            faults.append(f"Immutable fields changed (-old +new): {field}\n{changes[field]}")
    _refuse(faults)


def _trigger(new: dict[str, Any], old: dict[str, Any] | None, policies: ControlPlanePolicies) -> None:
    spec = new.get("spec") or {}
    faults = []
    if not spec.get("broker"):
        faults.append("missing field(s): spec.broker")
    named = (spec.get("filter") or {}).get("attributes")
    faults += policies.faults_of_names(_attributes(named, "spec.filter.attributes"))
    for number, expression in enumerate(spec.get("filters") or ()):
        faults += _filter(expression, f"spec.filters[{number}]", policies)
    faults += policies.faults_of_subscriber(_destination(spec.get("subscriber"), "spec.subscriber", policies))
    faults += policies.faults_of_delivery(_delivery(spec.get("delivery"), "spec.delivery", policies))
    if old is not None and (old.get("spec") or {}).get("broker") != spec.get("broker"):
        changed = _difference("string", old["spec"].get("broker"), spec.get("broker"))
        for field in policies.kept_fields_of_trigger(["spec, broker"]):
            faults.append(f"Immutable fields changed (-old +new): {field}\n{changed}")
    _refuse(faults)


def _refuse(faults: list[str]) -> None:
    if faults:
        raise denied(KNATIVE, "validation failed: " + "\n".join(faults))


def _difference(kind: str, before: Any, after: Any) -> str:
    return f'{{{kind}}}:\n\t-: "{before}"\n\t+: "{after}"\n'


def _filter(expression: Mapping[str, Any], path: str, policies: ControlPlanePolicies) -> list[str]:
    dialects = [dialect for dialect in DIALECTS if expression.get(dialect)]
    if policies.too_many_dialects(dialects):
        return [f"multiple dialects found, filters can have only one dialect set: {path}"]
    faults = []
    for dialect in dialects:
        value, inner = expression[dialect], f"{path}.{dialect}"
        if dialect in {"exact", "prefix", "suffix"}:
            faults += policies.faults_of_names(_attributes(value, inner))
        elif dialect in {"all", "any"}:
            for number, nested in enumerate(value):
                faults += _filter(nested, f"{inner}[{number}]", policies)
        elif dialect == "not":
            faults += _filter(value, inner, policies)
        elif dialect == "cesql":
            why = policies.fault_of_expression(value)
            faults += [] if why is None else [f"invalid value: {value}: {inner}\n{why}"]
    return faults


def _attributes(attributes: Mapping[str, Any] | None, path: str) -> list[str]:
    return [
        f'invalid key name "{name}": {path}\n{ATTRIBUTE_RULE}'
        for name in attributes or ()
        if not ATTRIBUTE.fullmatch(name)
    ]


def _destination(destination: Mapping[str, Any] | None, path: str, policies: ControlPlanePolicies) -> list[str]:
    reference, uri = (destination or {}).get("ref"), (destination or {}).get("uri")
    if not reference and not uri:
        return [f"expected at least one, got none: {path}.ref, {path}.uri"]
    faults = []
    if reference:
        faults += [f"missing field(s): {path}.ref.{field}" for field in ("kind", "name") if not reference.get(field)]
    if uri and not reference and not re.match(r"[A-Za-z][A-Za-z0-9+.-]*://[^/]", str(uri)):
        why = "Relative URI is not allowed when Ref and [apiVersion, kind, name] is absent"
        faults.append(f"invalid value: {why}: {path}.uri")
    authorities = (destination or {}).get("CACerts")
    # The webhook looks at them beside a URI alone.
    if uri and authorities is not None and policies.refuses_authorities(str(authorities)):
        faults.append(f"invalid value: CA Cert provided is invalid: {path}.caCert")
    return faults


def _delivery(delivery: Mapping[str, Any] | None, path: str, policies: ControlPlanePolicies) -> list[str]:
    if not delivery:
        return []
    faults = []
    if delivery.get("deadLetterSink") is not None:
        faults += _destination(delivery["deadLetterSink"], f"{path}.deadLetterSink", policies)
    retry = delivery.get("retry")
    if retry is not None and retry < 0:
        faults.append(f"invalid value: {retry}: {path}.retry")
    policy = delivery.get("backoffPolicy")
    if policy is not None and policy not in POLICIES:
        faults.append(f"invalid value: {policy}: {path}.backoffPolicy")
    for field in ("backoffDelay", "timeout", "retryAfterMax"):
        value = delivery.get(field)
        if value is not None and (not DURATION.fullmatch(str(value)) or (field == "timeout" and _is_zero(value))):
            faults.append(f"invalid value: {value}: {path}.{field}")
    return faults


def _is_zero(duration: str) -> bool:
    return not re.search(r"[1-9]", duration)


def _inference_service(new: dict[str, Any]) -> Iterator[str]:
    """Yield the faults of an InferenceService."""
    name, spec = new["metadata"]["name"], new.get("spec") or {}
    if not NAME.fullmatch(name):
        yield (
            f'the InferenceService "{name}" is invalid: a InferenceService name must consist of lower case '
            "alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric "
            "character"
        )
    for component in ("predictor", "transformer"):
        described = spec.get(component)
        if described is None and component == "transformer":
            continue
        if len(f"{name}-{component}") > LABEL:
            yield f'the InferenceService "{name}" is invalid: {name}-{component}, a Service, {TOO_LONG}'
        kinds = [kind for kind in PREDICTOR_KINDS if (described or {}).get(kind)]
        if len(kinds) != 1 or (component == "transformer" and kinds != ["containers"]):
            allowed = "model, containers" if component == "predictor" else "containers"
            yield f"exactly one of [{allowed}] must be specified in spec.{component}; found [{', '.join(kinds)}]"
        yield from _extension(described or {})


def _extension(described: Mapping[str, Any]) -> Iterator[str]:
    """Yield the faults of what a component says beside its containers: how often it is there, and what is logged."""
    if int(described.get("containerConcurrency") or 0) < 0:
        yield f"parallelism {NOT_NEGATIVE}"
    least, most = described.get("minReplicas"), int(described.get("maxReplicas") or 0)
    least = DEFAULT_REPLICAS if least is None else int(least)
    if least < 0:
        yield f"'MinReplicas' {NOT_NEGATIVE}"
    if most < 0:
        yield f"'MaxReplicas' {NOT_NEGATIVE}"
    elif most and least > most:
        yield TOO_FEW
    logger = described.get("logger")
    if isinstance(logger, Mapping) and logger.get("mode", LOGGED[0]) not in LOGGED:
        yield UNKNOWN_MODE
