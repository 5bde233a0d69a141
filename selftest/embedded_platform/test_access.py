"""Who gets in: every listener of the platform and of the probe, every kind of stranger, and where the tokens are."""

import http.client
import json
import os
import shutil
import ssl
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from fixtures.probe.callers import TOKEN_HEADER
from fixtures.probe_control.local import LocalProbe
from fixtures.targets.base import TargetInfo
from selftest import platforms
from selftest.warm.running import WarmChild

pytestmark = pytest.mark.timeout(180)

PODS = "/api/v1/namespaces/default/pods"
POD = json.dumps({"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}]}}).encode()
JSON = {"Content-Type": "application/json"}
UNAUTHORIZED = {
    "kind": "Status",
    "apiVersion": "v1",
    "metadata": {},
    "status": "Failure",
    "message": "Unauthorized",
    "reason": "Unauthorized",
    "code": 401,
}
Headers = tuple[tuple[str, str | bytes], ...]


@dataclass(frozen=True)
class Place:
    """A platform and a probe beside it, in a folder that everybody may enter.

    Attributes:
        folder: The folder.
        info: What the platform says of itself.
        probe: The probe.
        api_token: The token in the kubeconfig.
    """

    folder: Path
    info: Mapping[str, Any]
    probe: LocalProbe
    api_token: str

    @property
    def tokens(self) -> dict[str, str]:
        """The right token of each listener."""
        return {
            "api": self.api_token,
            "resolver": self.info["adminToken"],
            "topics": self.info["adminToken"],
            "probe": self.probe.token,
        }

    def url(self, listener: str) -> str:
        """Return the base URL of a listener."""
        sinks = json.loads((self.folder / "probe.json").read_text())["sinks"]
        urls = {"topics": self.info["kafka"]["topics"], "probe": self.probe.url, "sinks": sinks}
        return str(urls.get(listener) or self.info[listener])

    def ask(self, listener: str, method: str, path: str, headers: Headers, body: bytes = b"") -> tuple[int, bytes]:
        """Send a request with exactly these headers, Host aside where they have none; returns status and body."""
        parts = urlsplit(self.url(listener))
        trust = ssl._create_unverified_context()  # noqa: S323 - as `curl -k`
        connection: http.client.HTTPConnection
        if parts.scheme == "https":
            connection = http.client.HTTPSConnection(parts.hostname or "", parts.port, timeout=10, context=trust)
        else:
            connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
        given = headers if any(name == "Host" for name, _ in headers) else (("Host", parts.netloc), *headers)
        connection.putrequest(method, parts.path + path, skip_host=True, skip_accept_encoding=True)
        for name, value in (*given, ("Content-Length", str(len(body)))):
            connection.putheader(name, value)
        connection.endheaders(body)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, content


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    """Everything that listens, up."""
    with tempfile.TemporaryDirectory(prefix="touchstone-access-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # what is in it must protect itself
        with platforms.platform(folder) as info:
            probe = LocalProbe(folder, folder / "history.ndjson", WarmChild)
            given = {"kafka": info["kafka"], "resolver": info["resolver"], "admin_token": info["adminToken"]}
            try:
                probe.start(TargetInfo("embedded", **given))
                token = yaml.safe_load(Path(info["kubeconfig"]).read_text())["users"][0]["user"]["token"]
                yield Place(folder, info, probe, token)
            finally:
                probe.stop()


def credentials(listener: str, token: str) -> Headers:
    """Return the header that shows a token to a listener."""
    return ((TOKEN_HEADER, token),) if listener == "probe" else (("Authorization", f"Bearer {token}"),)


# (listener, method, path, body): what a listener does for those whom it knows, with 200 or 201.
REQUESTS: dict[str, tuple[str, str, str, bytes]] = {
    "list-pods": ("api", "GET", PODS, b""),
    "create-a-pod": ("api", "POST", f"{PODS}?dryRun=All", POD),
    "list-secrets": ("api", "GET", "/api/v1/secrets", b""),
    "watch": ("api", "GET", f"{PODS}?watch=1&timeoutSeconds=1", b""),
    "discovery": ("api", "GET", "/apis", b""),
    "openapi": ("api", "GET", "/openapi/v3", b""),
    "version": ("api", "GET", "/version", b""),
    "healthz": ("api", "GET", "/healthz", b""),
    "readyz": ("api", "GET", "/readyz", b""),
    "resolve": ("resolver", "GET", "?host=kafka.database.svc&port=9092", b""),
    "create-a-topic": ("topics", "POST", "", b'{"name": "made"}'),
    "read-a-history": ("probe", "GET", "/v1/health", b""),
    "send": ("probe", "POST", "/v1/send", b'{"scope": "s", "requests": []}'),
}
# What a stranger sends instead of the right header; `{token}` is the right token.
STRANGERS: dict[str, Headers] = {
    "nothing": (),
    "empty": (("Authorization", ""), (TOKEN_HEADER, "")),
    "no-token": (("Authorization", "Bearer"), (TOKEN_HEADER, " ")),
    "wrong": (("Authorization", "Bearer wrong"), (TOKEN_HEADER, "wrong")),
    "part-of-it": (("Authorization", "Bearer {token:.20}"), (TOKEN_HEADER, "{token:.20}")),
    "more-than-it": (("Authorization", "Bearer {token} {token}"), (TOKEN_HEADER, "{token}{token}")),
    "other-scheme": (("Authorization", "Basic {token}"), ("X-Token", "{token}")),
    "no-scheme": (("Authorization", "{token}"), (f"{TOKEN_HEADER}-2", "{token}")),
    "binary": (("Authorization", b"Bearer \xff\xfe"), (TOKEN_HEADER, b"\xff\xfe")),
    "long": (("Authorization", f"Bearer {'a' * 8000}"), (TOKEN_HEADER, "a" * 8000)),
    "right-and-wrong": (
        ("Authorization", "Bearer {token}"),
        ("Authorization", "Bearer wrong"),
        (TOKEN_HEADER, "{token}"),
        (TOKEN_HEADER, "wrong"),
    ),
}


def filled(headers: Headers, token: str) -> Headers:
    """Headers with the right token put in."""
    return tuple((name, value.format(token=token) if isinstance(value, str) else value) for name, value in headers)


@pytest.mark.parametrize("name", REQUESTS)
def test_who_has_the_token_gets_in(place: Place, name: str) -> None:
    listener, method, path, body = REQUESTS[name]
    headers = (*credentials(listener, place.tokens[listener]), *JSON.items())
    assert place.ask(listener, method, path, headers, body)[0] in {200, 201}


@pytest.mark.parametrize("stranger", STRANGERS)
@pytest.mark.parametrize("name", REQUESTS)
def test_who_has_no_token_does_not(place: Place, name: str, stranger: str) -> None:
    listener, method, path, body = REQUESTS[name]
    headers = filled(STRANGERS[stranger], place.tokens[listener])
    status, said = place.ask(listener, method, path, (*headers, *JSON.items()), body)
    assert status == 401
    if listener != "probe":
        assert json.loads(said) == UNAUTHORIZED
    assert not [token for token in place.tokens.values() if token.encode() in said]


@pytest.mark.parametrize("name", REQUESTS)
def test_a_token_in_the_url_is_none(place: Place, name: str) -> None:
    listener, method, path, body = REQUESTS[name]
    token = place.tokens[listener]
    path += f"{'&' if '?' in path else '?'}token={token}&access_token={token}&{TOKEN_HEADER}={token}"
    assert place.ask(listener, method, path, tuple(JSON.items()), body)[0] == 401


@pytest.mark.parametrize("name", REQUESTS)
def test_a_token_opens_its_own_door_only(place: Place, name: str) -> None:
    listener, method, path, body = REQUESTS[name]
    others = {token for token in place.tokens.values() if token != place.tokens[listener]}
    assert len(others) == 2
    for token in others:
        headers = (*credentials(listener, token), *JSON.items())
        assert place.ask(listener, method, path, headers, body)[0] == 401


@pytest.mark.parametrize(
    "sender",
    [
        pytest.param((("Host", "evil.example"),), id="a-name-that-leads-here"),
        pytest.param((("Host", "127.0.0.1.evil.example"),), id="a-name-that-begins-alike"),
        pytest.param((("Host", "10.0.0.1:6443"),), id="another-address"),
        pytest.param((("Host", ""),), id="no-name"),
        pytest.param((("Origin", "http://evil.example"),), id="a-web-page"),
        pytest.param((("Origin", "null"),), id="a-web-page-of-a-file"),
        pytest.param((("Origin", "http://127.0.0.1"),), id="a-web-page-of-this-machine"),
    ],
)
@pytest.mark.parametrize("name", [*REQUESTS, "healthz-of-the-probe"])
def test_a_web_page_gets_nowhere_even_with_the_token(place: Place, name: str, sender: Headers) -> None:
    listener, method, path, body = {**REQUESTS, "healthz-of-the-probe": ("probe", "GET", "/healthz", b"")}[name]
    headers = (*credentials(listener, place.tokens[listener]), *sender, *JSON.items())
    assert place.ask(listener, method, path, headers, body)[0] == 403


@pytest.mark.parametrize(
    ("listener", "method", "path", "expected"),
    [
        pytest.param("brokerIngress", "POST", "/nowhere/none", 404, id="broker-ingress"),
        pytest.param("inferenceIngress", "GET", "/", 404, id="inference-ingress"),
        pytest.param("sinks", "POST", "/sinks/none/1", 410, id="sinks"),
    ],
)
def test_public_doors_of_the_system_under_test_ask_nobody(
    place: Place, listener: str, method: str, path: str, expected: int
) -> None:
    sender = (("Host", "any.example"), ("Origin", "http://any.example"))
    assert place.ask(listener, method, path, sender)[0] == expected


def as_nobody(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a command as another user of this machine."""
    return subprocess.run(
        command,
        user="nobody",
        group="nogroup",
        extra_groups=[],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


needs_nobody = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("curl") is None, reason="to be another user takes root, and to ask as one, curl"
)


@needs_nobody
@pytest.mark.parametrize(("method", "path"), [("GET", PODS), ("POST", PODS), ("GET", "/api/v1/secrets")])
def test_another_user_of_the_machine_runs_nothing(place: Place, method: str, path: str) -> None:
    command = ["curl", "-ksS", "-X", method, "-H", "Content-Type: application/json", "-d", POD.decode()]
    ran = as_nobody(*command, f"{place.info['api']}{path}")
    assert json.loads(ran.stdout) == UNAUTHORIZED, ran.stderr
    pods = place.ask("api", "GET", PODS, credentials("api", place.api_token))[1]
    assert json.loads(pods)["items"] == []


@needs_nobody
@pytest.mark.parametrize("name", ["info.json", "probe.json", "state/kubeconfig", "state/kafka.log"])
def test_another_user_of_the_machine_reads_nothing(place: Place, name: str) -> None:
    assert (place.folder / name).exists()
    ran = as_nobody("cat", str(place.folder / name))
    assert ran.returncode != 0
    assert ran.stdout == ""
    assert "Permission denied" in ran.stderr
    assert as_nobody("ls", str(place.folder)).returncode == 0, "the folder around them hides nothing"


@pytest.mark.parametrize(
    ("name", "mode"), [("info.json", 0o600), ("probe.json", 0o600), ("state", 0o700), ("state/kubeconfig", 0o600)]
)
def test_files_with_secrets_are_their_owners(place: Place, name: str, mode: int) -> None:
    assert (place.folder / name).stat().st_mode & 0o777 == mode


def test_tokens_are_nowhere_else(place: Place) -> None:
    """Not in a command line, where everybody reads them, and not in a log or the history, which people pass on."""
    with place.probe.client() as client:
        assert client.topic("looked-for", 1), "the probe had to show its tokens"
    place.ask("api", "GET", f"{PODS}?x={'y' * 9000}", credentials("api", place.api_token))
    secret = {token.encode() for token in place.tokens.values()}
    told = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes()
        except OSError:
            continue  # it ended
        told += [line] if any(token in line for token in secret) else []
    assert told == []
    files = [path for path in place.folder.rglob("*") if path.is_file()]
    holding = {
        str(path.relative_to(place.folder)) for path in files if any(token in path.read_bytes() for token in secret)
    }
    assert {"probe.log", "platform.log", "history.ndjson"} <= {path.name for path in files}
    assert holding == {"info.json", "state/kubeconfig"}


def test_noise_of_strangers_stays_out_of_the_log(place: Place) -> None:
    log = place.folder / "platform.log"
    before = log.read_text()
    api = urlsplit(place.url("api"))
    plain = http.client.HTTPConnection("127.0.0.1", api.port, timeout=10)
    plain.request("GET", PODS)
    with pytest.raises((http.client.HTTPException, ConnectionError)):
        plain.getresponse()
    plain.close()
    assert place.ask("api", "GET", "/", (("Authorization", f"Bearer {'a' * 100_000}"),))[0] == 400
    assert place.ask("resolver", "GET", "", (("Authorization", f"Bearer {'a' * 100_000}"),))[0] == 400
    assert place.ask("api", "GET", "/version", credentials("api", place.api_token))[0] == 200
    assert log.read_text() == before
