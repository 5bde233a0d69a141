"""Kinds that are stored without a meaning here: no controller reads them and nothing enforces them.

Objects that people install beside their workloads (rights, policies, quotas, webhooks) can thus be applied unchanged.
"""

from typing import Any

from embedded.api.resources import Resource
from embedded.api.schemas import FLAG, OPAQUES, each, keep, many, need, opaque, record, text

_RULES = record("Permissions.", rules=OPAQUES, aggregationRule=opaque())
_BINDING = need(
    record(
        "The subjects that have the permissions of a role.",
        subjects=many(need(record(**each(text(), "apiGroup kind name namespace")), "kind name")),
        roleRef=need(record(**each(text(), "apiGroup kind name")), "kind name"),
    ),
    "roleRef",
)
_WEBHOOKS = record("The webhooks to call before a write. This platform calls none.", webhooks=OPAQUES)
_SPEC = record("An object with a desired state.", **each(opaque(), "spec status"))
_NAMES = need(
    record(**each(text(), "kind listKind plural singular"), **each(many(text()), "categories shortNames")),
    "kind plural",
)
_VERSION = need(
    record(
        name=text(),
        **each(FLAG, "deprecated served storage"),
        deprecationWarning=text(),
        **each(opaque(), "schema subresources"),
        **each(OPAQUES, "additionalPrinterColumns selectableFields"),
    ),
    "name served storage",
)
_DEFINITION = need(
    record(
        "A custom kind.",
        spec=need(
            record(
                group=text(),
                names=_NAMES,
                scope=text(enum=["Cluster", "Namespaced"]),
                versions=many(_VERSION),
                preserveUnknownFields=FLAG,
                conversion=opaque(),
            ),
            "group names scope versions",
        ),
        status=opaque(),
    ),
    "spec",
)


def _stored(group: str, kind: str, plural: str, schema: dict[str, Any], *short_names: str, **more: Any) -> Resource:
    return Resource(group, "v1", kind, plural, schema=schema, short_names=short_names, **more)


_RBAC, _HOOKS = "rbac.authorization.k8s.io", "admissionregistration.k8s.io"
_PLAIN = {"status": False, "generations": False}

CUSTOMRESOURCEDEFINITION = _stored(
    "apiextensions.k8s.io",
    "CustomResourceDefinition",
    "customresourcedefinitions",
    _DEFINITION,
    *("crd", "crds"),
    namespaced=False,
)
NODE = _stored("", "Node", "nodes", _SPEC, "no", namespaced=False, generations=False)

STORED: tuple[Resource, ...] = (
    NODE,
    _stored("", "LimitRange", "limitranges", record(spec=opaque()), "limits", **_PLAIN),
    _stored("", "ResourceQuota", "resourcequotas", _SPEC, "quota", generations=False),
    CUSTOMRESOURCEDEFINITION,
    _stored(
        _HOOKS,
        "MutatingWebhookConfiguration",
        "mutatingwebhookconfigurations",
        _WEBHOOKS,
        namespaced=False,
        status=False,
    ),
    _stored(
        _HOOKS,
        "ValidatingWebhookConfiguration",
        "validatingwebhookconfigurations",
        _WEBHOOKS,
        namespaced=False,
        status=False,
    ),
    Resource(
        "autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers", schema=_SPEC, short_names=("hpa",)
    ),
    _stored("networking.k8s.io", "NetworkPolicy", "networkpolicies", _SPEC, "netpol", status=False),
    _stored("policy", "PodDisruptionBudget", "poddisruptionbudgets", _SPEC, "pdb"),
    _stored(_RBAC, "ClusterRole", "clusterroles", _RULES, namespaced=False, **_PLAIN),
    _stored(_RBAC, "ClusterRoleBinding", "clusterrolebindings", _BINDING, namespaced=False, **_PLAIN),
    _stored(_RBAC, "Role", "roles", _RULES, **_PLAIN),
    _stored(_RBAC, "RoleBinding", "rolebindings", _BINDING, **_PLAIN),
    _stored("scheduling.k8s.io", "PriorityClass", "priorityclasses", keep(record()), "pc", namespaced=False, **_PLAIN),
)
