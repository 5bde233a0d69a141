"""A stimulus as lines for a shell: `kubectl` for objects, `curl` for requests, with the bytes as they were sent.

The lines run in any POSIX shell, after those that `tox -e up` prints. Variables stand for what only the reader knows:
NAMESPACE, and SINK_1, SINK_2 ... for URLs where somebody answers.
"""

import json
import re
import shlex
from collections.abc import Iterator, Sequence
from typing import Any, Final

from evidence.stimulus import ObjectStep, ReadyStep, Request, SinkStep, Stimulus, requests_of, steps_of

NAMESPACE: Final = "$NAMESPACE"
LONGEST_SCRIPT: Final = 8
"""How many answers of a sink are told."""
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_PLAIN = re.compile(r"[\x20-\x7e]*")
# curl writes these itself, or changes how it sends a body.
_OF_CURL = frozenset({"content-length", "transfer-encoding", "connection", "expect", "te", "upgrade"})
_NOT_SENT = ("User-Agent", "Accept", "Content-Type")


def lines(stimulus: Stimulus, mutants: Sequence[str] = ()) -> Iterator[str]:
    """Yield the lines of a shell, in the order of the stimulus.

    Args:
        stimulus: The stimulus.
        mutants: The mutants of the embedded platform that its namespace is to have.
    """
    shell = _Shell(stimulus)
    yield from shell.beginning(mutants)
    for step in steps_of(stimulus):
        match step["step"]:
            case "object":
                yield from shell.change(step)
            case "ready":
                yield shell.wait(step)
            case "send":
                for request in requests_of(step):
                    yield from shell.request(request)
            case "produce":
                topic = " ".join(shell.told(step["topic"]).split())
                yield f"# here a record is written to topic {topic}: there is no curl line for that"
            case "topic":
                yield "# here a topic of the case's own is made"
            case _:
                pass


class _Shell:
    """The names of one stimulus as variables of a shell."""

    def __init__(self, stimulus: Stimulus) -> None:
        self._ingress = stimulus["ingress"]
        self._names = {stimulus["namespace"]: NAMESPACE}
        self._sinks: list[SinkStep] = [step for step in steps_of(stimulus) if step["step"] == "sink"]
        for number, sink in enumerate(self._sinks, start=1):
            self._names[sink["url"]] = f"$SINK_{number}"
        # The longest first: one URL may begin with another.
        self._pattern = re.compile("|".join(map(re.escape, sorted(self._names, key=len, reverse=True))))
        brokers = [step for step in steps_of(stimulus) if step["step"] == "object" and "partitions" in step]
        self._partitions = sorted({step["partitions"] for step in brokers if "partitions" in step})

    def beginning(self, mutants: Sequence[str]) -> Iterator[str]:
        """Yield what comes before the first step."""
        yield "NAMESPACE=touchstone-replay"
        for number, sink in enumerate(self._sinks, start=1):
            yield f": ${{SINK_{number}:?a URL that takes deliveries and answers {_script(sink)}}}"
        yield f'kubectl create namespace "{NAMESPACE}"'
        if mutants:
            yield f'kubectl label namespace "{NAMESPACE}" touchstone.dev/mutant={shlex.quote(".".join(mutants))}'
        for partitions in self._partitions:
            yield from self._apply(
                {
                    "apiVersion": "v1",
                    "kind": "ConfigMap",
                    "metadata": {"name": f"broker-config-{partitions}", "namespace": NAMESPACE},
                    "data": {
                        "bootstrap.servers": "$KAFKA_BOOTSTRAP",
                        "default.topic.partitions": str(partitions),
                        "default.topic.replication.factor": "1",
                    },
                },
                variables=True,
            )

    def change(self, step: ObjectStep) -> Iterator[str]:
        """Yield the lines that ask the Kubernetes API for a change."""
        asked = step["asked"]
        if (partitions := step.get("partitions")) is not None:
            reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": f"broker-config-{partitions}"}
            config = {**reference, "namespace": next(iter(self._names))}
            asked = {**asked, "spec": {**asked.get("spec", {}), "config": config}}
        match step["verb"]:
            case "patch":
                patch = self.told(json.dumps(asked))
                yield f"kubectl {self._of(step)} patch {self._kind(step)} --type=merge -p {patch}"
            case "delete":
                yield f"kubectl {self._of(step)} delete {self._kind(step)}"
            case _:
                yield from self._apply(asked)

    def wait(self, step: ReadyStep) -> str:
        """Return the line that waits for an object."""
        return f"kubectl {self._of(step)} wait --for=condition=Ready {self._kind(step)} --timeout=60s"

    def request(self, request: Request) -> Iterator[str]:
        """Yield the lines of one request."""
        if why := _beyond_curl(request):
            yield f"# curl cannot send the next request as it was: {why}"
        url = f'"$BROKER_INGRESS"{self.told(request["url"].removeprefix(self._ingress))}'
        words = ["curl -sS --path-as-is -w '%{http_code}\\n' -o /dev/null -X", shlex.quote(request["method"]), url]
        given = {name.lower() for name, _ in request["headers"]}
        words += [f"-H {_quoted(_header(name, value))}" for name, value in request["headers"]]
        words += [f"-H '{name}:'" for name in _NOT_SENT if name.lower() not in given]
        body = request["body"]
        if body and (not _PLAIN.fullmatch(body) or body.startswith("@")):
            yield f"printf {shlex.quote(_octal(body, also='%'))} | {' '.join(words)} --data-binary @-"
            return
        yield " ".join([*words, f"--data-binary {shlex.quote(body)}"])

    def told(self, text: str) -> str:
        """Return a text as a word of a shell, in double quotes, with variables for the names that are the reader's."""
        parts, place = [], 0
        for found in self._pattern.finditer(text):
            parts += [_escaped(text[place : found.start()], '"'), self._names[found[0]]]
            place = found.end()
        return f'"{"".join([*parts, _escaped(text[place:], chr(34))])}"'

    def _apply(self, manifest: dict[str, Any], *, variables: bool = False) -> Iterator[str]:
        """Yield a manifest in a here-document, whose lines are JSON and so cannot end it."""
        yield "kubectl apply -f - <<EOF"
        text = json.dumps(manifest, indent=1)
        for line in text.split("\n"):
            yield line if variables else self.told(line)[1:-1].replace('\\"', '"')
        yield "EOF"

    @staticmethod
    def _of(step: ObjectStep | ReadyStep) -> str:
        return f'-n "{NAMESPACE}"' if step["namespace"] else ""

    @staticmethod
    def _kind(step: ObjectStep | ReadyStep) -> str:
        group = step["apiVersion"].rpartition("/")[0]
        kind = step["kind"].lower() + (f".{group}" if group else "")
        return shlex.quote(f"{kind}/{step['name']}")


def _script(sink: SinkStep) -> str:
    """Return what a sink answers, in words that need no quotes in a shell."""
    answers = [each for each in sink["answers"] if isinstance(each, dict)]
    codes = [str(int(each.get("status") or 200)) for each in answers[:LONGEST_SCRIPT]] or ["200"]
    return "then ".join(f"{code} " for code in codes).strip()


def _beyond_curl(request: Request) -> str:
    """Return why curl cannot send a request as it was; empty: it can."""
    for name, value in request["headers"]:
        if not _TOKEN.fullmatch(name):
            return "a header's name is no token"
        if name.lower() in _OF_CURL:
            return f"it writes the header {name.lower()} itself"
        if "\n" in value or "\r" in value or "\0" in value:
            return "a header's value has a control character"
    if request["method"] == "HEAD" and request["body"]:
        return "a HEAD request with a body"
    return ""


def _header(name: str, value: str) -> str:
    """Return a header as curl takes it; one without a value ends in a semicolon there."""
    return f"{name}: {value}" if value.strip() else f"{name};"


def _quoted(text: str) -> str:
    """Return bytes, as latin-1 text, as a word of a shell."""
    return shlex.quote(text) if _PLAIN.fullmatch(text) else f'"$(printf {shlex.quote(_octal(text, also="%"))})"'


def _octal(text: str, *, also: str = "") -> str:
    """Return bytes, as latin-1 text, as a format of printf: what is not plain in ASCII in octal digits."""
    return "".join(
        character if _PLAIN.fullmatch(character) and character not in f"\\'{also}" else f"\\{ord(character):03o}"
        for character in text
    )


def _escaped(text: str, quote: str) -> str:
    """Return a text as it stands in double quotes."""
    return re.sub(rf"[\\$`{quote}]", lambda found: f"\\{found[0]}", text)
