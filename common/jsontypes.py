"""The type of a JSON object whose fields are somebody else's business: a Kubernetes object, mostly."""

from typing import Any, TypeAlias

JsonObject: TypeAlias = dict[str, Any]
