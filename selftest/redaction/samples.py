"""Texts with secrets, and texts that must stay. To add one, add a line: every output of the suite is tried with it.

All of these secrets are made up. Prefixes of real issuers are joined at run time, so that no
scanner takes this file for a leak.
"""

import base64
import json
from typing import NamedTuple
from urllib.parse import quote


class Sample(NamedTuple):
    """A text, and the parts of it that nobody may see."""

    name: str
    text: str
    secrets: tuple[str, ...]


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _sample(name: str, text: str, *secrets: str) -> Sample:
    """Put the first secret into the text's `%S`, and the others into `%T`."""
    filled = text.replace("%S", secrets[0])
    return Sample(name, filled.replace("%T", secrets[-1]), secrets)


_PAYLOAD = "eyJzdWIiOiJ0b3VjaHN0b25lIiwiaWF0IjoxNTE2MjM5MDIyfQ"
_JWT = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9." + _PAYLOAD + ".SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c"
_LINES = ("MIIEowIBAAKCAQEA7bq0fK1xkVzQ8s2u5Yt9", "p3Rr0cWnD4Gm6JhX1yTqLbEoZsIaUvNf8Kd2")
_BEGIN, _END = "-----BEGIN RSA PRIVATE " + "KEY-----", "-----END RSA PRIVATE " + "KEY-----"

_KEY = f"{_BEGIN}\n{_LINES[0]}\n{_LINES[1]}\n{_END}"
_LOGIN = json.dumps({"user": "u", "password": "hunterWw2"})

SECRETS = (
    _sample("jwt", "the token %S was refused", _JWT),
    _sample("jwt-over-two-lines", f"got {_JWT[:90]}\n{_JWT[90:]}\n", _JWT[40:90], _JWT[90:]),
    _sample("bearer", "Authorization: Bearer %S", "mF9oB5f4Jq1M"),
    _sample("bearer-alone", "sent bearer %S to the API", "mF9oB5f4Jq2M"),
    _sample("basic", "using Basic %S", "dXNlcjpodW50ZXIyMzQ="),
    _sample("authorization-folded", "Authorization:\n Bearer %S\n", "mF9oB5f4Jq3M"),
    _sample("database-url", "postgres://bob:%S@db/x", "hunterBb1secret"),
    _sample("http-url", "connecting to https://user:%S@host/path", "hunterCc2secret"),
    _sample("amqp-url-with-slash", "amqp://bob:%S@mq", "hunterDd3/secret"),
    _sample("pem", f"{_BEGIN}\n%S\n%T\n{_END}", *_LINES),
    _sample("pem-cut-at-its-end", f"{_BEGIN}\n%S\n%T", *_LINES),
    _sample("pem-cut-at-its-beginning", f"%S\n%T\n{_END}\nand more", *_LINES),
    _sample("pem-in-json", f'{{"key": "{_BEGIN}\\n%S\\n%T\\n{_END}\\n"}}', *_LINES),
    _sample("pem-in-base64", _base64(_KEY), _base64(_KEY)[60:100]),
    _sample("aws-key-id", "the key %S is unknown", "AKIA" + "IOSFODNN7EXAMPLE"),
    _sample("aws-pair", "AKIA" + "IOSFODNN7EXAMPLF:%S", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
    _sample("aws-secret", "AWS_SECRET_ACCESS_KEY=%S", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEZ"),
    _sample("github", "remote: %S", "ghp" + "_16C7e42F292c6912E7710c838347Ae178B4a"),
    _sample("github-fine", "remote: %S", "github" + "_pat_11ABCDEFG0abcdefghijkl_mnopqrstuvwxyz"),
    _sample("gitlab", "glab %S", "glpat" + "-AbCdEf123456ghIJkl78"),
    _sample("slack", "slack %S", "xoxb" + "-263594206564-FGqddMF8t08v8N7Oq4i57vs1"),
    _sample("openai", "model key %S", "sk" + "-proj-T3BlbkFJabcdef1234567890"),
    _sample("google", "maps %S", "AIza" + "SyDdI0hCZtE6vySjMm-WEfRq3CPzqKqqsHI"),
    _sample("azure-storage", "AccountName=a;AccountKey=%S;EndpointSuffix=x", "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzF5=="),
    _sample("azure-bus", "Endpoint=sb://x/;SharedAccessKey=%S", "Fby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50="),
    _sample("aws-signature", "https://s3/x?X-Amz-Signature=%S&a=b", "fe5f80f77d5fa3beca038a248ff027d0445342fe"),
    _sample("aws-credential", "https://s3/x?X-Amz-Credential=%S&a=b", "AKI4IOSFODNN7/20130524/us-east-1/s3"),
    _sample("sas", "https://x.blob/y?sv=2020&sig=%S&se=1", "F6GRVAZ5Cdj2Pw4txxxxx%2Fxx%3D"),
    _sample("password-of-three", "login with password=%S failed", "qzj"),
    _sample("passphrase", "passphrase: %S", "korrekt-pferd-batterie"),
    _sample("db-pass", "db_pass=%S", "hunterEe4secret"),
    _sample("pwd", "pwd=%S;", "hunterFf5secret"),
    _sample("jaas", 'x.ScramLoginModule required username="u" password="%S";', 'hunterGg6"'.rstrip('"')),
    _sample("jaas-property", 'sasl.jaas.config=org.x.Plain required username="u" password="%S";', "hunterHh7secret"),
    _sample("keystore", "ssl.keystore.password = %S", "hunterIi8secret"),
    _sample("client-key-data", "    client-key-data: %S", "TFMwdExTMUNSVWRKVGlCU1UwRWc="),
    _sample("kubeconfig-token", "users:\n- name: u\n  user:\n    token: %S\n", "hunterJj9secret"),
    _sample("docker-auth", '{"auths": {"r": {"auth": "%S"}}}', "dXNlcjpodW50ZXJLazBzZWNyZXQ="),
    _sample("cookie", "Cookie: session=%S; theme=dark", "hunterLl1secret"),
    _sample("set-cookie", "set-cookie: sid=%S; HttpOnly", "hunterMm2secret"),
    _sample("npm", "//registry.npmjs.org/:_authToken=%S", "hunterNn3secret"),
    _sample("block-scalar", "stringData:\n  password: |\n    %S\n    %T\nz: 1\n", "hunterOo4secret", "hunterPp5secret"),
    _sample("folded-scalar", "api-key: >-\n  %S\nother: 1\n", "hunterQq6secret"),
    _sample("value-on-the-next-line", "password:\n  %S\n", "hunterRr7secret"),
    _sample("json", '{"api_key": "%S"}', "hunterSs8secret"),
    _sample("json-in-json", '{\\"token\\": \\"%S\\"}', "hunterTt9secret"),
    _sample("json-in-json-in-json", '{\\\\\\"token\\\\\\": \\\\\\"%S\\\\\\"}', "hunterTu9secret"),
    _sample("quoted-with-spaces", 'password = "%S"', "hunter Uu0 secret"),
    _sample("python-repr", "{'client_secret': '%S'}", "hunterVv1secret"),
    _sample("base64-of-json", _base64(_LOGIN), _base64(_LOGIN)[24:]),
    _sample("base64-of-text", "body " + _base64("password=hunterXx3secret"), _base64("password=hunterXx3secret")[8:]),
    _sample("argument", "run --password %S --host h", "hunterYy4secret"),
    _sample("argument-list", 'args: ["--token", "%S"]', "hunterZz5secret"),
    _sample("argument-lines", "args:\n- --api-key\n- %S\n", "hunterAb6secret"),
    _sample("variable-json", '{"name": "DB_PASSWORD", "value": "%S"}', "hunterAc7secret"),
    _sample("variable-yaml", "- name: DB_PASSWORD\n  value: %S\n", "hunterAd8secret"),
    _sample("percent-encoded", f"https://h/?q={quote('password=hunterAe9secret', safe='')}", "hunterAe9secret"),
    _sample("percent-twice", f"/x?q={quote(quote('token=hunterAf0/x', safe=''), safe='')}", "hunterAf0"),
    _sample("header-pairs", '[["Content-Type", "a/b"], ["X-Api-Key", "%S"]]', "hunterAg1secret"),
    _sample("oauth-secret", "grant_type=x&client_secret=%S&scope=y", "hunterAh2secret"),
    _sample("number", '{"pin_password": %S}', "83910274"),
    _sample("camel-case", "userPassword: %S", "hunterAi3secret"),
    _sample("connection-string", "connectionString=%S", "Server=x;Uid=y"),
    _sample("hugging-face", "HF %S", "hf" + "_abcdefGHIJKLMNOPqrstuvwx1234"),
)  # fmt: skip

STAYS = {
    "test-of-secrets": "FAILED suites/control_plane/test_secrets.py::test_a_broker_waits_for_it[missing]",
    "test-in-a-class": "tests/test_login.py::TestPasswords::test_a_short_one_is_refused",
    "event-id": "event 1 of /e-12-t3 was not delivered",
    "trace-id": "16ec3446-48d6-422e-9926-8224853e84a7",
    "sha256": "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "digest": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "traceparent": "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "basic-authentication": "basic authentication is off",
    "bearer-of-news": "the bearer authentication scheme",
    "secret-name": "secretName: kafka-ca",
    "secret-ref": "secretKeyRef: kafka-secret",
    "secret-not-found": 'secret "kafka-ca" not found',
    "secrets-forbidden": "secrets is forbidden: User touchstone cannot list resource",
    "count-of-tokens": "tokens: 5",
    "most-tokens": '{"max_tokens": 256}',
    "media-type": "Content-Type: application/cloudevents+json; charset=utf-8",
    "unexpected-token": "unexpected token in line 4",
    "url": "http://kafka-broker-ingress.knative-eventing.svc.cluster.local:80/ns/b",
    "trace-key": "REQUEST_TRACE_KEY=test-trace-id",
    "record-key": "key 'abc' of partition 3",
    "kafka-record": "test-topic[0]@17 key 'one'",
    "picture": '{"instances": [{"image": {"b64": "iVBORw0KGgoAAAANSUhEUgAAABwAAAAcCAAAAABXZoBIAAAAw0lEQVR4nGNgG"}}]}',
    "prediction": '{"predictions": [2]}',
    "event": '{"specversion": "1.0", "id": "A234-1234-1234", "source": "/event-producer", "type": "t"}',
    "base64-of-a-word": "data_base64: eyJpbnN0YW5jZXMiOiBbWzAuMCwgMS4wXV19",
    "image": "docker.io/kserve/agent@sha256:1fe2df3dd6a9bb5fa8ef7b7d4b1e1b2c4f1d1a0a7a3c4e5f6071829304a5b6c7",
    "namespace": "touchstone-ab12cd-main-7/kafka-broker-config",
    "service-account": "automountServiceAccountToken: false",
    "our-own-error": "sasl.password: expected a password, got none",
    "working-folder": "PWD=/home/user/work",
    "offsets": "group knative-trigger-ns-t of topic knative-broker-ns-b: committed 4, end 5",
    "node": "suites/eventing/test_filters.py::test_prefix[key-and-value]",
    "percent": "/v1/models/mnist%3Apredict?x=a%20b",
    "public-certificate": "-----BEGIN CERTIFICATE-----",
    "words": "authentication and authorization are not here yet",
    "mechanism": "sasl.mechanism=SCRAM-SHA-512",
}
