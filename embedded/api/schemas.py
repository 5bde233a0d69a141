"""Structural schemas of the kinds, in our own words: which fields exist and of what type they are.

OpenAPI v3 as in a CustomResourceDefinition. The names and types of fields are facts of the real kinds (knative-eventing
1.22, kserve 0.20, seldon-core 1.17.1, Kubernetes 1.36); fields that the platform honours are spelt out, deeper parts
that it only carries along are opaque objects. `validation` prunes and checks by these, `openapi` shows them to kubectl.
"""

from typing import Any

Schema = dict[str, Any]

KEEP = "x-kubernetes-preserve-unknown-fields"
INT_OR_STRING = "x-kubernetes-int-or-string"


def text(about: str = "", **more: Any) -> Schema:
    """A string."""
    return _described(about, {"type": "string", **more})


def number(about: str = "", form: str = "int32", **more: Any) -> Schema:
    """An integer of 32 or 64 bits."""
    return _described(about, {"type": "integer", "format": form, **more})


def record(about: str = "", /, **fields: Schema) -> Schema:
    """An object with named fields; others are pruned."""
    return _described(about, {"type": "object", "properties": fields})


def need(schema: Schema, names: str) -> Schema:
    """The record, with these fields required."""
    return schema | {"required": names.split()}


def keep(schema: Schema) -> Schema:
    """The record, with unknown fields let through."""
    return schema | {KEEP: True}


def many(items: Schema, about: str = "", **more: Any) -> Schema:
    """A list."""
    return _described(about, {"type": "array", "items": items, **more})


def mapping(values: Schema, about: str = "") -> Schema:
    """An object whose keys are free."""
    return _described(about, {"type": "object", "additionalProperties": values})


def opaque(about: str = "") -> Schema:
    """An object that is kept as it is."""
    return _described(about, {"type": "object", KEEP: True})


def _described(about: str, schema: Schema) -> Schema:
    return {"description": about, **schema} if about else schema


def _each(schema: Schema, names: str) -> dict[str, Schema]:
    return dict.fromkeys(names.split(), schema)


FLAG: Schema = {"type": "boolean"}
PORT: Schema = {INT_OR_STRING: True}
STRINGS = mapping(text())
OPAQUES = many(opaque())

CONDITIONS = many(
    need(
        record(
            **_each(text(), "lastTransitionTime message reason severity"),
            status=text("True, False or Unknown."),
            type=text("What the condition is about."),
        ),
        "type status",
    ),
    "The latest observations of the object's state.",
)
ADDRESS = record("Where events are accepted.", **_each(text(), "CACerts audience name url"))

HEAD: dict[str, Schema] = {
    "apiVersion": text("The group and version of the kind."),
    "kind": text("The kind."),
    "metadata": record(
        "What every object has.",
        **_each(STRINGS, "annotations labels"),
        **_each(
            text(),
            "creationTimestamp deletionTimestamp generateName name namespace resourceVersion selfLink uid",
        ),
        **_each(number(form="int64"), "deletionGracePeriodSeconds generation"),
        finalizers=many(text()),
        managedFields=OPAQUES,
        ownerReferences=many(
            need(
                record(
                    **_each(text(), "apiVersion kind name uid"),
                    **_each(FLAG, "blockOwnerDeletion controller"),
                ),
                "apiVersion kind name uid",
            )
        ),
    ),
}

# Knative Eventing.

REFERENCE = record(
    "A reference to an object that has an address.", **_each(text(), "apiVersion kind name namespace address group")
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
        config=record("Where its configuration is, for its class.", **_each(text(), "apiVersion kind name namespace")),
        delivery=DELIVERY,
    ),
    status=record(
        "What the Broker is.",
        address=ADDRESS,
        addresses=many(ADDRESS),
        annotations=opaque("What the controllers have to say, e.g. `default.topic`."),
        conditions=CONDITIONS,
        **_each(text(), "deadLetterSinkUri deadLetterSinkCACerts deadLetterSinkAudience"),
        observedGeneration=number(form="int64"),
        policies=many(record(**_each(text(), "apiVersion name"))),
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
                    **_each(OPAQUES, "all any"),
                    **_each(opaque(), "exact not prefix suffix"),
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
        **_each(text(), "deadLetterSinkUri deadLetterSinkCACerts deadLetterSinkAudience"),
        observedGeneration=number(form="int64"),
        subscriberUri=text("Where events go, resolved."),
        **_each(text(), "subscriberCACerts subscriberAudience"),
    ),
)

# Pods, as core kind and inside other kinds.

ENVIRONMENT = many(need(record(**_each(text(), "name value"), valueFrom=opaque()), "name"), "Environment variables.")
PORTS = many(
    need(
        record(
            **_each(number(), "containerPort hostPort"),
            **_each(text(), "hostIP name"),
            protocol=text(default="TCP"),
        ),
        "containerPort",
    ),
    "Ports that the container listens on.",
    **{"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["containerPort", "protocol"]},
)
_CONTAINER = {
    "args": many(text(), "Arguments of the command."),
    "command": many(text(), "The program and its first arguments, in place of the image's own."),
    "env": ENVIRONMENT,
    "image": text("The image to run."),
    "name": text("The container's name, unique in its pod."),
    "ports": PORTS,
    "readinessProbe": opaque("How to find out that the container takes requests."),
    "workingDir": text(),
    **_each(opaque(), "lifecycle livenessProbe resources securityContext startupProbe"),
    **_each(OPAQUES, "envFrom resizePolicy restartPolicyRules volumeDevices volumeMounts"),
    **_each(text(), "imagePullPolicy restartPolicy terminationMessagePath terminationMessagePolicy"),
    **_each(FLAG, "stdin stdinOnce tty"),
}
CONTAINER = need(record("One program in its image.", **_CONTAINER), "name")
_POD_SPEC = {
    "containers": many(CONTAINER, "The programs of the pod.", **{"x-kubernetes-patch-merge-key": "name"}),
    "initContainers": many(CONTAINER, **{"x-kubernetes-patch-merge-key": "name"}),
    "nodeSelector": STRINGS,
    **_each(number(form="int64"), "activeDeadlineSeconds terminationGracePeriodSeconds"),
    "priority": number(),
    **_each(opaque(), "affinity dnsConfig os overhead resources securityContext"),
    **_each(
        FLAG,
        "automountServiceAccountToken enableServiceLinks hostIPC hostNetwork hostPID hostUsers setHostnameAsFQDN "
        "shareProcessNamespace",
    ),
    **_each(
        text(),
        "dnsPolicy hostname hostnameOverride nodeName preemptionPolicy priorityClassName restartPolicy "
        "runtimeClassName schedulerName serviceAccount serviceAccountName subdomain",
    ),
    **_each(
        OPAQUES,
        "ephemeralContainers hostAliases imagePullSecrets readinessGates resourceClaims schedulingGates tolerations "
        "topologySpreadConstraints volumes",
    ),
}

# KServe.

_MODEL = {
    **_CONTAINER,
    "protocolVersion": text("v1, v2, grpc-v1 or grpc-v2."),
    "runtimeVersion": text("The tag of the serving runtime's image."),
    "storage": opaque(),
    "storageUri": text("Where the model is."),
}
_COMPONENT = {
    **_POD_SPEC,
    "minReplicas": number("Pods at least."),
    "maxReplicas": number("Pods at most."),
    "canaryTrafficPercent": number(form="int64"),
    "containerConcurrency": number(form="int64"),
    "timeout": number("Seconds that one request may take.", form="int64"),
    "scaleMetric": text(enum=["cpu", "memory", "concurrency", "rps"]),
    "scaleMetricType": text(enum=["Utilization", "Value", "AverageValue"]),
    "scaleTarget": number(),
    **_each(STRINGS, "annotations labels"),
    **_each(opaque(), "autoScaling batcher deploymentStrategy logger"),
    "storageUris": OPAQUES,
}
_FRAMEWORKS = "huggingface lightgbm onnx paddle pmml pytorch sklearn tensorflow triton xgboost"
PREDICTOR = record(
    "What runs the model.",
    **_COMPONENT,
    **_each(record("A model of this framework.", **_MODEL), _FRAMEWORKS),
    model=record(
        "The model, by its format.",
        **_MODEL,
        confidential=opaque(),
        modelFormat=need(record("Its format.", **_each(text(), "name version")), "name"),
        runtime=text("The serving runtime to use."),
    ),
    **_each(text(), "name storageContainerName"),
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
            **_each(text(), "clusterServingRuntimeName deploymentMode servingRuntimeName"),
        )
    ),
)

# Seldon Core 1.

ENDPOINT = record(
    "Where a node of the graph listens.",
    **_each(number(), "grpcPort httpPort service_port"),
    **_each(text(), "service_host type"),
)
GRAPH = need(
    record(
        "A node of the inference graph.",
        children=OPAQUES,
        endpoint=ENDPOINT,
        name=text("The container that serves this node."),
        type=text("MODEL, TRANSFORMER, ROUTER, COMBINER or OUTPUT_TRANSFORMER."),
        **_each(text(), "envSecretRefName implementation modelUri serviceAccountName storageInitializerImage"),
        logger=opaque(),
        methods=many(text()),
        parameters=many(need(record(**_each(text(), "name type value")), "name type value")),
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
                        **_each(STRINGS, "annotations labels"),
                        componentSpecs=many(
                            record(
                                **_each(opaque(), "hpaSpec kedaSpec metadata pdbSpec"),
                                replicas=number(),
                                spec=record("The pod.", **_POD_SPEC),
                            )
                        ),
                        **_each(opaque(), "engineResources explainer ssl"),
                        graph=GRAPH,
                        name=text("The predictor's name."),
                        **_each(number(), "progressDeadlineSeconds replicas traffic"),
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
            **_each(text(), "name oauth_key oauth_secret"),
        ),
        "predictors",
    ),
    status=record(
        "What runs.",
        address=record(url=text()),
        annotations=STRINGS,
        conditions=CONDITIONS,
        **_each(mapping(opaque()), "deploymentStatus serviceStatus"),
        description=text("Why the state is Failed."),
        observedGeneration=number(form="int64"),
        replicas=number(),
        state=text("Creating, Available or Failed."),
    ),
)

# Core kinds.

NAMESPACE = record(
    "A scope for names.", spec=record(finalizers=many(text())), status=record(phase=text(), conditions=OPAQUES)
)
CONFIGMAP = record(
    "Configuration for pods to read.",
    **_each(STRINGS, "binaryData data"),
    immutable=FLAG,
)
SECRET = record("Secret data.", **_each(STRINGS, "data stringData"), immutable=FLAG, type=text())
SERVICEACCOUNT = record(
    "An identity for pods.", automountServiceAccountToken=FLAG, **_each(OPAQUES, "imagePullSecrets secrets")
)
SERVICE = record(
    "A name under which pods are reached.",
    spec=record(
        "What the name leads to.",
        **_each(
            text(),
            "clusterIP externalName externalTrafficPolicy internalTrafficPolicy ipFamilyPolicy loadBalancerClass "
            "loadBalancerIP sessionAffinity trafficDistribution",
        ),
        **_each(many(text()), "clusterIPs externalIPs ipFamilies loadBalancerSourceRanges"),
        **_each(FLAG, "allocateLoadBalancerNodePorts publishNotReadyAddresses"),
        healthCheckNodePort=number(),
        ports=many(
            need(
                record(
                    "One port.",
                    **_each(text(), "appProtocol name"),
                    protocol=text(default="TCP"),
                    **_each(number(), "nodePort port"),
                    targetPort=PORT,
                ),
                "port",
            ),
            **{"x-kubernetes-patch-merge-key": "port"},
        ),
        selector=mapping(text(), "Labels of the pods."),
        sessionAffinityConfig=opaque(),
        type=text("ClusterIP, NodePort, LoadBalancer or ExternalName."),
    ),
    status=opaque(),
)
POD = record(
    "Programs that run together.",
    spec=need(record("What shall run.", **_POD_SPEC), "containers"),
    status=opaque(),
)
EVENT = record(
    "A note on what happened to an object.",
    **_each(
        text(), "action eventTime firstTimestamp lastTimestamp message reason reportingComponent reportingInstance type"
    ),
    count=number(),
    **_each(opaque(), "involvedObject related series source"),
)
DEPLOYMENT = record(
    "Pods that are kept running.",
    spec=need(
        record(
            "What shall run.",
            **_each(number(), "minReadySeconds progressDeadlineSeconds replicas revisionHistoryLimit"),
            paused=FLAG,
            **_each(opaque(), "selector strategy"),
            template=record("The pods.", metadata=opaque(), spec=record("What shall run.", **_POD_SPEC)),
        ),
        "selector template",
    ),
    status=opaque(),
)
