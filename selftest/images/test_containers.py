"""The images built and run by a real Docker engine, as a cluster runs them: no rights, nothing to write to.

Needs an engine, and a base image that it has already: $TOUCHSTONE_BASE_IMAGE names it (for the suite's own image also
$TOUCHSTONE_KUBECTL_IMAGE). Nothing is ever pulled. Packages come from where pip's environment says.
"""

import base64
import json
import os
import shutil
import socket
import subprocess
import tomllib
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from fixtures.targets.images import build, context_of
from fixtures.waiting import wait_until
from selftest.fixtures.helpers import free_port

ROOT = Path(__file__).resolve().parents[2]
PIPELINES = ROOT / "manifests" / "pipelines"
DOCKER = shutil.which("docker") or ""
CONFINED = ["--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--memory=512m", "--pull=never"]
# As OpenShift assigns them: a user that the image does not know, of the group that is root's.
STRANGER = "1000650000:0"

pytestmark = pytest.mark.timeout(900)

Start = Callable[..., str]


def docker(*words: str, check: bool = True, within: float = 60.0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([DOCKER, *words], capture_output=True, text=True, check=False, timeout=within)
    assert done.returncode == 0 or not check, f"docker {' '.join(words)}: {done.stderr}"
    return done


def has(image: str) -> bool:
    return docker("image", "inspect", image, check=False).returncode == 0


@pytest.fixture(scope="module")
def builder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a `docker` that builds on the host's network, as an engine without a bridge needs it."""
    base = os.environ.get("TOUCHSTONE_BASE_IMAGE")
    if not base:
        pytest.skip("TOUCHSTONE_BASE_IMAGE names no base image; none is pulled here")
    if not DOCKER or docker("version", check=False).returncode:
        pytest.skip("no Docker engine answers")
    if not has(base):
        pytest.skip(f"the engine has no image {base}, and none is pulled here")
    if docker("build", "--secret=id=none,src=/dev/null", "--help", check=False).returncode:
        pytest.skip("this Docker client cannot build with BuildKit (docker-buildx-plugin is missing)")
    program = tmp_path_factory.mktemp("docker") / "docker"
    kubectl = os.environ.get("TOUCHSTONE_KUBECTL_IMAGE", "")
    words = f'{DOCKER} build --network=host --build-arg=KUBECTL={kubectl} "$@"'
    program.write_text(f'#!/bin/sh\n[ "$1" = build ] || exec {DOCKER} "$@"\nshift\nexec {words}\n')
    program.chmod(0o755)
    return program


@pytest.fixture(scope="module")
def image(builder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], str]]:
    """Build an image, once, by the code that builds it for kind; its reference."""
    tag = f"selftest-{uuid.uuid4().hex[:8]}"
    built: dict[str, str] = {}

    def made(name: str) -> str:
        if name not in built:
            reference = f"touchstone/{name}:{tag}"
            build(builder, name, reference, tmp_path_factory.mktemp("build") / "build.log")
            built[name] = reference
        return built[name]

    yield made
    for reference in built.values():
        docker("image", "rm", "--force", reference)


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a container without any rights, on the host's network; its name."""
    names: list[str] = []

    def started(reference: str, *words: str, options: Sequence[str] = (), user: str | None = None) -> str:
        name = f"touchstone-selftest-{uuid.uuid4().hex[:8]}"
        names.append(name)
        confined = [*CONFINED, *([f"--user={user}"] if user else [])]
        docker("run", "--detach", "--network=host", f"--name={name}", *confined, *options, reference, *words)
        return name

    yield started
    for name in names:
        docker("rm", "--force", name)


def ready(url: str, container: str) -> None:
    def answers() -> bool:
        state = json.loads(docker("inspect", "--format={{json .State}}", container).stdout)
        logs = docker("logs", container, check=False)
        assert state["Running"], f"{container} ended with {state['ExitCode']}:\n{logs.stdout}{logs.stderr}"
        return httpx.get(url, timeout=2.0).is_success

    wait_until(answers, 60.0, f"{url} to answer", passing=(httpx.HTTPError,))


def stops_in_time(container: str) -> int:
    """Ask a container to end, as the kubelet does; its exit code, 137 when it had to be killed."""
    docker("stop", "--time=15", container)
    return int(docker("inspect", "--format={{.State.ExitCode}}", container).stdout)


@pytest.mark.parametrize("name", ["mnist-predictor", "msg-transformer", "open-inference", "serving", "probe"])
def test_an_image_says_what_image_toml_says_and_holds_no_leftovers(image: Callable[[str], str], name: str) -> None:
    reference = image(name)
    config = json.loads(docker("image", "inspect", "--format={{json .Config}}", reference).stdout)
    described = tomllib.loads((ROOT / "images" / name / "image.toml").read_text())
    assert config["Entrypoint"] == described["command"]
    assert config["User"] == "65532:65532"
    words = [config["WorkingDir"], "(", "-name", "__pycache__", "-o", "-name", "mutants", "-o", "-name", "*.toml", ")"]
    listed = docker("run", "--rm", "--network=none", *CONFINED, "--entrypoint=find", reference, *words)
    assert listed.stdout == ""


@pytest.mark.parametrize("user", [None, STRANGER], ids=["its own user", "a user that it does not know"])
def test_transformer_and_predictor_read_the_documented_digit(
    image: Callable[[str], str], start: Start, user: str | None
) -> None:
    ports = [free_port() for _ in range(4)]
    # What KServe's controller makes of the manifests: no arguments for a custom predictor, but the port is taken here.
    predictor = start(image("mnist-predictor"), f"--http_port={ports[0]}", f"--grpc_port={ports[1]}", user=user)
    transformer = start(
        image("msg-transformer"),
        *("-m", "model", "--model_name", "mnist", "--predictor_host", f"127.0.0.1:{ports[0]}"),
        *("--http_port", str(ports[2]), "--grpc_port", str(ports[3])),
        options=[
            "--entrypoint=python",
            "--env=KAFKA_BOOTSTRAP_SERVERS=127.0.0.1:9",
            "--env=KAFKA_TOPIC=test-topic",
            "--env=REQUEST_TRACE_KEY=test-trace-id",
        ],
        user=user,
    )
    ready(f"http://127.0.0.1:{ports[0]}/v2/health/ready", predictor)
    ready(f"http://127.0.0.1:{ports[2]}/v2/health/ready", transformer)
    # Without a trace id nothing is published: there is no Kafka here.
    request: dict[str, Any] = json.loads((PIPELINES / "async-mnist" / "requests" / "mnist-input.json").read_text())
    assert base64.b64decode(request["instances"][0]["data"])
    answer = httpx.post(f"http://127.0.0.1:{ports[2]}/v1/models/mnist:predict", json=request, timeout=20.0)
    assert (answer.status_code, answer.json()) == (200, {"predictions": [2]})
    assert stops_in_time(transformer) == 0
    assert stops_in_time(predictor) == 0


def test_the_model_server_answers_like_tensorflow_serving(image: Callable[[str], str], start: Start) -> None:
    rest, rpc = free_port(), free_port()
    server = start(
        image("serving"),
        *(f"--port={rpc}", f"--rest_api_port={rest}", "--model_name=resnet32"),
        *("--model_base_path=gs://seldon-models/tfserving/cifar10/resnet32", "--enable_batching"),
    )
    ready(f"http://127.0.0.1:{rest}/v1/models/resnet32", server)
    picture = (PIPELINES / "seldon-cifar10" / "requests" / "one-picture.json").read_bytes()
    answer = httpx.post(f"http://127.0.0.1:{rest}/v1/models/resnet32:predict", content=picture, timeout=20.0)
    assert answer.status_code == 200
    (probabilities,) = answer.json()["predictions"]
    assert sum(probabilities) == pytest.approx(1.0)
    with socket.create_connection(("127.0.0.1", rpc), timeout=5.0):
        pass
    assert stops_in_time(server) == 0


def test_the_probe_is_ready_and_keeps_its_history_on_a_volume(image: Callable[[str], str], start: Start) -> None:
    control = free_port()
    probe = start(
        image("probe"),
        *("--history=/history/history.ndjson", "--resume", f"--listen=127.0.0.1:{control}", "--sinks=127.0.0.1:0"),
        options=["--tmpfs=/history:mode=1777", "--env=TOUCHSTONE_TOKEN=of-this-test"],
        user=STRANGER,
    )
    ready(f"http://127.0.0.1:{control}/healthz", probe)
    assert stops_in_time(probe) == 0


@pytest.fixture
def suite_image(image: Callable[[str], str]) -> str:
    kubectl = os.environ.get("TOUCHSTONE_KUBECTL_IMAGE")
    if not kubectl or not has(kubectl):
        pytest.skip("TOUCHSTONE_KUBECTL_IMAGE names no image with kubectl that the engine has; none is pulled here")
    return image("suite")


def test_the_suites_image_holds_the_suite_and_renders_the_overlays(suite_image: str) -> None:
    run = ["run", "--rm", "--network=none", *CONFINED, "--tmpfs=/tmp", "--tmpfs=/results:mode=1777"]
    told = docker(*run, suite_image, "--print-role").stdout
    assert (ROOT / "manifests" / "certification" / "30-role.yaml").read_text() in told
    overlay = "manifests/pipelines/async-mnist/overlays/cluster"
    here = docker(*run, "--entrypoint=kubectl", suite_image, "kustomize", overlay).stdout
    assert "touchstone/msg-transformer" in here
    for wrong in ("--no-such-option", "--kind-name=x"):
        assert docker(*run, suite_image, wrong, check=False).returncode == 3


def test_every_image_is_built_from_its_own_context() -> None:
    assert {name: context_of(name) for name in ("probe", "suite")} == {"probe": ROOT, "suite": ROOT}
    assert context_of("serving") == ROOT / "images" / "serving"
