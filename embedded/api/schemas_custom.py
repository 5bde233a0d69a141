"""The schemas of the custom kinds: Knative Eventing, KServe, Seldon Core."""

from embedded.api.schemas import FLAG, OPAQUES, STRINGS, each, keep, many, mapping, need, number, opaque, record, text
from embedded.api.schemas_core import CONTAINER_FIELDS, ENVIRONMENT, POD_SPEC_FIELDS

CONDITIONS = many(
    need(
        record(
            **each(text(), "lastTransitionTime message reason severity"),
            status=text("True, False or Unknown."),
            type=text("The name of the condition."),
        ),
        "type status",
    ),
    "The latest observations of the object's state.",
)
ADDRESS = record("An address that accepts events.", **each(text(), "CACerts audience name url"))

# Knative Eventing.

REFERENCE = record(
    "A reference to an object that has an address.", **each(text(), "apiVersion kind name namespace address group")
)
DESTINATION = record(
    "The destination of events: an object with an address, a URI, or a URI relative to the object's address.",
    ref=REFERENCE,
    uri=text("An absolute URI, or one relative to the address of `ref`."),
    CACerts=text(),
    audience=text(),
)
DELIVERY = keep(
    record(
        "The retries of a delivery, and the destination of events that cannot be delivered.",
        backoffDelay=text("ISO 8601 duration before a retry."),
        backoffPolicy=text("linear or exponential."),
        deadLetterSink=DESTINATION,
        retry=number("Retries before an event goes to the dead letter sink."),
        timeout=text("ISO 8601 duration of one attempt."),
        format=text("The format of deliveries: json, binary, or by default the format of the event."),
    )
)
BROKER = record(
    "A pool of events: it accepts them at one address and gives them to Triggers.",
    spec=record(
        "The desired state.",
        config=record(
            "A reference to the configuration of its class.", **each(text(), "apiVersion kind name namespace")
        ),
        delivery=DELIVERY,
    ),
    status=record(
        "The observed state.",
        address=ADDRESS,
        addresses=many(ADDRESS),
        annotations=opaque("Annotations by the controllers, e.g. `default.topic`."),
        conditions=CONDITIONS,
        **each(text(), "deadLetterSinkUri deadLetterSinkCACerts deadLetterSinkAudience"),
        observedGeneration=number(form="int64"),
        policies=many(record(**each(text(), "apiVersion name"))),
    ),
)
TRIGGER = record(
    "A subscription that delivers events from a Broker to a subscriber.",
    spec=keep(
        record(
            "The desired state.",
            broker=text("The Broker that the events come from, in the same namespace."),
            brokerRef=REFERENCE,
            delivery=DELIVERY,
            filter=record(
                "The filter: events pass that have each attribute with exactly its value; without it, all events pass.",
                attributes=opaque("Attribute names with the value that each must have; case counts."),
            ),
            filters=many(
                record(
                    "An expression in one dialect.",
                    **each(OPAQUES, "all any"),
                    **each(opaque(), "exact not prefix suffix"),
                    cesql=text("A CloudEvents SQL expression."),
                ),
                "The filters: events pass that match every entry. If given, `filter` is ignored.",
            ),
            subscriber=DESTINATION,
        )
    ),
    status=record(
        "The observed state.",
        annotations=opaque("Annotations by the controllers, e.g. `group.id`."),
        auth=record(serviceAccountName=text(), serviceAccountNames=many(text())),
        conditions=CONDITIONS,
        **each(text(), "deadLetterSinkUri deadLetterSinkCACerts deadLetterSinkAudience"),
        observedGeneration=number(form="int64"),
        subscriberUri=text("The resolved URI of the subscriber."),
        **each(text(), "subscriberCACerts subscriberAudience"),
    ),
)

# KServe.

_MODEL = {
    **CONTAINER_FIELDS,
    "protocolVersion": text("v1, v2, grpc-v1 or grpc-v2."),
    "runtimeVersion": text("The tag of the serving runtime's image."),
    "storage": opaque(),
    "storageUri": text("The URI of the model."),
}
_COMPONENT = {
    **POD_SPEC_FIELDS,
    "minReplicas": number("The least number of pods."),
    "maxReplicas": number("The greatest number of pods."),
    "canaryTrafficPercent": number(form="int64"),
    "containerConcurrency": number(form="int64"),
    "timeout": number("The timeout of one request, in seconds.", form="int64"),
    "scaleMetric": text(enum=["cpu", "memory", "concurrency", "rps"]),
    "scaleMetricType": text(enum=["Utilization", "Value", "AverageValue"]),
    "scaleTarget": number(),
    **each(STRINGS, "annotations labels"),
    **each(opaque(), "autoScaling batcher deploymentStrategy logger"),
    "storageUris": OPAQUES,
}
_FRAMEWORKS = "huggingface lightgbm onnx paddle pmml pytorch sklearn tensorflow triton xgboost"
PREDICTOR = record(
    "The component that runs the model.",
    **_COMPONENT,
    **each(record("A model of this framework.", **_MODEL), _FRAMEWORKS),
    model=record(
        "The model, by its format.",
        **_MODEL,
        confidential=opaque(),
        modelFormat=need(record("The format of the model.", **each(text(), "name version")), "name"),
        runtime=text("The serving runtime to use."),
    ),
    **each(text(), "name storageContainerName"),
    workerSpec=opaque(),
)
INFERENCESERVICE = record(
    "A model behind one URL.",
    spec=need(
        record(
            "The desired state.",
            predictor=PREDICTOR,
            transformer=record(
                "The component that processes requests before the model and answers after it.", **_COMPONENT
            ),
            explainer=record("The component that explains answers.", **_COMPONENT, art=opaque()),
            canary=OPAQUES,
        ),
        "predictor",
    ),
    status=keep(
        record(
            "The observed state.",
            address=ADDRESS,
            annotations=STRINGS,
            conditions=CONDITIONS,
            components=mapping(opaque(), "The state of predictor, transformer and explainer."),
            modelStatus=opaque(),
            observedGeneration=number(form="int64"),
            url=text("The URL for clients outside the cluster."),
            **each(text(), "clusterServingRuntimeName deploymentMode servingRuntimeName"),
        )
    ),
)

# Seldon Core 1.

ENDPOINT = record(
    "The ports of a node of the graph.",
    **each(number(), "grpcPort httpPort service_port"),
    **each(text(), "service_host type"),
)
GRAPH = need(
    record(
        "A node of the inference graph.",
        children=OPAQUES,
        endpoint=ENDPOINT,
        name=text("The container that serves this node."),
        type=text("MODEL, TRANSFORMER, ROUTER, COMBINER or OUTPUT_TRANSFORMER."),
        **each(text(), "envSecretRefName implementation modelUri serviceAccountName storageInitializerImage"),
        logger=opaque(),
        methods=many(text()),
        parameters=many(need(record(**each(text(), "name type value")), "name type value")),
    ),
    "name",
)
SELDONDEPLOYMENT = record(
    "An inference graph, and how requests reach it.",
    spec=need(
        record(
            "The desired state.",
            annotations=STRINGS,
            predictors=many(
                need(
                    record(
                        **each(STRINGS, "annotations labels"),
                        componentSpecs=many(
                            record(
                                **each(opaque(), "hpaSpec kedaSpec metadata pdbSpec"),
                                replicas=number(),
                                spec=record("The pod.", **POD_SPEC_FIELDS),
                            )
                        ),
                        **each(opaque(), "engineResources explainer ssl"),
                        graph=GRAPH,
                        name=text("The predictor's name."),
                        **each(number(), "progressDeadlineSeconds replicas traffic"),
                        shadow=FLAG,
                        svcOrchSpec=record(
                            "The program that walks the graph.", env=ENVIRONMENT, replicas=number(), resources=opaque()
                        ),
                    ),
                    "graph name",
                ),
                "Graphs that share the traffic.",
            ),
            protocol=text("seldon, tensorflow, kfserving or v2."),
            replicas=number(),
            serverType=text("rpc or kafka."),
            transport=text("rest or grpc."),
            **each(text(), "name oauth_key oauth_secret"),
        ),
        "predictors",
    ),
    status=record(
        "The observed state.",
        address=record(url=text()),
        annotations=STRINGS,
        conditions=CONDITIONS,
        **each(mapping(opaque()), "deploymentStatus serviceStatus"),
        description=text("The reason for the state Failed."),
        observedGeneration=number(form="int64"),
        replicas=number(),
        state=text("Creating, Available or Failed."),
    ),
)
