"""The schemas of the core kinds, and of pods inside other kinds."""

from embedded.api.schemas import (
    FLAG,
    OPAQUES,
    PORT,
    STRINGS,
    each,
    keep,
    many,
    mapping,
    need,
    number,
    opaque,
    record,
    text,
)

# Pods, as core kind and inside other kinds.

_KEY = need(record(**each(text(), "key name"), optional=FLAG), "key")
_WHOLE = record(name=text(), optional=FLAG)
_FIELD = need(record(**each(text(), "apiVersion fieldPath")), "fieldPath")
ENVIRONMENT = many(
    need(
        record(
            **each(text(), "name value"),
            valueFrom=record(
                "The source of the value.",
                **each(_KEY, "configMapKeyRef secretKeyRef"),
                fieldRef=_FIELD,
                **each(opaque(), "fileKeyRef resourceFieldRef"),
            ),
        ),
        "name",
    ),
    "Environment variables.",
)
_ITEMS = many(need(record(**each(text(), "key path"), mode=number()), "key path"))
_SECRET = record(secretName=text(), name=text(), items=_ITEMS, defaultMode=number(), optional=FLAG)
_CONFIGMAP = record(name=text(), items=_ITEMS, defaultMode=number(), optional=FLAG)
_DOWNWARD = record(
    items=many(need(record(path=text(), mode=number(), fieldRef=_FIELD, resourceFieldRef=opaque()), "path")),
    defaultMode=number(),
)
_SOURCE = record(
    secret=_SECRET,
    configMap=_CONFIGMAP,
    downwardAPI=_DOWNWARD,
    **each(opaque(), "clusterTrustBundle podCertificate serviceAccountToken"),
)
VOLUMES = many(
    need(
        record(
            "Files that containers can mount.",
            name=text("The volume's name, unique in its pod."),
            emptyDir=record(medium=text(), sizeLimit=PORT),
            secret=_SECRET,
            configMap=_CONFIGMAP,
            downwardAPI=_DOWNWARD,
            projected=record(sources=many(_SOURCE), defaultMode=number()),
            **each(opaque(), "csi ephemeral fc hostPath image iscsi nfs persistentVolumeClaim"),
        ),
        "name",
    )
)
MOUNTS = many(
    need(
        record(
            "The path of a volume's files in the container.",
            **each(text(), "mountPath mountPropagation name recursiveReadOnly subPath subPathExpr"),
            readOnly=FLAG,
        ),
        "name mountPath",
    )
)
_HTTP = record(
    **each(text(), "host path scheme"),
    port=PORT,
    httpHeaders=many(need(record(**each(text(), "name value")), "name value")),
)
PROBE = record(
    "A check of the container's health.",
    exec=record(command=many(text())),
    httpGet=need(_HTTP, "port"),
    tcpSocket=need(record(host=text(), port=PORT), "port"),
    grpc=opaque(),
    **each(number(), "failureThreshold initialDelaySeconds periodSeconds successThreshold timeoutSeconds"),
    terminationGracePeriodSeconds=number(form="int64"),
)
PORTS = many(
    need(
        record(
            **each(number(), "containerPort hostPort"),
            **each(text(), "hostIP name"),
            protocol=text(default="TCP"),
        ),
        "containerPort",
    ),
    "Ports that the container listens on.",
    **{"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["containerPort", "protocol"]},
)
CONTAINER_FIELDS = {
    "args": many(text(), "Arguments of the command."),
    "command": many(text(), "The program and its first arguments, in place of the image's own."),
    "env": ENVIRONMENT,
    "image": text("The image to run."),
    "name": text("The container's name, unique in its pod."),
    "ports": PORTS,
    "envFrom": many(record(prefix=text(), **each(_WHOLE, "configMapRef secretRef"))),
    "volumeMounts": MOUNTS,
    "workingDir": text(),
    **each(PROBE, "livenessProbe readinessProbe startupProbe"),
    **each(opaque(), "lifecycle resources securityContext"),
    **each(OPAQUES, "resizePolicy restartPolicyRules volumeDevices"),
    **each(text(), "imagePullPolicy restartPolicy terminationMessagePath terminationMessagePolicy"),
    **each(FLAG, "stdin stdinOnce tty"),
}
CONTAINER = need(record("A program that runs in an image.", **CONTAINER_FIELDS), "name")
POD_SPEC_FIELDS = {
    "containers": many(CONTAINER, "The programs of the pod.", **{"x-kubernetes-patch-merge-key": "name"}),
    "initContainers": many(CONTAINER, **{"x-kubernetes-patch-merge-key": "name"}),
    "nodeSelector": STRINGS,
    "volumes": VOLUMES,
    **each(number(form="int64"), "activeDeadlineSeconds terminationGracePeriodSeconds"),
    "priority": number(),
    **each(opaque(), "affinity dnsConfig os overhead resources securityContext"),
    **each(
        FLAG,
        "automountServiceAccountToken enableServiceLinks hostIPC hostNetwork hostPID hostUsers setHostnameAsFQDN "
        "shareProcessNamespace",
    ),
    **each(
        text(),
        "dnsPolicy hostname hostnameOverride nodeName preemptionPolicy priorityClassName restartPolicy "
        "runtimeClassName schedulerName serviceAccount serviceAccountName subdomain",
    ),
    **each(
        OPAQUES,
        "ephemeralContainers hostAliases imagePullSecrets readinessGates resourceClaims schedulingGates tolerations "
        "topologySpreadConstraints",
    ),
}

# Core kinds.

NAMESPACE = record(
    "A scope for names.", spec=record(finalizers=many(text())), status=record(phase=text(), conditions=OPAQUES)
)
CONFIGMAP = record(
    "Configuration for pods to read.",
    **each(STRINGS, "binaryData data"),
    immutable=FLAG,
)
SECRET = record("Secret data.", **each(STRINGS, "data stringData"), immutable=FLAG, type=text())
SERVICEACCOUNT = record(
    "An identity for pods.", automountServiceAccountToken=FLAG, **each(OPAQUES, "imagePullSecrets secrets")
)
SERVICE = record(
    "A name for a set of pods.",
    spec=record(
        "The ports and the pods of the name.",
        **each(
            text(),
            "clusterIP externalName externalTrafficPolicy internalTrafficPolicy ipFamilyPolicy loadBalancerClass "
            "loadBalancerIP sessionAffinity trafficDistribution",
        ),
        **each(many(text()), "clusterIPs externalIPs ipFamilies loadBalancerSourceRanges"),
        **each(FLAG, "allocateLoadBalancerNodePorts publishNotReadyAddresses"),
        healthCheckNodePort=number(),
        ports=many(
            need(
                record(
                    "One port.",
                    **each(text(), "appProtocol name"),
                    protocol=text(default="TCP"),
                    **each(number(), "nodePort port"),
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
_STATE = record(
    "The state of the container.",
    running=opaque(),
    terminated=keep(record(**each(text(), "finishedAt message reason startedAt"), **each(number(), "exitCode signal"))),
    waiting=record(**each(text(), "message reason")),
)
POD = record(
    "Programs that run together.",
    spec=need(record("The desired state.", **POD_SPEC_FIELDS), "containers"),
    status=keep(
        record(
            "The observed state.",
            **each(text(), "hostIP message nominatedNodeName phase podIP qosClass reason startTime"),
            containerStatuses=many(
                keep(
                    record(
                        **each(text(), "containerID image imageID name"),
                        **each(FLAG, "ready started"),
                        **each(_STATE, "lastState state"),
                        restartCount=number(),
                    )
                )
            ),
        )
    ),
)
REVIEW = record("A question about the caller's permissions.", **each(opaque(), "spec status"))
EVENT = record(
    "A report of something that happened to an object.",
    **each(
        text(), "action eventTime firstTimestamp lastTimestamp message reason reportingComponent reportingInstance type"
    ),
    count=number(),
    **each(opaque(), "related series"),
    involvedObject=record(**each(text(), "apiVersion fieldPath kind name namespace resourceVersion uid")),
    source=record(**each(text(), "component host")),
)
DEPLOYMENT = record(
    "Pods that are kept running.",
    spec=need(
        record(
            "The desired state.",
            **each(number(), "minReadySeconds progressDeadlineSeconds replicas revisionHistoryLimit"),
            paused=FLAG,
            selector=record("Labels of the pods.", matchLabels=STRINGS, matchExpressions=OPAQUES),
            strategy=opaque(),
            template=record(
                "The template of the pods.", metadata=opaque(), spec=record("The desired state.", **POD_SPEC_FIELDS)
            ),
        ),
        "selector template",
    ),
    status=opaque(),
)
