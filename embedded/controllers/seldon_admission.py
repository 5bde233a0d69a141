"""What the webhook of SeldonDeployments refuses: graphs that cannot be walked, and streams that cannot run."""

from collections.abc import Iterator, Mapping
from typing import Any

from embedded.api.errors import Cause
from embedded.controllers.seldondeployment import BROKER, INPUT, OUTPUT, REQUIRED, environment_of
from embedded.streaming.models import REQUEST_TYPES, why_not_walked
from embedded.streaming.nodes import KINDS

WHOLE = 100
WORKERS, AUTO_COMMIT = "KAFKA_WORKERS", "KAFKA_AUTO_COMMIT"
BOOLEANS = frozenset({"1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false", "False"})
"""What the executor's `strconv.ParseBool` takes."""


def faults_of_graphs(deployment: Mapping[str, Any]) -> list[Cause]:
    """Return why the predictors of a SeldonDeployment, their containers or their graphs are refused."""
    spec = deployment.get("spec") or {}
    predictors = spec.get("predictors") or []
    causes = []
    if not predictors:
        causes.append(Cause("spec.predictors", "FieldValueRequired", "Required value: Graph contains no predictors"))
    told = [predictor for predictor in predictors if not predictor.get("shadow")]
    traffic = sum(int(predictor.get("traffic") or 0) for predictor in told)
    if len(predictors) - len(told) > 1:
        why = "Invalid value: true: Multiple shadows are not allowed"
        causes.append(Cause("spec.predictors", "FieldValueInvalid", why))
    if len(told) > 1 and traffic != WHOLE:
        why = f"Invalid value: {traffic}: Traffic must sum to 100 for multiple predictors"
        causes.append(Cause("spec.predictors", "FieldValueInvalid", why))
    if len(predictors) == 1 and traffic not in {0, WHOLE}:
        why = f"Invalid value: {traffic}: Traffic must be 100 for a single predictor when set"
        causes.append(Cause("spec.predictors", "FieldValueInvalid", why))
    if len(predictors) == 1 and predictors[0].get("shadow"):
        why = "Invalid value: true: Shadow can not exist as only predictor"
        causes.append(Cause("spec.predictors[0].shadow", "FieldValueInvalid", why))
    names = [predictor.get("name") for predictor in predictors]
    causes += [
        Cause(f"spec.predictors[{number}]", "FieldValueInvalid", f'Invalid value: "{name}": Duplicate predictor name')
        for number, name in enumerate(names)
        if name in names[:number]
    ]
    for number, predictor in enumerate(predictors):
        causes += _of_predictor(spec, predictor, f"spec.predictors[{number}]")
    return causes


def _of_predictor(spec: Mapping[str, Any], predictor: Mapping[str, Any], path: str) -> Iterator[Cause]:
    names = [
        container.get("name")
        for part in predictor.get("componentSpecs") or ()
        for container in (part.get("spec") or {}).get("containers") or ()
    ]
    if not names:
        yield Cause(f"{path}.componentSpecs", "FieldValueRequired", "Required value: no containers")
    graph = predictor.get("graph") or {}
    for place, node in _nodes(graph, f"{path}.graph"):
        if not node.get("name"):
            yield Cause(f"{place}.name", "FieldValueRequired", "Required value: the graph needs a name")
        elif names and node["name"] not in names:
            why = f'Invalid value: "{node["name"]}": Can\'t find component for graph node'
            yield Cause(f"{place}.name", "FieldValueInvalid", why)
        if node.get("type") and node["type"] not in KINDS:
            why = f'Unsupported value: "{node["type"]}": supported values: {", ".join(KINDS)}'
            yield Cause(f"{place}.type", "FieldValueNotSupported", why)
    protocol, transport = spec.get("protocol") or "seldon", spec.get("transport") or "rest"
    if why_not := why_not_walked(protocol, transport, sum(1 for _ in _nodes(graph, ""))):
        yield Cause(f"{path}.graph.children", "FieldValueForbidden", f"Forbidden: {why_not}")


def _nodes(node: Mapping[str, Any], path: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield path, node
    for number, child in enumerate(node.get("children") or ()):
        yield from _nodes(child, f"{path}.children[{number}]")


def faults_of_streams(deployment: Mapping[str, Any]) -> list[Cause]:
    """Return why a SeldonDeployment with `serverType: kafka` is refused for what its streams are told."""
    spec = deployment.get("spec") or {}
    if spec.get("serverType") != "kafka":
        return []
    causes = []
    for number, predictor in enumerate(spec.get("predictors") or ()):
        path = f"spec.predictors[{number}].svcOrchSpec.env"
        causes += [Cause(path, "FieldValueInvalid", why) for why in _faults_of_variables(environment_of(predictor))]
    protocol = spec.get("protocol") or "seldon"
    if protocol not in REQUEST_TYPES:
        why = f'Unsupported value: "{protocol}": supported values: {", ".join(REQUEST_TYPES)}'
        causes.append(Cause("spec.protocol", "FieldValueNotSupported", why))
    return causes


def _faults_of_variables(environment: Mapping[str, str]) -> Iterator[str]:
    missing = [variable for variable in REQUIRED if not environment.get(variable)]
    if missing:
        yield (
            f"Invalid value: {', '.join(missing)} missing: "
            f"For kafka please supply env variables {BROKER}, {INPUT}, {OUTPUT} in svcOrchSpec"
        )
    elif environment[INPUT] == environment[OUTPUT]:
        yield f'Invalid value: "{environment[OUTPUT]}": {OUTPUT} is {INPUT}: each answer would be a request'
    workers = environment.get(WORKERS)
    if workers is not None and not (workers.isascii() and workers.isdecimal() and int(workers) >= 1):
        yield f'Invalid value: "{workers}": {WORKERS} must be a positive number'
    commit = environment.get(AUTO_COMMIT)
    if commit is not None and commit not in BOOLEANS:
        yield f'Invalid value: "{commit}": {AUTO_COMMIT} must be true or false'
