"""The API server's TLS: what it shows, whom it waits for and for how long, and that connections are used again."""

import base64
import contextlib
import http.client
import logging
import socket
import ssl
import time
from collections.abc import Iterator

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from embedded.api.certificate import Certificate
from selftest.embedded_api.conftest import Api

PATIENCE = 0.5
HANG = 60.0


@pytest.fixture(scope="module")
def impatient() -> Iterator[Api]:
    """Yield a server that waits half a second for everybody."""
    api = Api(handshake=PATIENCE, idle=PATIENCE)
    yield api
    api.stop()


def port(api: Api) -> int:
    return httpx.URL(api.url).port or 0


def expect_closed(connection: socket.socket) -> None:
    """Return once the server closes a connection; fail when it does not, or says something."""
    connection.settimeout(HANG)
    with contextlib.suppress(ConnectionResetError, ssl.SSLError):  # closed without a goodbye
        assert connection.recv(1024) == b""


def test_a_silent_client_is_dropped_before_the_handshake(impatient: Api) -> None:
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", port(impatient))) as connection:
        expect_closed(connection)
    assert time.monotonic() - began > PATIENCE / 2


@pytest.mark.parametrize("said", [b"", b"GET /version HT", b"GET /version HTTP/1.1\r\nHost: 127.0.0.1\r\n"])
def test_a_silent_client_is_dropped_after_the_handshake(impatient: Api, said: bytes) -> None:
    began = time.monotonic()
    with (
        socket.create_connection(("127.0.0.1", port(impatient))) as plain,
        impatient.trust.wrap_socket(plain, server_hostname="127.0.0.1") as connection,
    ):
        if said:
            connection.sendall(said)
        expect_closed(connection)
    assert time.monotonic() - began > PATIENCE / 2


def test_a_client_without_tls_is_dropped_at_once_and_silently(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_connection(("127.0.0.1", port(api))) as connection, caplog.at_level(logging.INFO):
        connection.sendall(b"GET /version HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        expect_closed(connection)
        assert api.client.get("/version").status_code == 200
    assert [
        record for record in caplog.records if record.name.partition(".")[0] in {"asyncio", "embedded", "aiohttp"}
    ] == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_the_kubeconfig_is_all_that_a_client_has_to_trust(api: Api, host: str) -> None:
    cluster = api.server.kubeconfig()["clusters"][0]["cluster"]
    authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
    trust = ssl.create_default_context(cadata=authority)
    with httpx.Client(base_url=cluster["server"].replace("127.0.0.1", host), verify=trust) as client:
        assert client.get("/version").status_code == 401
    with (
        httpx.Client(base_url=cluster["server"]) as client,
        pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY"),
    ):
        client.get("/version")


def test_two_servers_do_not_trust_each_other(api: Api, impatient: Api) -> None:
    with (
        httpx.Client(base_url=api.url, verify=impatient.trust) as client,
        pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY"),
    ):
        client.get("/version")
    assert api.server.token != impatient.server.token


def test_old_tls_is_refused() -> None:
    assert Certificate().context().minimum_version is ssl.TLSVersion.TLSv1_2


def test_the_key_is_elliptic() -> None:
    key = load_pem_private_key(Certificate()._chain, password=None)
    assert isinstance(key, EllipticCurvePrivateKey)
    assert key.curve.name == "secp256r1"


def test_a_connection_is_used_again(api: Api) -> None:
    connection = http.client.HTTPSConnection("127.0.0.1", port(api), context=api.trust, timeout=10)
    sockets = set()
    for path in ("/api/v1/pods", "/nowhere", "/version"):
        for headers, known in (({"Authorization": f"Bearer {api.server.token}"}, True), ({}, False)):
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            answer.read()
            assert (answer.status == 401) is not known
            sockets.add(id(connection.sock))
    connection.close()
    assert len(sockets) == 1
