"""Every mutant of SeldonDeployments does what it says; the honest controller does the right thing."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from embedded.api.resources import DEPLOYMENT, POD, SELDONDEPLOYMENT, SERVICE
from embedded.controllers.topics import KAFKA_HOST
from selftest.embedded_platform.doubles import Cluster, Stream, eventually

pytestmark = pytest.mark.anyio

PARTS = ("deployments", "services", "pods", "streams")


async def settled() -> None:
    """Let the controllers look at what has changed, and at what they have changed."""
    for _ in range(50):
        await asyncio.sleep(0)


def predictor(name: str = "main", topics: Mapping[str, str] | None = None, **fields: Any) -> dict[str, Any]:
    """Return a predictor of one model, with its stream."""
    container = {"name": "echo", "image": "serving", "ports": [{"containerPort": 8501, "name": "http"}]}
    env = {
        "KAFKA_BROKER": f"{KAFKA_HOST}:9092",
        "KAFKA_INPUT_TOPIC": "in",
        "KAFKA_OUTPUT_TOPIC": "out",
        **(topics or {}),
    }
    return {
        "name": name,
        "componentSpecs": [{"spec": {"containers": [container]}}],
        "svcOrchSpec": {"env": [{"name": variable, "value": value} for variable, value in env.items()]},
        "graph": {"name": "echo", "type": "MODEL"},
        **fields,
    }


async def at_work(cluster: Cluster, namespace: str, *predictors: dict[str, Any]) -> None:
    """Make a SeldonDeployment, and wait until it is Available."""
    spec = {"protocol": "seldon", "serverType": "kafka", "predictors": list(predictors)}
    cluster.create(SELDONDEPLOYMENT, "it", namespace, spec=spec)
    await eventually(lambda: cluster.pods_are_ready(namespace) == len(predictors))
    await cluster.until(SELDONDEPLOYMENT, "it", lambda status: status.get("state") == "Available", namespace)


def change(cluster: Cluster, namespace: str, *predictors: dict[str, Any]) -> None:
    """Give a SeldonDeployment other predictors."""
    found = cluster.store.get(SELDONDEPLOYMENT, namespace, "it")
    found["spec"]["predictors"] = list(predictors)
    cluster.store.update(SELDONDEPLOYMENT, found)


def there(cluster: Cluster, namespace: str) -> dict[str, set[str]]:
    """Return the predictors of which there is something, by what it is."""
    named = {
        resource.plural: {each["metadata"]["labels"]["seldon-app"] for each in cluster.store.list(resource, namespace)}
        for resource in (DEPLOYMENT, SERVICE, POD)
    }
    return {**named, "streams": {f"{spec.deployment}-{spec.predictor}" for spec in Stream.at_work()}}


@pytest.mark.parametrize("renamed", [False, True], ids=["taken-out", "renamed"])
@pytest.mark.parametrize(
    ("mutant", "left"),
    [
        (None, set()),
        ("predictor-services-left", {"services"}),
        ("predictor-pods-left", {"deployments", "pods"}),
        ("predictor-goes-on", {"pods", "streams"}),
    ],
)
async def test_what_is_left_of_a_predictor(
    cluster: Cluster, mutant: str | None, left: set[str], *, renamed: bool
) -> None:
    namespace = cluster.faulty(mutant) if mutant else "ns"
    await at_work(cluster, namespace, predictor(traffic=75), predictor("canary", traffic=25))
    kept = predictor("new" if renamed else "main", traffic=100)
    gone = {"it-main", "it-canary"} if renamed else {"it-canary"}
    change(cluster, namespace, kept)
    wanted = {what: {f"it-{kept['name']}"} | (gone if what in left else set()) for what in PARTS}

    def is_so() -> bool:
        cluster.pods_are_ready(namespace)
        return there(cluster, namespace) == wanted and Stream.started[-1].share == (0, 100)

    await eventually(is_so)


@pytest.mark.parametrize(
    ("mutant", "left"),
    [
        (None, set()),
        ("deleted-deployment-goes-on", {"deployments", "pods", "streams"}),
        ("deleted-stream-consumes", {"streams"}),
    ],
)
async def test_what_is_left_of_a_deleted_deployment(cluster: Cluster, mutant: str | None, left: set[str]) -> None:
    namespace = cluster.faulty(mutant) if mutant else "ns"
    await at_work(cluster, namespace, predictor())
    cluster.store.delete(SELDONDEPLOYMENT, namespace, "it")
    if not mutant:
        await eventually(lambda: Stream.stopped)
    await settled()
    assert {what for what, of in there(cluster, namespace).items() if of} - {
        "services"
    } == left  # it owns Services still


IN, OUT = "KAFKA_INPUT_TOPIC", "KAFKA_OUTPUT_TOPIC"


@pytest.mark.parametrize(
    ("mutant", "topics"),
    [
        (None, [("other", "new")]),
        ("input-topic-change-ignored", [("in", "new")]),
        ("output-topic-change-ignored", [("other", "out")]),
        ("old-input-topic-consumed-too", [("in", "out"), ("other", "new")]),
    ],
)
async def test_topics_that_change(cluster: Cluster, mutant: str | None, topics: list[tuple[str, str]]) -> None:
    namespace = cluster.faulty(mutant) if mutant else "ns"
    await at_work(cluster, namespace, predictor())
    change(cluster, namespace, predictor(topics={IN: "other", OUT: "new"}))
    await eventually(lambda: len(Stream.started) == 2)
    await settled()
    assert [(spec.input_topic, spec.output_topic) for spec in Stream.at_work()] == topics
    cluster.store.delete(SELDONDEPLOYMENT, namespace, "it")
    await eventually(lambda: not Stream.at_work())


async def scaled(cluster: Cluster, namespace: str, *replicas: int) -> AsyncIterator[None]:
    """Give a predictor so many replicas, one number after the other; yield when each is settled."""
    for number in replicas:
        change(cluster, namespace, predictor(replicas=number))
        await settled()
        cluster.pods_are_ready(namespace)
        await settled()
        yield


@pytest.mark.parametrize(
    ("mutant", "numbers"),
    [
        (None, [1, 0, 2]),
        ("replicas-change-ignored", [1, 1, 1]),
        ("no-replica-is-one", [1, 1, 2]),
        ("no-replica-is-for-good", [1, 0, 0]),
    ],
)
async def test_replicas_that_change(cluster: Cluster, mutant: str | None, numbers: list[int]) -> None:
    namespace = cluster.faulty(mutant) if mutant else "ns"
    cluster.topics.made = {"in": 4}
    await at_work(cluster, namespace, predictor(replicas=1))
    found = [
        (len(cluster.store.list(POD, namespace)), len(Stream.at_work()))
        async for _ in scaled(cluster, namespace, 1, 0, 2)
    ]
    assert found == [(number, number) for number in numbers]


@pytest.mark.parametrize(
    ("mutant", "readers"),
    [
        (None, [[(0, 1)], [(0, 2), (1, 2)], [(0, 1)]]),
        ("scaled-servers-go-on", [[(0, 1)], [(0, 1), (0, 2), (1, 2)], [(0, 1), (0, 1), (0, 2), (1, 2)]]),
        ("partitions-of-gone-replicas-unread", [[(0, 1)], [(0, 2), (1, 2)], [(0, 2)]]),
    ],
)
async def test_who_reads_when_replicas_become_more_and_fewer(
    cluster: Cluster, mutant: str | None, readers: list[list[tuple[int, int]]]
) -> None:
    namespace = cluster.faulty(mutant) if mutant else "ns"
    cluster.topics.made = {"in": 4}
    await at_work(cluster, namespace, predictor(replicas=1))
    found = [
        sorted((spec.replica, spec.replicas) for spec in Stream.at_work())
        async for _ in scaled(cluster, namespace, 1, 2, 1)
    ]
    assert found == readers


@pytest.mark.parametrize(
    ("mutant", "weights", "shares"),
    [
        (None, (100, 0), [(0, 100), (100, 100)]),
        ("traffic-shared-evenly", (100, 0), [(0, 50), (50, 100)]),
        (None, (0, 100), [(0, 0), (0, 100)]),
        ("canary-starved", (0, 100), [(0, 100), (100, 100)]),
    ],
)
async def test_the_traffic_of_two_predictors(
    cluster: Cluster, mutant: str | None, weights: tuple[int, int], shares: list[tuple[int, int]]
) -> None:
    namespace = cluster.faulty(mutant) if mutant else "ns"
    main, canary = weights
    await at_work(cluster, namespace, predictor(traffic=main), predictor("canary", traffic=canary))
    assert [spec.share for spec in Stream.at_work()] == shares


@pytest.mark.parametrize(("mutant", "at_work"), [(None, 1), ("stream-first-kafka-only", 0)])
async def test_the_servers_of_kafka_that_a_stream_tries(cluster: Cluster, mutant: str | None, at_work: int) -> None:
    namespace = cluster.faulty(mutant) if mutant else "ns"
    listed = predictor(topics={"KAFKA_BROKER": f"elsewhere.invalid:9092, {KAFKA_HOST}:9092"})
    spec = {"protocol": "seldon", "serverType": "kafka", "predictors": [listed]}
    cluster.create(SELDONDEPLOYMENT, "it", namespace, spec=spec)
    await eventually(lambda: cluster.pods_are_ready(namespace) == 1)
    state = "Available" if at_work else "Failed"
    await cluster.until(SELDONDEPLOYMENT, "it", lambda status: status.get("state") == state, namespace)
    assert len(Stream.at_work()) == at_work


CRASHED = {"ready": False, "restartCount": 3, "state": {"terminated": {"exitCode": 1}}}


@pytest.mark.parametrize(
    ("mutant", "before", "after"),
    [
        (None, "Failed", "Failed"),
        ("stream-crash-unnoticed", "Failed", "Available"),
        ("stream-available-without-pods", "Available", "Available"),
    ],
)
async def test_the_state_while_pods_crash(cluster: Cluster, mutant: str | None, before: str, after: str) -> None:
    namespace = cluster.faulty(mutant) if mutant else "ns"
    cluster.create(SELDONDEPLOYMENT, "it", namespace, spec={"protocol": "seldon", "predictors": [predictor()]})
    states = []
    for _ in ("before", "after"):
        await eventually(lambda: cluster.store.list(POD, namespace))
        [pod] = cluster.store.list(POD, namespace)
        status = {"conditions": [{"type": "Ready", "status": "False"}], "containerStatuses": [CRASHED]}
        cluster.store.patch_status(POD, namespace, pod["metadata"]["name"], status)
        await settled()
        states.append(cluster.store.get(SELDONDEPLOYMENT, namespace, "it")["status"]["state"])
        cluster.store.patch_status(POD, namespace, pod["metadata"]["name"], {"containerStatuses": []})
        cluster.pods_are_ready(namespace)
        await settled()
    assert states == [before, after]


@pytest.mark.parametrize(("mutant", "made"), [(None, 2), ("broken-deployment-blocks-others", 1)])
async def test_one_that_cannot_be_made_beside_another(cluster: Cluster, mutant: str | None, made: int) -> None:
    namespace = cluster.faulty(mutant) if mutant else "ns"
    cluster.create(SELDONDEPLOYMENT, "it", namespace, spec={"protocol": "seldon", "predictors": [predictor()]})
    await eventually(lambda: cluster.store.list(POD, namespace))
    [pod] = cluster.store.list(POD, namespace)
    cluster.store.patch_status(POD, namespace, pod["metadata"]["name"], {"containerStatuses": [CRASHED]})
    await settled()
    cluster.create(SELDONDEPLOYMENT, "other", namespace, spec={"protocol": "seldon", "predictors": [predictor()]})
    await settled()
    assert len(cluster.store.list(DEPLOYMENT, namespace)) == made
