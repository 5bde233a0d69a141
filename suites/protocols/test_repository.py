"""The extension for model repositories, where a server claims it: models are unloaded and loaded again.

Each test has a server of its own: what it unloads is missed by nobody.
"""

import pytest

from evidence.expectations import answered, call_ended, call_told, error_answered, inferred, told
from evidence.refs import CallRef, ExchangeRef
from fixtures import OpenInference, expect
from suites.oracles.open_inference import Tensor, message, named, rest

ROW = Tensor("INT32", [3, 1, 2])
GOOD = rest(ROW)
UNKNOWN = "no-such-model"
GONE = (400, 404, 503)
GONE_CODES = ("NOT_FOUND", "UNAVAILABLE", "FAILED_PRECONDITION", "INVALID_ARGUMENT")


def change(server: OpenInference, verb: str, model: str) -> ExchangeRef:
    """Ask over REST to load or to unload a model."""
    return server.post(f"/v2/repository/models/{model}/{verb}", b"{}")


def called(server: OpenInference) -> CallRef:
    """Ask for an inference over gRPC."""
    return server.call("ModelInfer", message(ROW, raw=True, model=server.model))


@pytest.mark.requirement("OIP-REP-001")
def test_an_unloaded_model_is_not_ready_and_not_served(repository: OpenInference) -> None:
    control, unloaded = repository.infer(GOOD), change(repository, "unload", repository.model)
    ready, asked = repository.get(f"/v2/models/{repository.model}/ready"), repository.infer(GOOD)
    expect(error_answered(asked, GONE, control=control))
    expect(answered(unloaded, 200), answered(ready, GONE))


@pytest.mark.requirement("OIP-REP-002")
def test_a_model_that_is_loaded_again_is_ready_and_served(repository: OpenInference) -> None:
    control = repository.infer(GOOD)
    changes = [change(repository, verb, repository.model) for verb in ("unload", "load")]
    ready, asked = repository.get(f"/v2/models/{repository.model}/ready"), repository.infer(GOOD)
    expect(inferred(asked, [ROW.expected()], control=control))
    expect(*(answered(one, 200) for one in changes), told(ready, {"ready": True}))


@pytest.mark.requirement("OIP-REP-003")
def test_an_unknown_model_is_neither_loaded_nor_unloaded(repository: OpenInference) -> None:
    control = repository.infer(GOOD)
    changes = [change(repository, verb, UNKNOWN) for verb in ("load", "unload")]
    ready, other = repository.get(f"/v2/models/{UNKNOWN}/ready"), repository.infer(rest(ROW), model=UNKNOWN)
    expect(*(error_answered(one, GONE, control=control) for one in changes), answered(ready, GONE))
    expect(error_answered(other, GONE), inferred(repository.infer(GOOD), [ROW.expected()], control=control))


@pytest.mark.requirement("OIP-REP-004")
def test_a_model_is_unloaded_and_loaded_again_over_grpc(repository: OpenInference) -> None:
    model = named(repository.model)
    control, unloaded, gone = called(repository), repository.call("RepositoryModelUnload", model), called(repository)
    loaded, ready, asked = (
        repository.call("RepositoryModelLoad", model),
        repository.call("ModelReady", model),
        called(repository),
    )
    expect(call_ended(unloaded, "OK", control=control), call_ended(gone, *GONE_CODES, control=control))
    expect(call_ended(loaded, "OK", control=control), call_told(ready, "ModelReadyResponse", {"ready": True}))
    expect(inferred(asked, [ROW.expected()], control=control))


@pytest.mark.requirement("OIP-REP-005")
def test_an_unknown_model_is_neither_loaded_nor_unloaded_over_grpc(repository: OpenInference) -> None:
    control, unknown = called(repository), named(UNKNOWN)
    changes = [repository.call(f"RepositoryModel{verb}", unknown) for verb in ("Load", "Unload")]
    other = repository.call("ModelInfer", message(ROW, raw=True, model=UNKNOWN))
    expect(*(call_ended(one, *GONE_CODES, control=control) for one in (*changes, other)))
    expect(inferred(called(repository), [ROW.expected()], control=control))
