"""What the webhooks fill in, and what they refuse, in the real ones' words."""

from typing import TYPE_CHECKING, Any

import pytest
import trustme

from embedded.api.errors import ApiError
from embedded.api.resources import BROKER, INFERENCESERVICE, NAMESPACE, SELDONDEPLOYMENT, TRIGGER, Resource
from embedded.api.store import Store
from embedded.controllers.admission import Admission
from embedded.controllers.broker import CLASS, class_of
from embedded.mutants.hosts import CONTROL_PLANE
from embedded.mutants.registry import names
from embedded.mutants.selection import LABEL, Selection

if TYPE_CHECKING:
    from collections.abc import Callable

URI = "http://sink.example.com/"
PREFIX = 'admission webhook "validation.webhook.eventing.knative.dev" denied the request: validation failed: '
KAFKA = {"annotations": {"eventing.knative.dev/broker.class": "Kafka"}}


@pytest.fixture
def store() -> Store:
    """Return a store with the platform's admission; namespace `faulty-<mutant>` has that mutant."""
    store = Store()
    selection = Selection(store)
    store.admission.extend((selection.admit, Admission(selection.control_plane)))
    for name in names(CONTROL_PLANE):
        labels = {LABEL: name}
        store.create(NAMESPACE, {"metadata": {"name": f"faulty-{name}", "labels": labels}})
    return store


def named(spec: dict[str, Any], namespace: str = "default", /, **metadata: Any) -> dict[str, Any]:
    return {"metadata": {"name": "it", "namespace": namespace, **metadata}, "spec": spec}


def trigger(**spec: Any) -> dict[str, Any]:
    return {"broker": "default", "subscriber": {"uri": URI}, **spec}


def refused(store: Store, resource: Resource, obj: dict[str, Any]) -> ApiError:
    with pytest.raises(ApiError) as caught:
        store.create(resource, obj)
    return caught.value


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param(trigger(), id="no-filter"),
        pytest.param(trigger(filter={}), id="empty-filter"),
        pytest.param(trigger(filters=[]), id="empty-filters"),
        pytest.param(trigger(filter={"attributes": {"type": "a", "myext": ""}}), id="attributes"),
        pytest.param(
            trigger(filters=[{"any": [{"exact": {"type": "a"}}, {"not": {"prefix": {"id": "b"}}}]}]), id="nested"
        ),
        pytest.param(trigger(filters=[{"all": [{"cesql": "length(type) > 3 and not exists subject"}]}]), id="cesql"),
        pytest.param(
            trigger(delivery={"retry": 0, "backoffPolicy": "linear", "backoffDelay": "PT0.2S"}), id="delivery"
        ),
        pytest.param(
            trigger(subscriber={"ref": {"apiVersion": "v1", "kind": "Service", "name": "s"}, "uri": "/p"}), id="ref"
        ),
    ],
)
def test_trigger_is_accepted(store: Store, spec: dict[str, Any]) -> None:
    store.create(TRIGGER, named(spec))


# The ConfigMap config-br-defaults, as Knative Eventing 1.22.2 releases it.
RELEASED = {"retry": 10, "backoffPolicy": "exponential", "backoffDelay": "PT0.2S"}


@pytest.mark.parametrize(
    ("spec", "delivery"),
    [
        pytest.param({}, RELEASED, id="none"),
        pytest.param({"delivery": None}, RELEASED, id="null"),
        pytest.param({"delivery": {}}, {}, id="empty"),
        pytest.param({"delivery": {"retry": 0}}, {"retry": 0}, id="no-retries"),
    ],
)
def test_a_broker_that_says_nothing_of_deliveries_has_the_release_s(
    store: Store, spec: dict[str, Any], delivery: dict[str, Any]
) -> None:
    made = store.create(BROKER, named(spec, **KAFKA))
    assert made["spec"]["delivery"] == delivery
    made["spec"].pop("delivery")
    assert store.update(BROKER, made)["spec"]["delivery"] == RELEASED


def test_a_trigger_without_a_filter_has_one_that_passes_all(store: Store) -> None:
    assert store.create(TRIGGER, named(trigger()))["spec"]["filter"] == {}


def test_the_traffic_of_several_predictors_must_be_whole(store: Store) -> None:
    deployment = seldon()
    [predictor] = deployment["spec"]["predictors"]
    deployment["spec"]["predictors"] = [predictor | {"traffic": 75}, predictor | {"name": "canary", "traffic": 20}]
    assert "Traffic must sum to 100" in refused(store, SELDONDEPLOYMENT, deployment).message


@pytest.mark.parametrize("traffic", [0, 30, 100])
def test_the_traffic_of_a_shadow_is_no_share(store: Store, traffic: int) -> None:
    deployment = seldon()
    [predictor] = deployment["spec"]["predictors"]
    shadow = predictor | {"name": "shadow", "shadow": True, "traffic": traffic}
    deployment["spec"]["predictors"] = [predictor, shadow]
    assert len(store.create(SELDONDEPLOYMENT, deployment)["spec"]["predictors"]) == 2
    deployment["spec"]["predictors"] = [predictor, shadow, shadow | {"name": "other"}]
    assert "Multiple shadows are not allowed" in refused(store, SELDONDEPLOYMENT, deployment).message


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        pytest.param(
            trigger(filters=[{"exact": {"type": "a"}, "prefix": {"type": "b"}}]),
            "multiple dialects found, filters can have only one dialect set: spec.filters[0]",
            id="two-dialects",
        ),
        pytest.param(
            trigger(filters=[{"all": [{"exact": {"type": "a"}, "suffix": {"type": "b"}}]}]),
            "multiple dialects found, filters can have only one dialect set: spec.filters[0].all[0]",
            id="two-dialects-nested",
        ),
        pytest.param(
            trigger(filter={"attributes": {"Bad-Name": "a"}}),
            'invalid key name "Bad-Name": spec.filter.attributes\n'
            "Attribute name must start with a letter and can only contain lowercase alphanumeric",
            id="attribute-name",
        ),
        pytest.param(
            trigger(filters=[{"exact": {"bad_name": "a"}}]),
            'invalid key name "bad_name": spec.filters[0].exact',
            id="exact",
        ),
        pytest.param(
            trigger(filters=[{"any": [{"not": {"cesql": "type = "}}]}]),
            "invalid value: type = : spec.filters[0].any[0].not.cesql\ncolumn 6: expected one of",
            id="cesql",
        ),
        pytest.param(trigger(delivery={"retry": -1}), "invalid value: -1: spec.delivery.retry", id="retry"),
        pytest.param(
            trigger(delivery={"backoffDelay": "1s"}), "invalid value: 1s: spec.delivery.backoffDelay", id="delay"
        ),
        pytest.param(
            trigger(delivery={"retryAfterMax": "soon"}), "value: soon: spec.delivery.retryAfterMax", id="retry-after"
        ),
        pytest.param(trigger(delivery={"timeout": "PT"}), "invalid value: PT: spec.delivery.timeout", id="timeout"),
        pytest.param(
            trigger(subscriber={"uri": "/relative"}), "Relative URI is not allowed when Ref", id="relative-subscriber"
        ),
        pytest.param(
            trigger(subscriber={}),
            "expected at least one, got none: spec.subscriber.ref, spec.subscriber.uri",
            id="none",
        ),
    ],
)
def test_trigger_is_refused(store: Store, spec: dict[str, Any], message: str) -> None:
    error = refused(store, TRIGGER, named(spec))
    assert error.code == 400
    assert error.message.startswith(PREFIX)
    assert message in error.message


def test_backoff_policy_is_one_of_two(store: Store) -> None:
    # Which of the two layers refuses it is their business: the schema knows the values too.
    assert "backoffPolicy" in refused(store, TRIGGER, named(trigger(delivery={"backoffPolicy": "random"}))).message


def test_broker_of_a_trigger_does_not_change(store: Store) -> None:
    made = store.create(TRIGGER, named(trigger()))
    made["spec"]["broker"] = "other"
    with pytest.raises(ApiError) as caught:
        store.update(TRIGGER, made)
    assert caught.value.message == (
        PREFIX + 'Immutable fields changed (-old +new): spec, broker\n{string}:\n\t-: "default"\n\t+: "other"\n'
    )


@pytest.mark.parametrize("change", ["class", "config"])
def test_class_and_config_of_a_broker_do_not_change(store: Store, change: str) -> None:
    config = {"apiVersion": "v1", "kind": "ConfigMap", "name": "one"}
    made = store.create(BROKER, named({"config": config}, **KAFKA))
    if change == "class":
        made["metadata"]["annotations"]["eventing.knative.dev/broker.class"] = "Other"
    else:
        made["spec"]["config"]["name"] = "two"
    with pytest.raises(ApiError, match="Immutable fields changed") as caught:
        store.update(BROKER, made)
    assert caught.value.code == 400


def test_delivery_of_a_broker_may_change(store: Store) -> None:
    made = store.create(BROKER, named({}, **KAFKA))
    made["spec"]["delivery"] = {"retry": 3}
    assert store.update(BROKER, made)["spec"]["delivery"] == {"retry": 3}


def test_faulty_admission_is_what_its_name_says(store: Store) -> None:
    made = store.create(BROKER, named({}, "faulty-broker-mutable", **KAFKA))
    made["metadata"]["annotations"]["eventing.knative.dev/broker.class"] = "Other"
    store.update(BROKER, made)
    two = trigger(filters=[{"exact": {"type": "a"}, "prefix": {"type": "b"}}])
    store.create(TRIGGER, named(two, "faulty-two-dialects-accepted"))
    refused(store, TRIGGER, named(two, "faulty-broker-mutable"))
    store.create(TRIGGER, named(trigger(filters=[{"cesql": "type ="}]), "faulty-invalid-cesql-accepted"))
    nonsense = trigger(delivery={"retry": 1, "timeout": "PT0S"})
    store.create(TRIGGER, named(nonsense, "faulty-nonsense-delivery-admitted"))
    assert "spec.delivery.timeout" in refused(store, TRIGGER, named(nonsense)).message
    nowhere = trigger(subscriber={"uri": "/relative"})
    store.create(TRIGGER, named(nowhere, "faulty-no-subscriber-admitted"))
    assert "spec.subscriber.uri" in refused(store, TRIGGER, named(nowhere)).message


KEY = "-----BEGIN PUBLIC KEY-----\nMAA=\n-----END PUBLIC KEY-----\n"
EMPTY = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"
AT = {"uri": "https://sink.example.com/"}


@pytest.mark.parametrize("first", ["", "no PEM", KEY, EMPTY], ids=["nothing", "text", "key", "empty"])
def test_authorities_are_certificates(store: Store, first: str) -> None:
    right = trustme.CA().cert_pem.bytes().decode()
    for spec in (
        trigger(subscriber={**AT, "CACerts": first}),
        trigger(delivery={"deadLetterSink": {**AT, "CACerts": first}}),
        trigger(subscriber={**AT, "CACerts": first + right if "BEGIN" in first else first}),
    ):
        assert "CA Cert provided is invalid" in refused(store, TRIGGER, named(spec)).message
    store.create(TRIGGER, named(trigger(subscriber={**AT, "CACerts": first}), "faulty-ca-certs-unchecked"))
    store.create(TRIGGER, named(trigger(subscriber={**AT, "CACerts": f"as text\n{right}"})))


def test_an_empty_dead_letter_sink_is_none(store: Store) -> None:
    said = refused(store, TRIGGER, named(trigger(delivery={"deadLetterSink": {}}))).message
    assert "expected at least one, got none: spec.delivery.deadLetterSink.ref" in said


def test_unknown_mutant_is_refused_with_near_names(store: Store) -> None:
    namespace = {"metadata": {"name": "n", "labels": {LABEL: "adress-missing"}}}
    assert "did you mean address-missing" in refused(store, NAMESPACE, namespace).message


SERVING = {"name": "resnet32", "image": "tensorflow/serving", "ports": [{"containerPort": 8501, "name": "http"}]}
ENV = [
    {"name": "KAFKA_BROKER", "value": "kafka.database.svc.cluster.local:9092"},
    {"name": "KAFKA_INPUT_TOPIC", "value": "in"},
    {"name": "KAFKA_OUTPUT_TOPIC", "value": "out"},
]


def seldon(**predictor: Any) -> dict[str, Any]:
    whole = {
        "name": "model",
        "componentSpecs": [{"spec": {"containers": [SERVING]}}],
        "svcOrchSpec": {"env": ENV},
        "graph": {"name": "resnet32", "type": "MODEL"},
        **predictor,
    }
    return named({"protocol": "tensorflow", "transport": "rest", "serverType": "kafka", "predictors": [whole]})


def test_seldon_deployment_is_accepted(store: Store) -> None:
    store.create(SELDONDEPLOYMENT, seldon())


@pytest.mark.parametrize(
    ("predictor", "message"),
    [
        # The real webhook counts entries and takes this one.
        pytest.param(
            {"svcOrchSpec": {"env": [ENV[0]] * 3}}, "KAFKA_INPUT_TOPIC, KAFKA_OUTPUT_TOPIC missing", id="three-times"
        ),
        pytest.param(
            {"svcOrchSpec": {"env": [*ENV, {"name": "KAFKA_WORKERS", "value": "0"}]}}, "KAFKA_WORKERS", id="workers"
        ),
        pytest.param(
            {"svcOrchSpec": {"env": [*ENV, {"name": "KAFKA_AUTO_COMMIT", "value": "maybe"}]}},
            "AUTO_COMMIT",
            id="commit",
        ),
        pytest.param(
            {"svcOrchSpec": {"env": [*ENV[:2], ENV[2] | {"value": "in"}]}}, "each answer would be a request", id="loop"
        ),
        pytest.param(
            {"graph": {"name": "resnet32", "children": [{"name": "resnet32"}]}},
            "in protocol seldon, not in tensorflow over rest",
            id="walk",
        ),
        pytest.param({"graph": {"name": "resnet32", "type": "SWITCH"}}, "Unsupported value", id="kind"),
        pytest.param({"graph": {"name": "other"}}, "Can't find component for graph node", id="graph"),
        pytest.param({"componentSpecs": []}, "no containers", id="containers"),
        pytest.param({"shadow": True}, "Shadow can not exist as only predictor", id="shadow"),
    ],
)
def test_seldon_deployment_is_refused(store: Store, predictor: dict[str, Any], message: str) -> None:
    error = refused(store, SELDONDEPLOYMENT, seldon(**predictor))
    assert error.code == 422
    assert message in error.message


WITHOUT_PREDICTOR = seldon()
WITHOUT_PREDICTOR["spec"]["predictors"] = []


@pytest.mark.parametrize(
    ("mutant", "deployment"),
    [
        ("graph-name-unchecked", seldon(graph={"name": "", "type": "MODEL"})),
        ("no-predictors-accepted", WITHOUT_PREDICTOR),
        ("lone-shadow-accepted", seldon(shadow=True)),
    ],
)
def test_mutants_that_accept_a_seldon_deployment(store: Store, mutant: str, deployment: dict[str, Any]) -> None:
    refused(store, SELDONDEPLOYMENT, deployment)
    elsewhere = {**deployment, "metadata": {**deployment["metadata"], "namespace": f"faulty-{mutant}"}}
    store.create(SELDONDEPLOYMENT, elsewhere)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        pytest.param(
            {"predictor": {}}, "exactly one of [model, containers] must be specified in spec.predictor", id="none"
        ),
        pytest.param(
            {"predictor": {"containers": [{"name": "c", "image": "a"}]}, "transformer": {}},
            "spec.transformer",
            id="transformer",
        ),
    ],
)
def test_inference_service_is_refused(store: Store, spec: dict[str, Any], message: str) -> None:
    assert message in refused(store, INFERENCESERVICE, named(spec)).message


def test_mutant_isvc_unchecked(store: Store) -> None:
    invalid = named({"predictor": {}}, "faulty-isvc-unchecked", name="1-digit")
    assert store.create(INFERENCESERVICE, invalid)["metadata"]["name"] == "1-digit"


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"minReplicas": -1}, "'MinReplicas' cannot be less than 0"),
        ({"maxReplicas": -1}, "'MaxReplicas' cannot be less than 0"),
        ({"minReplicas": 3, "maxReplicas": 2}, "'MinReplicas' cannot be greater than MaxReplicas"),
        ({"containerConcurrency": -1}, "parallelism cannot be less than 0"),
        ({"logger": {"mode": "everything"}}, "invalid logger type"),
    ],
)
def test_what_a_component_cannot_be_is_refused(store: Store, said: dict[str, Any], message: str) -> None:
    spec = {"predictor": {"containers": [{"name": "c", "image": "a"}], **said}}
    assert message in refused(store, INFERENCESERVICE, named(spec)).message
    unchecked = named(spec, "faulty-isvc-scaling-unchecked")
    assert store.create(INFERENCESERVICE, unchecked)["spec"]["predictor"] == spec["predictor"]


@pytest.mark.parametrize("said", [{"minReplicas": 0}, {"minReplicas": 2, "maxReplicas": 2}, {"maxReplicas": 0}])
def test_what_a_component_can_be_is_admitted(store: Store, said: dict[str, Any]) -> None:
    spec = {"predictor": {"containers": [{"name": "c", "image": "a"}], **said}}
    assert store.create(INFERENCESERVICE, named(spec))["spec"]["predictor"] == spec["predictor"]


@pytest.mark.parametrize(("length", "component"), [(53, "predictor"), (51, "transformer")])
def test_a_name_that_leaves_none_for_a_service_is_refused(store: Store, length: int, component: str) -> None:
    containers = {"containers": [{"name": "c", "image": "a"}]}
    spec, longest = {"predictor": containers, component: containers}, 63 - len(f"-{component}")
    assert longest == length
    assert store.create(INFERENCESERVICE, named(spec, name="n" * longest))["metadata"]["name"] == "n" * longest
    message = refused(store, INFERENCESERVICE, named(spec, name="n" * (longest + 1))).message
    assert f"-{component}, a Service, must be no more than 63 characters" in message
    unchecked = named(spec, "faulty-isvc-length-unchecked", name="n" * 63)
    assert store.create(INFERENCESERVICE, unchecked)["metadata"]["name"] == "n" * 63


NONSENSE = {"retry": -1}


@pytest.mark.parametrize(
    ("mutant", "door"),
    [(None, ""), ("trigger-updates-unchecked", "trigger updated"), ("broker-creations-unchecked", "broker created")],
)
def test_mutants_that_check_at_one_door_only(store: Store, mutant: str | None, door: str) -> None:
    namespace = f"faulty-{mutant}" if mutant else "default"
    doors: dict[str, Callable[[], object]] = {
        "trigger created": lambda: store.create(TRIGGER, named(trigger(delivery=NONSENSE), namespace, name="other")),
        "trigger updated": lambda: store.update(TRIGGER, named(trigger(delivery=NONSENSE), namespace)),
        "broker created": lambda: store.create(BROKER, named({"delivery": NONSENSE}, namespace, name="other", **KAFKA)),
        "broker updated": lambda: store.update(BROKER, named({"delivery": NONSENSE}, namespace, **KAFKA)),
    }
    store.create(TRIGGER, named(trigger(), namespace))
    store.create(BROKER, named({}, namespace, **KAFKA))
    open_doors = []
    for name, write in doors.items():
        try:
            write()
        except ApiError:
            continue
        open_doors.append(name)
    assert open_doors == ([door] if door else [])


@pytest.mark.parametrize("filters", [[{"exact": {"My": "a"}}], [{"not": {"prefix": {"my-ext": "a"}}}]])
def test_mutant_attribute_names_unchecked(store: Store, filters: list[dict[str, Any]]) -> None:
    refused(store, TRIGGER, named(trigger(filters=filters)))
    store.create(TRIGGER, named(trigger(filters=filters), "faulty-attribute-names-unchecked"))


@pytest.mark.parametrize(("mutant", "told"), [(None, "Kafka"), ("class-not-defaulted", "")])
def test_mutant_class_not_defaulted(store: Store, mutant: str | None, told: str) -> None:
    namespace = f"faulty-{mutant}" if mutant else "default"
    assert class_of(store.create(BROKER, named({}, namespace))) == told
    assert class_of(store.update(BROKER, named({}, namespace))) == told
    other = {"annotations": {CLASS: "Opaque"}}
    assert class_of(store.create(BROKER, named({}, namespace, **{"name": "other", **other}))) == "Opaque"


@pytest.mark.parametrize("mutant", [None, "pattern-crashes-admission"])
def test_mutant_pattern_crashes_admission(store: Store, mutant: str | None) -> None:
    namespace = "default" if mutant is None else f"faulty-{mutant}"
    nonsense = named(trigger(filters=[{"cesql": "id LIKE 123"}]), namespace)
    assert refused(store, TRIGGER, nonsense).code == 400
    right = named(trigger(filters=[{"cesql": "id LIKE '123'"}]), namespace)
    if mutant:
        assert refused(store, TRIGGER, right).code == 500
    store.create(TRIGGER, right)
