"""Registries that ask who pulls: an image of one needs a pull secret of its pod, with credentials for that registry.

No registry is asked here, so one is private by its name: its first label is `private`, as in `private.example`.
"""

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from typing import Any

from embedded.api.resources import POD, SECRET
from embedded.api.store import Store
from embedded.runtime.image_folders import UnknownImageError

PRIVATE = "private."
KEYS = {"kubernetes.io/dockerconfigjson": (".dockerconfigjson", "auths"), "kubernetes.io/dockercfg": (".dockercfg", "")}
"""Key of the content, and the field in it that holds the registries, by the type of a Secret."""


def expect_allowed(reference: str, pod: Mapping[str, Any], store: Store) -> None:
    """Refuse an image of a private registry to a pod without credentials for it.

    Args:
        reference: The image's reference.
        pod: The pod as it was made; what it refers to is looked up anew.
        store: The objects of the API.

    Raises:
        UnknownImageError: No pull secret of the pod has credentials for the registry.
    """
    registry = reference.partition("/")[0]
    if not registry.startswith(PRIVATE):
        return
    namespace = pod["metadata"]["namespace"]
    current = store.find(POD, namespace, pod["metadata"]["name"]) or pod
    secrets = [str(each.get("name")) for each in current["spec"].get("imagePullSecrets") or ()]
    found = [secret for name in secrets if (secret := store.find(SECRET, namespace, name)) is not None]
    if registry not in {known for secret in found for known in _registries(secret)}:
        raise UnknownImageError(
            f'failed to pull image "{reference}": pull access denied, authorization failed: no basic auth credentials'
        )


def _registries(secret: Mapping[str, Any]) -> Iterator[str]:
    """Yield the registries that a Secret has credentials for; none where it is no pull secret."""
    key, field = KEYS.get(str(secret.get("type")), ("", ""))
    try:
        content = json.loads(base64.b64decode((secret.get("data") or {}).get(key, ""), validate=True))
        yield from (content[field] if field else content)
    except (binascii.Error, ValueError, KeyError, TypeError):
        return
