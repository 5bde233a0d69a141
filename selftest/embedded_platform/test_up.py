"""`python -m embedded up` as a whole, black-box: a process, the real kubectl, curl-like requests, and its end."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from selftest.platforms import api_client
from selftest.warm.running import Running, run

ROOT = Path(__file__).resolve().parents[2]
ECHO = """
import http.server, json, sys
class Echo(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
        answer = json.dumps({"path": self.path, "body": body, "headers": dict(self.headers)}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)
        print("asked", self.path, flush=True)
http.server.HTTPServer(("", 8080), Echo).serve_forever()
"""
CONFIG = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "kafka-broker-config", "namespace": "knative-eventing"},
    "data": {
        "default.topic.partitions": "2",
        "default.topic.replication.factor": "1",
        "bootstrap.servers": "kafka.database.svc.cluster.local:9092",
    },
}
BROKER = {
    "apiVersion": "eventing.knative.dev/v1",
    "kind": "Broker",
    "metadata": {
        "name": "broker",
        "namespace": "kserve-test",
        "annotations": {"eventing.knative.dev/broker.class": "Kafka"},
    },
    "spec": {
        "config": {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "name": "kafka-broker-config",
            "namespace": "knative-eventing",
        }
    },
}
TRIGGER = {
    "apiVersion": "eventing.knative.dev/v1",
    "kind": "Trigger",
    "metadata": {"name": "trigger", "namespace": "kserve-test"},
    "spec": {
        "broker": "broker",
        "subscriber": {"uri": "http://echo.kserve-test.svc.cluster.local/v1/models/echo:predict"},
    },
}
SERVICE = {
    "apiVersion": "serving.kserve.io/v1beta1",
    "kind": "InferenceService",
    "metadata": {"name": "echo", "namespace": "kserve-test"},
    "spec": {"predictor": {"containers": [{"name": "kserve-container", "image": "somewhere/echo:1"}]}},
}
kubectl_needed = pytest.mark.skipif(shutil.which("kubectl") is None, reason="needs kubectl")


class Up:
    """A platform process."""

    process: "Running | subprocess.Popen[bytes]"

    def __init__(self, workshop: Any, folder: Path, *options: str, eof: bool = False, imports: bool = False) -> None:
        self.info_file, self.log = folder / "info.json", folder / "log"
        arguments = ["--info", str(self.info_file), "--state", str(folder / "state"), *options]
        arguments += ["--images", str(folder / "images"), "--cache", str(folder / "cache")]
        command = [sys.executable, "-m", "embedded", "up", *arguments, *(["--until-eof"] if eof else [])]
        if imports:  # they take most of a start
            with self.log.open("wb") as log:
                self.process = subprocess.Popen(
                    command, cwd=ROOT, stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True
                )
        else:
            self.process = Running(command, cwd=ROOT, output=folder / "output", errors=self.log, leader=True)
        self.workshop = workshop

    def info(self) -> dict[str, Any]:
        """Return what it wrote once it was up."""
        wait_for(lambda: self.info_file.exists() or self.process.poll() is not None, self.log)
        assert self.info_file.exists(), self.log.read_text()
        found: dict[str, Any] = json.loads(self.info_file.read_text())
        return found

    def ended(self) -> int:
        """Its exit status."""
        return self.process.wait(15)


def wait_for(check: Callable[[], Any], log: Path, within: float = 60.0) -> None:
    deadline = time.monotonic() + within
    while not check():
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.02)


@pytest.fixture
def up(workshop: Any, tmp_path: Path) -> Iterator[Callable[..., Up]]:
    """Start platforms that have one image, `echo`."""
    workshop.image("echo", ECHO, "readiness = { port = 8080 }")
    started: list[Up] = []

    def start(*options: str, eof: bool = False, name: str = "", imports: bool = False) -> Up:
        folder = tmp_path / name if name else tmp_path
        folder.mkdir(exist_ok=True)
        if name:
            for shared in ("images", "cache"):
                (folder / shared).symlink_to(tmp_path / shared)
        started.append(Up(workshop, folder, *options, eof=eof, imports=imports))
        return started[-1]

    yield start
    for platform in started:
        if platform.process.stdin:
            platform.process.stdin.close()
        platform.process.kill()
        platform.process.wait()


def kubectl(info: dict[str, Any], *arguments: str, given: Any = None, fails: bool = False) -> str:
    ran = subprocess.run(
        ["kubectl", *arguments],
        env={**os.environ, "KUBECONFIG": info["kubeconfig"]},
        input=None if given is None else json.dumps(given),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (ran.returncode != 0) is fails, ran.stderr
    return ran.stderr if fails else ran.stdout


def apply(info: dict[str, Any], *objects: Any) -> None:
    kubectl(info, "apply", "-f", "-", given={"apiVersion": "v1", "kind": "List", "items": list(objects)})


def in_session(session: int) -> list[int]:
    """Return the processes of a session that still run, without zombies."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            found.append(int(stat.parent.name))
    return found


def containers(folder: Path) -> list[int]:
    """Return the processes that run the image's code."""
    found = []
    for cmdline in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if str(folder) in str((cmdline.parent / "cwd").readlink()):
                found.append(int(cmdline.parent.name))
        except OSError:
            continue
    return found


def listening(url: str) -> bool:
    host, _, port = url.rpartition("//")[2].partition("/")[0].rpartition(":")
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, int(port))) == 0


def urls(info: dict[str, Any]) -> list[str]:
    return [info["api"], info["brokerIngress"], info["inferenceIngress"], info["resolver"], info["kafka"]["bootstrap"]]


KEEPER = """
import http.server, os, pathlib, sys
lines = pathlib.Path(sys.argv[1])
lines.open("a").write("run\\n")
class Keeper(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        given = self.headers.get("x-token") == pathlib.Path(sys.argv[2]).read_text() == os.environ["GIVEN"]
        answer = f"{os.getpid()} {given} {lines.read_text().count('run')}".encode()
        self.send_response(200)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)
print("run of", os.getpid(), flush=True)
http.server.HTTPServer(("", 8080), Keeper).serve_forever()
"""


@kubectl_needed
def test_pod_with_a_secret_and_a_history_is_reached_through_the_api(up: Any, workshop: Any, tmp_path: Path) -> None:
    """As a probe lives in a cluster: told by a Secret, killed and back with its files, gone with its Deployment."""
    workshop.image("keeper", KEEPER)
    info = up().info()
    metadata = {"name": "keeper", "namespace": "kserve-test"}
    container = {
        "name": "keeper",
        "image": "registry.example/keeper:1",
        "args": ["/history/lines", "/etc/keeper/token"],
        "env": [{"name": "GIVEN", "valueFrom": {"secretKeyRef": {"name": "keeper", "key": "token"}}}],
        "ports": [{"name": "control", "containerPort": 8080}],
        "readinessProbe": {"httpGet": {"path": "/", "port": "control"}},
        "volumeMounts": [{"name": "h", "mountPath": "/history"}, {"name": "s", "mountPath": "/etc/keeper"}],
    }
    volumes = [{"name": "h", "emptyDir": {}}, {"name": "s", "secret": {"secretName": "keeper"}}]
    labels = {"app": "keeper"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container], "volumes": volumes}}
    apply(
        info,
        {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"token": "hush"}},
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": metadata,
            "spec": {"selector": labels, "ports": [{"name": "web", "port": 80, "targetPort": "control"}]},
        },
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": metadata,
            "spec": {"selector": {"matchLabels": labels}, "template": template},
        },
    )
    kept = ("-n", "kserve-test")
    kubectl(info, *kept, "wait", "--for=condition=Available", "deployment/keeper", "--timeout=20s")
    url = "/api/v1/namespaces/kserve-test/services/http:keeper:web/proxy/"

    with api_client(info) as api:

        def asked() -> list[str]:
            return api.get(url, headers={"X-Token": "hush"}).text.split()

        pid, *rest = asked()
        assert rest == ["True", "1"]
        assert [path.read_text() for path in tmp_path.glob("state/volumes/*/s/token")] == ["hush"]
        os.kill(int(pid), signal.SIGKILL)
        wait_for(lambda: asked()[1:] == ["True", "2"], up_log(info))
        pod = kubectl(info, *kept, "get", "pods", "-o", "name").strip()
        assert kubectl(info, *kept, "logs", pod, "--previous").startswith(f"run of {pid}\n")
        assert "Back-off restarting failed container keeper" in kubectl(info, *kept, "describe", pod)
        kubectl(info, *kept, "delete", "deployment", "keeper")
        # Only the folder of the volumes is listed: one that goes away while its own files are read is no error here.
        wait_for(lambda: not list(tmp_path.glob("state/volumes/*")), up_log(info))
        assert api.get(url).json()["message"] == 'no endpoints available for service "http:keeper:web"'


def up_log(info: dict[str, Any]) -> Path:
    return Path(info["kubeconfig"]).parents[1] / "log"


@kubectl_needed
def test_platform_describes_itself_to_who_has_a_kubeconfig_alone(up: Any) -> None:
    info = up().info()
    told = kubectl(
        info, "-n", "kube-public", "get", "cm", "touchstone-platform", "-o", "jsonpath={.data.platform\\.json}"
    )
    described = json.loads(told)
    assert described["versions"] == info["versions"]
    assert described["resolver"] == info["resolver"]
    assert described["adminToken"] == info["adminToken"]
    assert described["kafka"] == {
        "kind": "mock",
        "version": info["kafka"]["version"],
        "topics": info["kafka"]["topics"],
        "bootstrap": "kafka.database.svc.cluster.local:9092",
    }
    nodes = kubectl(info, "get", "nodes", "--no-headers").split()
    assert nodes[0] == "touchstone"


@kubectl_needed
def test_event_goes_through_broker_trigger_and_inference_service(up: Any) -> None:
    platform = up()
    info = platform.info()
    apply(info, CONFIG, BROKER, TRIGGER, SERVICE)
    namespaced = ("-n", "kserve-test")
    kubectl(
        info,
        *namespaced,
        "wait",
        "--for=condition=Ready",
        "broker/broker",
        "trigger/trigger",
        "isvc/echo",
        "--timeout=20s",
    )
    host = kubectl(info, *namespaced, "get", "isvc", "echo", "-o", "jsonpath={.status.url}").removeprefix("http://")
    port = kubectl(
        info, "-n", "istio-system", "get", "service", "istio-ingressgateway",
        "-o", 'jsonpath={.spec.ports[?(@.name=="http2")].nodePort}',
    )  # fmt: skip
    answer = httpx.post(
        f"http://127.0.0.1:{port}/v1/models/echo:predict", headers={"Host": host}, content=b"direct"
    ).json()
    assert answer["body"] == "direct"
    assert answer["headers"]["Host"] == "echo-predictor.kserve-test.svc.cluster.local"
    assert answer["headers"]["KServe-Isvc-Name"] == "echo"
    unknown = httpx.post(f"{info['inferenceIngress']}/", headers={"Host": "nobody.example.com"})
    assert unknown.status_code == 404

    port = kubectl(
        info, "-n", "knative-eventing", "get", "service", "kafka-broker-ingress",
        "-o", 'jsonpath={.spec.ports[?(@.name=="http-container")].nodePort}',
    )  # fmt: skip
    event = {"Ce-Id": "1", "Ce-Specversion": "1.0", "Ce-Type": "t", "Ce-Source": "s"}
    url = f"http://127.0.0.1:{port}/kserve-test/broker"
    assert httpx.post(url, headers=event, content=b"by broker").status_code == 202
    selector = "serving.kserve.io/inferenceservice=echo"
    wait_for(
        lambda: kubectl(info, *namespaced, "logs", "-l", selector).count("asked /v1/models/echo:predict\n") == 2,
        platform.log,
    )

    kubectl(info, *namespaced, "delete", "isvc/echo", "trigger/trigger", "broker/broker", "--timeout=20s")
    assert kubectl(info, *namespaced, "get", "pods,broker,trigger,isvc") == ""
    assert httpx.post(url, headers=event).status_code == 404


@kubectl_needed
def test_refusals_reach_the_person(up: Any) -> None:
    info = up().info()
    wrong = {**TRIGGER, "spec": {**TRIGGER["spec"], "delivery": {"retry": -1}}}  # type: ignore[dict-item]  # JSON
    said = kubectl(info, "apply", "-f", "-", given=wrong, fails=True)
    assert "validation failed: invalid value: -1: spec.delivery.retry" in said


def test_names_are_resolved_and_topics_made(up: Any) -> None:
    info = up().info()
    with httpx.Client(headers={"Authorization": f"Bearer {info['adminToken']}"}) as client:
        asked = {"host": "kafka.database.svc.cluster.local", "port": "9092"}
        found = client.get(info["resolver"], params=asked).json()
        assert f"{found['host']}:{found['port']}" == info["kafka"]["bootstrap"]
        assert client.get(info["resolver"], params={**asked, "host": "no.database.svc"}).status_code == 404
        assert client.get(info["resolver"], params={"host": "x", "port": "y"}).status_code == 400
        topic = {"name": "made", "partitions": 3}
        assert [client.post(info["kafka"]["topics"], json=topic).status_code for _ in range(2)] == [201, 200]
        assert client.post(info["kafka"]["topics"], json={"name": "made", "partitions": 0}).status_code == 400


@pytest.mark.parametrize("end", ["SIGTERM", "SIGINT", "end of input"])
def test_platform_ends_clean(up: Any, end: str) -> None:
    platform = up(eof=True)
    info = platform.info()
    if end == "end of input":
        platform.process.stdin.close()
    else:
        platform.process.send_signal(signal.Signals[end])
    assert platform.ended() == 0
    assert in_session(platform.process.pid) == []
    assert not any(map(listening, urls(info)))
    assert not platform.info_file.exists()


@kubectl_needed
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_outlives_the_platform(up: Any, number: signal.Signals, tmp_path: Path) -> None:
    platform = up()
    info = platform.info()
    apply(info, SERVICE)
    kubectl(info, "-n", "kserve-test", "wait", "--for=condition=Ready", "isvc/echo", "--timeout=20s")
    assert containers(tmp_path / "images")
    platform.process.send_signal(number)
    platform.process.wait(15)
    wait_for(lambda: not containers(tmp_path / "images") and not any(map(listening, urls(info))), platform.log)


def test_cut_off_at_start_it_leaves_nothing(up: Any) -> None:
    for delay in (0.2, 0.5, 0.7):
        platform = up(name=f"cut-{delay}", imports=True)
        with pytest.raises(subprocess.TimeoutExpired):
            platform.process.wait(delay)
        platform.process.send_signal(signal.SIGTERM)
        assert platform.ended() in {0, -signal.SIGTERM}, platform.log.read_text()
        assert in_session(platform.process.pid) == []


def test_taken_port_is_named_with_the_option_that_helps(up: Any) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        options = ("--api-port", "--broker-port", "--inference-port", "--resolver-port")
        for option, platform in [(option, up(option, port, name=option.strip("-"))) for option in options]:
            assert platform.ended() == 2
            assert f"error: cannot listen on 127.0.0.1:{port}" in platform.log.read_text()
            assert f"Choose another one with {option}" in platform.log.read_text()
            assert in_session(platform.process.pid) == []


@kubectl_needed
def test_two_platforms_do_not_disturb_each_other(up: Any) -> None:
    infos = [up(name=name).info() for name in ("one", "two")]
    addresses = set()
    for info in infos:
        apply(info, SERVICE)
    for info in infos:
        kubectl(info, "-n", "kserve-test", "wait", "--for=condition=Ready", "isvc/echo", "--timeout=20s")
        address = kubectl(info, "-n", "kserve-test", "get", "pods", "-o", "jsonpath={.items[0].status.podIP}")
        addresses.add(address.rpartition(".")[0].rpartition(".")[0])
    assert len(addresses) == 2


def test_wrong_usage_is_status_3() -> None:
    ran = run([sys.executable, "-m", "embedded", "up", "--nonsense"])
    assert ran.returncode == 3
    assert "usage:" in ran.stderr


def test_mutants_of_the_whole_platform_apply_together(up: Any) -> None:
    platform = up("--mutant", "unknown-broker-accepted", "--mutant", "any-method-accepted")
    url = f"{platform.info()['brokerIngress']}/nobody/nothing"
    assert httpx.put(url).status_code == 202
    assert "every namespace has the mutants unknown-broker-accepted, any-method-accepted" in platform.log.read_text()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param(["--mutant", "adress-missing"], "did you mean address-missing", id="unknown"),
        pytest.param(["--mutant", "trace-cross-talk", "--mutant", "trace-dropped"], "exclude each", id="conflict"),
    ],
)
def test_mutants_that_cannot_be_had_are_wrong_usage(tmp_path: Path, options: list[str], message: str) -> None:
    ran = run([sys.executable, "-m", "embedded", "up", "--state", str(tmp_path / "state"), *options])
    assert ran.returncode == 3
    assert message in ran.stderr
    assert "Traceback" not in ran.stderr
    assert not (tmp_path / "state").exists()


def test_mutants_are_listed() -> None:
    ran = run([sys.executable, "-m", "embedded", "mutants"])
    assert ran.returncode == 0
    host, hosts = "", dict[str, list[str]]()
    for line in ran.stdout.splitlines():
        if line.startswith("  "):
            hosts[host].append(line.split()[0])
        else:
            host = line.removesuffix(":")
            hosts[host] = []
    assert "address-missing" in hosts["control plane"]
    assert "reply-on-202" in hosts["data plane"]
    assert "commits-before-answer" in hosts["streams"]
    assert "batch-answers-rotated" in hosts["agents"]
    assert len(hosts) == 4
