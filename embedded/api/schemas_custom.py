"""The schemas of the custom kinds: Knative Eventing, KServe, Seldon Core."""

from embedded.api.schemas import FLAG, OPAQUES, STRINGS, each, keep, many, mapping, need, number, opaque, record, text
from embedded.api.schemas_core import CONTAINER_FIELDS, ENVIRONMENT, POD_SPEC_FIELDS

CONDITIONS = many(
    need(
        record(
            **each(text(), "lastTransitionTime message reason severity"),
            status=text("True, False or Unknown."),
            type=text("What the condition is about."),
        ),
        "type status",
    ),
    "The latest observations of the object's state.",
)
ADDRESS = record("Where events are accepted.", **each(text(), "CACerts audience name url"))

# Knative Eventing.

REFERENCE = record(
    "A reference to an object that has an address.", **each(text(), "apiVersion kind name namespace address group")
)
DESTINATION = record(
    "Where events go: an object with an address, a URI, or a URI relative to the object's address.",
    ref=REFERENCE,
    uri=text("An absolute URI, or one relative to the address of `ref`."),
    CACerts=text(),
    audience=text(),
)
DELIVERY = keep(
    record(
        "How often and how fast delivery is tried again, and where events go that nobody took.",
        backoffDelay=text("ISO 8601 duration before a retry."),
        backoffPolicy=text("linear or exponential."),
        deadLetterSink=DESTINATION,
        retry=number("Retries before an event goes to the dead letter sink."),
        timeout=text("ISO 8601 duration of one attempt."),
        format=text("How events are sent: json, binary, or as they came."),
    )
)
BROKER = record(
    "A pool of events: it accepts them at one address and gives them to Triggers.",
    spec=record(
        "What the Broker shall be.",
        config=record("Where its configuration is, for its class.", **each(text(), "apiVersion kind name namespace")),
        delivery=DELIVERY,
    ),
    status=record(
        "What the Broker is.",
        address=ADDRESS,
        addresses=many(ADDRESS),
        annotations=opaque("What the controllers have to say, e.g. `default.topic`."),
        conditions=CONDITIONS,
        **each(text(), "deadLetterSinkUri deadLetterSinkCACerts deadLetterSinkAudience"),
        observedGeneration=number(form="int64"),
        policies=many(record(**each(text(), "apiVersion name"))),
    ),
)
TRIGGER = record(
    "A wish to have events from a Broker delivered to a subscriber.",
    spec=keep(
        record(
            "What the Trigger shall do.",
            broker=text("The Broker whose events these are; it lives in the same namespace."),
            brokerRef=REFERENCE,
            delivery=DELIVERY,
            filter=record(
                "Which events pass: those that carry each attribute with exactly its value. All of them, if not given.",
                attributes=opaque("Attribute names with the value that each must have; case counts."),
            ),
            filters=many(
                record(
                    "One dialect.",
                    **each(OPAQUES, "all any"),
                    **each(opaque(), "exact not prefix suffix"),
                    cesql=text("A CloudEvents SQL expression."),
                ),
                "Which events pass: those for which every entry says yes. If given, `filter` is not looked at.",
            ),
            subscriber=DESTINATION,
        )
    ),
    status=record(
        "What the Trigger is.",
        annotations=opaque("What the controllers have to say, e.g. `group.id`."),
        auth=record(serviceAccountName=text(), serviceAccountNames=many(text())),
        conditions=CONDITIONS,
        **each(text(), "deadLetterSinkUri deadLetterSinkCACerts deadLetterSinkAudience"),
        observedGeneration=number(form="int64"),
        subscriberUri=text("Where events go, resolved."),
        **each(text(), "subscriberCACerts subscriberAudience"),
    ),
)

# KServe.

_MODEL = {
    **CONTAINER_FIELDS,
    "protocolVersion": text("v1, v2, grpc-v1 or grpc-v2."),
    "runtimeVersion": text("The tag of the serving runtime's image."),
    "storage": opaque(),
    "storageUri": text("Where the model is."),
}
_COMPONENT = {
    **POD_SPEC_FIELDS,
    "minReplicas": number("Pods at least."),
    "maxReplicas": number("Pods at most."),
    "canaryTrafficPercent": number(form="int64"),
    "containerConcurrency": number(form="int64"),
    "timeout": number("Seconds that one request may take.", form="int64"),
    "scaleMetric": text(enum=["cpu", "memory", "concurrency", "rps"]),
    "scaleMetricType": text(enum=["Utilization", "Value", "AverageValue"]),
    "scaleTarget": number(),
    **each(STRINGS, "annotations labels"),
    **each(opaque(), "autoScaling batcher deploymentStrategy logger"),
    "storageUris": OPAQUES,
}
_FRAMEWORKS = "huggingface lightgbm onnx paddle pmml pytorch sklearn tensorflow triton xgboost"
PREDICTOR = record(
    "What runs the model.",
    **_COMPONENT,
    **each(record("A model of this framework.", **_MODEL), _FRAMEWORKS),
    model=record(
        "The model, by its format.",
        **_MODEL,
        confidential=opaque(),
        modelFormat=need(record("Its format.", **each(text(), "name version")), "name"),
        runtime=text("The serving runtime to use."),
    ),
    **each(text(), "name storageContainerName"),
    workerSpec=opaque(),
)
INFERENCESERVICE = record(
    "A model behind one URL.",
    spec=need(
        record(
            "What shall run.",
            predictor=PREDICTOR,
            transformer=record("What works on requests before the model and on answers after it.", **_COMPONENT),
            explainer=record("What explains answers.", **_COMPONENT, art=opaque()),
            canary=OPAQUES,
        ),
        "predictor",
    ),
    status=keep(
        record(
            "What runs.",
            address=ADDRESS,
            annotations=STRINGS,
            conditions=CONDITIONS,
            components=mapping(opaque(), "The state of predictor, transformer and explainer."),
            modelStatus=opaque(),
            observedGeneration=number(form="int64"),
            url=text("Where clients reach it from outside."),
            **each(text(), "clusterServingRuntimeName deploymentMode servingRuntimeName"),
        )
    ),
)

# Seldon Core 1.

ENDPOINT = record(
    "Where a node of the graph listens.",
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
            "What shall run.",
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
        "What runs.",
        address=record(url=text()),
        annotations=STRINGS,
        conditions=CONDITIONS,
        **each(mapping(opaque()), "deploymentStatus serviceStatus"),
        description=text("Why the state is Failed."),
        observedGeneration=number(form="int64"),
        replicas=number(),
        state=text("Creating, Available or Failed."),
    ),
)
