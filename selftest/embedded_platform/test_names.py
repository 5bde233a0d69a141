"""Services lead to pods that are ready; one that publishes the others leads to these too."""

from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from embedded.runtime.names import ClusterNames

HOST = "echo.ns.svc.cluster.local"


@dataclass
class Starting:
    """A pod that is not ready yet."""

    address: str = "127.1.0.1"
    ready: bool = False
    going: bool = False
    labels: dict[str, str] = field(default_factory=lambda: {"app": "echo"})
    spec: dict[str, Any] = field(default_factory=dict)


@dataclass
class OneService:
    """A store that has one Service, whatever it is asked for."""

    spec: dict[str, Any]

    def find(self, *_: object) -> dict[str, Any]:
        """Return it."""
        return {"spec": {"selector": {"app": "echo"}, "ports": [{"port": 80, "targetPort": 8080}], **self.spec}}


@pytest.mark.parametrize(
    ("spec", "address"),
    [({}, None), ({"publishNotReadyAddresses": True}, "127.1.0.1"), ({"publishNotReadyAddresses": False}, None)],
    ids=["plain", "published", "not-published"],
)
def test_a_pod_that_is_not_ready_is_called_where_its_service_publishes_it(
    spec: dict[str, Any], address: str | None
) -> None:
    names = ClusterNames(cast("Any", OneService(spec)), lambda _: [cast("Any", Starting())])
    found = names.resolve(HOST, 80)
    assert (found and found.host) == address
