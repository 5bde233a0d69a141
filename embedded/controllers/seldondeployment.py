"""SeldonDeployment: the pods of each predictor, and for `serverType: kafka` stream servers from topic to topic.

Each replica of a predictor has one, and they share the partitions; the predictors share the records, by `traffic`.

As in the real webhook, requests go to the container port *named* `http` or `grpc`, by transport; `graph.endpoint`
counts only where no port has that name. Available also means that the stream is being consumed.
"""

import contextlib
import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from embedded.api.resources import DEPLOYMENT, POD, SELDONDEPLOYMENT, SERVICE, Resource
from embedded.api.store import Store
from embedded.controllers.conditions import TRUE, Conditions, ConditionState, condition_of, fails, is_ready, unknown
from embedded.controllers.controller import Controller, RetryError, ensure
from embedded.controllers.faults import FAULT, KAFKA_AWAY, KAFKA_BACK, ordered
from embedded.controllers.policies import ControlPlanePolicies
from embedded.controllers.topics import Topics
from embedded.streaming.nodes import KINDS, Node
from embedded.streaming.policies import StreamPolicies
from embedded.streaming.server import STAGES
from embedded.streaming.specs import StreamSpec
from embedded.types import Composition, Endpoint, Key, Resolve

if TYPE_CHECKING:
    import asyncio

BROKER, INPUT, OUTPUT = "KAFKA_BROKER", "KAFKA_INPUT_TOPIC", "KAFKA_OUTPUT_TOPIC"
REQUIRED = (BROKER, INPUT, OUTPUT)
ALL = 100
DEFAULT_WORKERS = 4
DEFAULT_PARTITIONS = 1
DEFAULT_PORTS = {"http": 9000, "grpc": 9500}
MOST_OF_A_LABEL = 63
ANEW = "anew"
ID = "seldon-deployment-id"
"""The label of all that is made for a SeldonDeployment: its name."""


class Stream(Protocol):
    """A running stream server."""

    async def start(self) -> None:
        """Begin to consume; return once every later request will be answered."""

    async def stop(self) -> None:
        """Finish the records at work, and end."""

    def lose_kafka(self) -> None:
        """Take note that Kafka goes away."""

    def kill(self, stage: str) -> "asyncio.Future[None]":
        """Die at the next record that comes to a stage; what is returned is done when the server is at work again."""


class Policies(Protocol):
    """The policies of each namespace."""

    def streams(self, namespace: str) -> Composition[StreamPolicies]:
        """Return those of its streams."""

    def control_plane(self, namespace: str) -> ControlPlanePolicies:
        """Return those of the controller."""


MakeStream = Callable[[StreamSpec], Stream]


@dataclass(slots=True)
class _Served:
    variables: Mapping[str, str]
    spec: StreamSpec
    stream: Stream


class SeldonDeploymentController(Controller):
    """The reconciler of SeldonDeployments."""

    resource = SELDONDEPLOYMENT
    also = (DEPLOYMENT,)

    def __init__(
        self,
        store: Store,
        make_stream: MakeStream,
        topics: Topics,
        resolve: Resolve,
        policies: Policies,
    ) -> None:
        super().__init__(store)
        self._make_stream, self._topics, self._resolve, self._policies = make_stream, topics, resolve, policies
        self._served: dict[tuple[Key, str], list[_Served]] = {}
        # The servers that go on though others have replaced them: none on an honest platform.
        self._left: dict[tuple[Key, str], list[_Served]] = {}
        self._faults: dict[Key, str] = {}
        # The pod that a stream calls, by SeldonDeployment, host and port: requests to a Service go round its pods, and
        # a stream whose pod changed at each look would begin anew each time.
        self._called: dict[Key, dict[tuple[str, int], Endpoint]] = {}

    def concerned(self, resource: Resource, obj: dict[str, Any]) -> Iterable[Key]:  # noqa: ARG002
        """Yield the SeldonDeployment that a Deployment was made for, whoever owns it."""
        if name := (obj["metadata"].get("labels") or {}).get(ID):
            yield obj["metadata"]["namespace"], name

    async def reconcile(self, namespace: str, name: str) -> None:
        """Reconcile one SeldonDeployment."""
        deployment = self.store.find(SELDONDEPLOYMENT, namespace, name)
        predictors: list[dict[str, Any]] = []
        if deployment is not None and "deletionTimestamp" not in deployment["metadata"]:
            predictors = deployment["spec"]["predictors"]
        names = {predictor["name"] for predictor in predictors}
        policies = self._policies.control_plane(namespace)
        left = policies.left_of_predictor if predictors else policies.left_of_deployment
        for key, served in list(self._served):
            if key == (namespace, name) and served not in names and "streams" not in left:
                await self._stop((key, served))
        if deployment is None or not predictors:
            self._faults.pop((namespace, name), None)
            self._called.pop((namespace, name), None)
            return
        others = [one for one in self.store.list(SELDONDEPLOYMENT, namespace) if one["metadata"]["name"] != name]
        if not deployment.get("status") and policies.waits_for(others):
            raise RetryError("it waits for others")
        conditions = Conditions((deployment.get("status") or {}).get("conditions"))
        status: dict[str, Any] = {"deploymentStatus": {}, "replicas": 0}
        trouble: RetryError | None = None
        made: set[tuple[Resource, str]] = set()
        await self._scale(deployment)
        verdicts = [self._pods(deployment, predictor, status, made) for predictor in predictors]
        self._sweep(namespace, name, made, left)
        conditions.set("ServicesReady", TRUE)
        conditions.set("DeploymentsReady", policies.deployments_state(_worst(verdicts), is_ready(deployment)))
        if deployment["spec"].get("serverType") == "kafka" and _worst(verdicts).status:
            try:
                await self._obey(deployment)
                for predictor, share in zip(predictors, self._shares(deployment), strict=True):
                    await self._stream(deployment, predictor, share)
                conditions.set("KafkaReady", TRUE)
                self._kill(deployment)
            except RetryError as error:
                trouble = error
                tells = self._policies.streams(namespace).compose().tells_kafka
                conditions.set("KafkaReady", fails("KafkaNotReady", str(error)) if tells else TRUE)
        if (namespace, name) in self._faults:
            status["annotations"] = {FAULT: self._faults[namespace, name]}
        ready = conditions.sum_up(("DeploymentsReady", "ServicesReady", "KafkaReady"))
        failed = ready is False
        status["state"] = "Available" if ready else "Failed" if failed else "Creating"
        if failed:
            status["description"] = next(c for c in conditions.as_list() if c["type"] == "Ready").get("message", "")
        if deployment["spec"].get("serverType") != "kafka" or ready:
            first = predictors[0]["name"]
            status["address"] = {
                "url": f"http://{name}-{first}.{namespace}.svc.cluster.local:8000/api/v1.0/predictions"
            }
        status["conditions"] = conditions.as_list()
        self.store.patch_status(SELDONDEPLOYMENT, namespace, name, status)
        if trouble:
            raise trouble

    def _pods(
        self,
        deployment: dict[str, Any],
        predictor: dict[str, Any],
        status: dict[str, Any],
        made: set[tuple[Resource, str]],
    ) -> ConditionState:
        """Make a predictor's Deployments and Services, add them to what is made, and return their state."""
        namespace, name = deployment["metadata"]["namespace"], deployment["metadata"]["name"]
        policies, verdicts = self._policies.control_plane(namespace), []
        for number, component in enumerate(predictor.get("componentSpecs") or ()):
            spec = component.get("spec") or {}
            containers = spec.get("containers") or []
            full = deployment_name(name, predictor["name"], number, containers)
            labels = {
                "app": full,
                ID: name,
                "seldon-app": f"{name}-{predictor['name']}",
                **{f"seldon-app-svc-{container['name']}": "true" for container in containers},
            }
            current = self.store.find(DEPLOYMENT, namespace, full)
            wanted = int(component.get("replicas", replicas_of(deployment, predictor)))
            replicas = policies.replicas(current["spec"]["replicas"] if current else None, wanted)
            template = {"metadata": {"labels": labels}, "spec": spec}
            found = ensure(
                self.store,
                DEPLOYMENT,
                {
                    "metadata": {"name": full, "namespace": namespace, "labels": labels},
                    "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": full}}, "template": template},
                },
                None if "deployments" in policies.left_of_deployment else deployment,
            )
            made.add((DEPLOYMENT, full))
            made |= {(SERVICE, self._service(deployment, predictor, container, full)) for container in containers}
            ready = (found.get("status") or {}).get("readyReplicas", 0)
            status["deploymentStatus"][full] = {"availableReplicas": ready, "replicas": replicas}
            status["replicas"] += replicas
            verdicts.append(_verdict(found))
        return _worst(verdicts)

    def _sweep(self, namespace: str, name: str, made: Collection[tuple[Resource, str]], left: Collection[str]) -> None:
        """Delete what was made for predictors, components and containers that are not there any more.

        Args:
            namespace: The namespace of the SeldonDeployment.
            name: The name of it.
            made: The Deployments and Services of those that are there.
            left: What stays, of `LEFT`.
        """
        for resource, kept in ((DEPLOYMENT, "deployments"), (SERVICE, "services")):
            for found in self.store.list(resource, namespace, {ID: name}):
                each = found["metadata"]["name"]
                if (resource, each) not in made and kept not in left:
                    self.store.delete(resource, namespace, each, orphan="pods" in left)

    def _service(
        self, deployment: dict[str, Any], predictor: dict[str, Any], container: dict[str, Any], app: str
    ) -> str:
        """Make the Service of a container with ports, and return the name that it has."""
        metadata = deployment["metadata"]
        name = f"{metadata['name']}-{predictor['name']}-{container['name']}"
        ports = [
            {"name": port.get("name") or f"port-{port['containerPort']}", "port": port["containerPort"]}
            for port in container.get("ports") or ()
        ]
        if ports:
            labels = {ID: metadata["name"], "seldon-app": f"{metadata['name']}-{predictor['name']}"}
            ensure(
                self.store,
                SERVICE,
                {
                    "metadata": {"name": name, "namespace": metadata["namespace"], "labels": labels},
                    "spec": {"selector": {"app": app}, "ports": ports},
                },
                deployment,
            )
        return name

    async def _scale(self, deployment: dict[str, Any]) -> None:
        """Have so many servers of each predictor at work as are wanted now, before its pods come or go.

        A server stands for one in a pod: when a pod is seen to be gone, or ready, its server is, too.
        """
        shares = self._shares(deployment)
        for predictor, share in zip(deployment["spec"]["predictors"], shares, strict=True):
            served = self._served.get((_key(deployment), predictor["name"]), ())
            if served and len(served) != replicas_of(deployment, predictor):
                with contextlib.suppress(RetryError):  # it is tried again, and told, behind the pods
                    await self._stream(deployment, predictor, share)

    def _shares(self, deployment: dict[str, Any]) -> Sequence[tuple[int, int]]:
        """Return the hundredths of the traffic of each predictor, from and up to; a shadow's are those it copies."""
        policies = self._policies.control_plane(deployment["metadata"]["namespace"])
        predictors = deployment["spec"]["predictors"]
        shared = iter(policies.shares([_traffic(each) for each in predictors if not each.get("shadow")]))
        return [(0, _traffic(each) or ALL) if each.get("shadow") else next(shared) for each in predictors]

    async def _stream(self, deployment: dict[str, Any], predictor: dict[str, Any], share: tuple[int, int]) -> None:
        """Make the predictor's stream servers run as specified.

        Raises:
            RetryError: Kafka or the predictor's pod cannot be reached.
        """
        namespace, name = deployment["metadata"]["namespace"], deployment["metadata"]["name"]
        environment: Mapping[str, str] = environment_of(predictor)
        if missing := [variable for variable in REQUIRED if not environment.get(variable)]:
            raise RetryError(f"predictor {predictor['name']}: {', '.join(missing)} missing")
        policies = self._policies.control_plane(namespace)
        # A client that reaches one of the servers learns of the others there.
        listed = [server.strip() for server in environment[BROKER].split(",")]
        if not any(map(self._topics.is_ours, policies.kafka_servers(listed))):
            raise RetryError(self._topics.unreachable(environment[BROKER]))
        key = ((namespace, name), predictor["name"])
        before = self._served.get(key, [])
        # The Deployment has its number by now, so an honest one has it from the object.
        wanted = policies.replicas(self._replicas(deployment, predictor), replicas_of(deployment, predictor))
        if not wanted:
            await self._stop(key)
            return
        if before:
            environment = policies.changed_variables(before[0].variables, environment)
        transport = deployment["spec"].get("transport") or "rest"
        spec = StreamSpec(
            namespace=namespace,
            deployment=name,
            predictor=predictor["name"],
            input_topic=environment[INPUT],
            output_topic=environment[OUTPUT],
            protocol=deployment["spec"].get("protocol") or "seldon",
            transport=transport,
            graph=self._node(deployment, predictor, predictor["graph"], transport),
            workers=int(environment.get("KAFKA_WORKERS") or DEFAULT_WORKERS),
            share=share,
            shadow=bool(predictor.get("shadow")),
            policies=self._policies.streams(namespace),
        )
        for topic in (spec.input_topic, spec.output_topic):
            await self._topics.create(topic, DEFAULT_PARTITIONS)
        # A replica without a partition would have nothing to read.
        count = min(wanted, await self._topics.partitions(spec.input_topic))
        sharers = policies.sharers(before[0].spec.replicas if before else 0, count)
        specs = [replace(spec, replica=number, replicas=sharers) for number in range(count)]
        if [served.spec for served in before] == specs:
            return
        ends = policies.ends_scaled or len(before) == count
        for served in self._served.pop(key, ()):
            if ends and policies.ends_replaced(served.variables, environment):
                await served.stream.stop()
            else:
                self._left.setdefault(key, []).append(served)
        for each in specs:
            stream = self._make_stream(each)
            await stream.start()
            self._served.setdefault(key, []).append(_Served(environment, each, stream))

    def _node(
        self, deployment: dict[str, Any], predictor: dict[str, Any], node: Mapping[str, Any], transport: str
    ) -> Node:
        """Return a node of the graph, and all behind it, with their endpoints."""
        children = tuple(self._node(deployment, predictor, child, transport) for child in node.get("children") or ())
        endpoint = self._endpoint(deployment, predictor, node, transport)
        return Node(node["name"], node.get("type") or KINDS[0], endpoint, children)

    async def _obey(self, deployment: dict[str, Any]) -> None:
        """Take Kafka away from the servers, bring it back, or stop them to be made anew, as the annotation says, once.

        Raises:
            RetryError: Kafka is away, or does not go or come.
        """
        key, (order, fault) = _key(deployment), ordered(deployment)
        if fault in {KAFKA_AWAY, KAFKA_BACK, ANEW} and self._faults.get(key) != order:
            for predictor in deployment["spec"]["predictors"]:
                if fault == ANEW:
                    await self._stop((key, predictor["name"]))
                else:
                    await self._set_away(key, predictor, away=fault == KAFKA_AWAY)
            self._faults[key] = order
        if self._faults.get(key, "").partition("/")[0] == KAFKA_AWAY:
            raise RetryError("Kafka is away: a fault that was made on purpose")

    async def _set_away(self, key: Key, predictor: dict[str, Any], *, away: bool) -> None:
        environment = environment_of(predictor)
        for variable in (INPUT, OUTPUT):
            await self._topics.set_away(environment[variable], away=away)
        for served in self._served.get((key, predictor["name"]), ()) if away else ():
            served.stream.lose_kafka()

    def _kill(self, deployment: dict[str, Any]) -> None:
        """Have the first stream server die as the annotation says, once."""
        key, (order, stage) = _key(deployment), ordered(deployment)
        first = self._served.get((key, deployment["spec"]["predictors"][0]["name"]), [])
        if stage in STAGES and first and self._faults.get(key, "").removeprefix("ready:") != order:
            self._faults[key] = f"ready:{order}"
            first[0].stream.kill(stage).add_done_callback(lambda over: self._killed(key, order, over))

    def _killed(self, key: Key, order: str, over: "asyncio.Future[None]") -> None:
        """Note that a kill is over; not where the server was stopped before."""
        if not over.cancelled():
            self._faults[key] = order
            self._ask(key)

    def _endpoint(
        self, deployment: dict[str, Any], predictor: dict[str, Any], node: Mapping[str, Any], transport: str
    ) -> Endpoint:
        namespace, name = deployment["metadata"]["namespace"], deployment["metadata"]["name"]
        containers = [c for part in predictor["componentSpecs"] for c in part["spec"]["containers"]]
        container = next((c for c in containers if c["name"] == node["name"]), containers[0])
        port = endpoint_port(container, node.get("endpoint") or {}, transport)
        host = f"{name}-{predictor['name']}-{container['name']}.{namespace}.svc.cluster.local"
        ready = {pod["status"]["podIP"]: pod for pod in self.store.list(POD, namespace) if is_ready(pod)}
        called = self._called.setdefault((namespace, name), {})
        if (host, port) in called and called[host, port].host in ready:
            return called[host, port]
        endpoint = self._resolve(host, port)
        if endpoint is None:
            # A port that no container names has no Service: use the pod itself, as the executor beside it would.
            app = deployment_name(name, predictor["name"], 0, containers)
            address = next((ip for ip, pod in ready.items() if pod["metadata"]["labels"].get("app") == app), None)
            if address is None:
                raise RetryError(f"no ready pod behind {host}:{port}")
            endpoint = Endpoint(address, port, f"{host}:{port}")
        called[host, port] = endpoint
        return endpoint

    def _replicas(self, deployment: dict[str, Any], predictor: dict[str, Any]) -> int:
        """Return the number of replicas that the first Deployment of a predictor has been given."""
        namespace, name = _key(deployment)
        containers = predictor["componentSpecs"][0]["spec"]["containers"]
        found = self.store.get(DEPLOYMENT, namespace, deployment_name(name, predictor["name"], 0, containers))
        return int(found["spec"]["replicas"])

    async def _stop(self, key: tuple[Key, str]) -> None:
        for served in [*self._served.pop(key, ()), *self._left.pop(key, ())]:
            await served.stream.stop()

    async def stop(self) -> None:
        """Stop all streams."""
        for key in list(self._served):
            await self._stop(key)


def _key(deployment: Mapping[str, Any]) -> Key:
    return deployment["metadata"]["namespace"], deployment["metadata"]["name"]


def replicas_of(deployment: Mapping[str, Any], predictor: Mapping[str, Any]) -> int:
    """Return the number of replicas of a predictor."""
    return int(predictor.get("replicas", deployment["spec"].get("replicas", 1)))


def environment_of(predictor: Mapping[str, Any]) -> dict[str, str]:
    """Return the variables of a predictor's `svcOrchSpec.env`."""
    listed = (predictor.get("svcOrchSpec") or {}).get("env") or ()
    return {variable["name"]: str(variable.get("value") or "") for variable in listed}


def endpoint_port(container: Mapping[str, Any], endpoint: Mapping[str, Any], transport: str) -> int:
    """Return the port for requests of a transport (rest, grpc)."""
    name = "grpc" if transport == "grpc" else "http"
    for port in container.get("ports") or ():
        if port.get("name") == name:
            return int(port["containerPort"])
    return int(endpoint.get(f"{name}Port") or endpoint.get("service_port") or DEFAULT_PORTS[name])


def deployment_name(name: str, predictor: str, number: int, containers: list[dict[str, Any]]) -> str:
    """Return the operator's name for a Deployment: deployment, predictor, number of the component, containers.

    One that is too long for a label is hashed, as the operator does (GetDeploymentName of 1.17.1).
    """
    whole = "-".join([name, predictor, str(number), *(container["name"] for container in containers)])
    if len(whole) <= MOST_OF_A_LABEL:
        return whole
    return f"seldon-{hashlib.md5(whole.encode(), usedforsecurity=False).hexdigest()}"


def _verdict(made: dict[str, Any]) -> ConditionState:
    current = (made.get("status") or {}).get("observedGeneration") == made["metadata"]["generation"]
    if current and is_ready(made, "Available"):
        return TRUE
    progressing = condition_of(made, "Progressing")
    if current and progressing.get("status") == "False":
        return fails("DeploymentFailed", progressing.get("message", ""))
    return unknown("Deploying", condition_of(made, "Available").get("message") or "waiting for pods")


def _traffic(predictor: Mapping[str, Any]) -> int:
    """Return the traffic of a predictor, in hundredths; 0 where it says none."""
    return int(predictor.get("traffic") or 0)


def _worst(verdicts: list[ConditionState]) -> ConditionState:
    for status in (False, None):
        for verdict in verdicts:
            if verdict.status is status:
                return verdict
    return TRUE
