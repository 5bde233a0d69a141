"""The kinds that the embedded API serves, and what a client may ask about each: names, scope, columns, schema.

Each kind is a constant (`BROKER`, `POD`, ...); `RESOURCES` holds all that have a meaning on this platform. Custom
kinds have the printer columns of their real CRDs; the columns of core kinds are code, in `table`.
"""

from dataclasses import dataclass, field
from typing import Any

from embedded.api import schemas_core as core
from embedded.api import schemas_custom as custom


@dataclass(frozen=True, slots=True)
class Column:
    """A printer column of a custom kind.

    Attributes:
        path: The JSONPath of the value.
        priority: The importance; 1 shows the column with `-o wide` only.
    """

    name: str
    type: str
    path: str
    priority: int = 0


@dataclass(frozen=True, eq=False)
class Resource:
    """One kind under one version. It is compared and hashed by identity: there is one instance of each.

    Attributes:
        custom: True if the kind answers as CustomResourceDefinitions do; built-in kinds differ in messages, patch types
            and the treatment of unknown fields.
        status: True if there is a status subresource.
        generations: True if `metadata.generation` counts changes of the desired state.
    """

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool = True
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    columns: tuple[Column, ...] = ()
    schema: dict[str, Any] = field(default_factory=dict, repr=False)
    custom: bool = False
    status: bool = True
    generations: bool = True
    subresources: tuple[str, ...] = ()
    name_is_label: bool = False
    verbs: tuple[str, ...] = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")

    @property
    def api_version(self) -> str:
        """The API version: `eventing.knative.dev/v1`, or `v1` for a core kind."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def singular(self) -> str:
        """The singular name, such as `broker`."""
        return self.kind.lower()

    def __repr__(self) -> str:
        return f"<{self.api_version} {self.kind}>"


_AGE = Column("Age", "date", ".metadata.creationTimestamp")
_READY = Column("Ready", "string", '.status.conditions[?(@.type=="Ready")].status')
_REASON = Column("Reason", "string", '.status.conditions[?(@.type=="Ready")].reason')
_TRAFFIC = ".status.components.predictor.traffic"

BROKER = Resource(
    "eventing.knative.dev",
    "v1",
    "Broker",
    "brokers",
    categories=("all", "knative", "eventing"),
    custom=True,
    schema=custom.BROKER,
    columns=(
        Column("URL", "string", ".status.address.url"),
        _AGE,
        _READY,
        _REASON,
        Column("Class", "string", ".metadata.annotations.eventing\\.knative\\.dev/broker\\.class", 1),
    ),
)
TRIGGER = Resource(
    "eventing.knative.dev",
    "v1",
    "Trigger",
    "triggers",
    categories=("all", "knative", "eventing"),
    custom=True,
    schema=custom.TRIGGER,
    columns=(
        Column("Broker", "string", ".spec.broker"),
        Column("Subscriber_URI", "string", ".status.subscriberUri"),
        _AGE,
        _READY,
        _REASON,
    ),
)
INFERENCESERVICE = Resource(
    "serving.kserve.io",
    "v1beta1",
    "InferenceService",
    "inferenceservices",
    short_names=("isvc",),
    custom=True,
    schema=custom.INFERENCESERVICE,
    columns=(
        Column("URL", "string", ".status.url"),
        Column("Ready", "string", ".status.conditions[?(@.type=='Ready')].status"),
        Column("Prev", "integer", f"{_TRAFFIC}[?(@.tag=='prev')].percent"),
        Column("Latest", "integer", f"{_TRAFFIC}[?(@.latestRevision==true)].percent"),
        Column("PrevRolledoutRevision", "string", f"{_TRAFFIC}[?(@.tag=='prev')].revisionName"),
        Column("LatestReadyRevision", "string", f"{_TRAFFIC}[?(@.latestRevision==true)].revisionName"),
        _AGE,
    ),
)
SELDONDEPLOYMENT = Resource(
    "machinelearning.seldon.io",
    "v1",
    "SeldonDeployment",
    "seldondeployments",
    short_names=("sdep",),
    custom=True,
    schema=custom.SELDONDEPLOYMENT,
    columns=(_AGE,),
)

NAMESPACE = Resource(
    "",
    "v1",
    "Namespace",
    "namespaces",
    namespaced=False,
    short_names=("ns",),
    schema=core.NAMESPACE,
    generations=False,
    name_is_label=True,
    verbs=("create", "delete", "get", "list", "patch", "update", "watch"),
)
CONFIGMAP = Resource(
    "", "v1", "ConfigMap", "configmaps", short_names=("cm",), schema=core.CONFIGMAP, status=False, generations=False
)
SECRET = Resource("", "v1", "Secret", "secrets", schema=core.SECRET, status=False, generations=False)
SERVICEACCOUNT = Resource(
    "",
    "v1",
    "ServiceAccount",
    "serviceaccounts",
    short_names=("sa",),
    schema=core.SERVICEACCOUNT,
    status=False,
    generations=False,
)
SERVICE = Resource(
    "",
    "v1",
    "Service",
    "services",
    short_names=("svc",),
    categories=("all",),
    schema=core.SERVICE,
    generations=False,
    subresources=("proxy",),
    name_is_label=True,
)
POD = Resource(
    "",
    "v1",
    "Pod",
    "pods",
    short_names=("po",),
    categories=("all",),
    schema=core.POD,
    subresources=("exec", "log"),
)
EVENT = Resource("", "v1", "Event", "events", short_names=("ev",), schema=core.EVENT, status=False, generations=False)
DEPLOYMENT = Resource(
    "apps",
    "v1",
    "Deployment",
    "deployments",
    short_names=("deploy",),
    categories=("all",),
    schema=core.DEPLOYMENT,
)

_REVIEW: dict[str, Any] = {"namespaced": False, "status": False, "generations": False, "verbs": ("create",)}
ACCESSREVIEW = Resource(
    "authorization.k8s.io",
    "v1",
    "SelfSubjectAccessReview",
    "selfsubjectaccessreviews",
    schema=core.REVIEW,
    **_REVIEW,
)
RULESREVIEW = Resource(
    "authorization.k8s.io", "v1", "SelfSubjectRulesReview", "selfsubjectrulesreviews", schema=core.REVIEW, **_REVIEW
)

RESOURCES: tuple[Resource, ...] = (
    CONFIGMAP,
    EVENT,
    NAMESPACE,
    POD,
    SECRET,
    SERVICEACCOUNT,
    SERVICE,
    DEPLOYMENT,
    BROKER,
    TRIGGER,
    SELDONDEPLOYMENT,
    INFERENCESERVICE,
    ACCESSREVIEW,
    RULESREVIEW,
)
