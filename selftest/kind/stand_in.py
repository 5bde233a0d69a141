"""Plays docker, kind, kubectl and helm, under each of these names: notes how it was called, and answers.

Beside it lies `play.json`: a list of [beginning of the command line, answer]; the first that fits is given. An answer
may have `code`, `out`, `err`, `sleep` (seconds before the rest), `beside` (how many calls there have to be before the
rest) and `once` (true: the next call falls through to later answers). What no entry fits is answered as a healthy
machine would: kind keeps its clusters in `clusters.json`.
"""

import json
import shutil
import sys
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
NAME = Path(sys.argv[0]).name
CLUSTERS = HERE / "clusters.json"
VERSIONS = {
    "docker version": "28.2.2 28.2.2",
    "docker info": f"8 {32 * 2**30}",
    "docker buildx": "github.com/docker/buildx v0.24.0",
    "kind version": "kind v0.31.0 go1.25.5 linux/amd64",
    "kubectl version": "Client Version: v1.34.3",
    "helm version": "v3.19.0",
}


def main() -> int:
    words = [NAME, *sys.argv[1:]]
    with (HERE / "calls.ndjson").open("a", encoding="utf-8") as calls:
        calls.write(json.dumps({"argv": words, "at": time.time()}) + "\n")
    answer = _written(words)
    if answer is None:
        return _healthy(words)
    time.sleep(answer.get("sleep", 0))
    while _calls() < answer.get("beside", 0):
        time.sleep(0.01)
    sys.stdout.write(answer.get("out", ""))
    sys.stdout.flush()
    sys.stderr.write(answer.get("err", ""))
    return int(answer.get("code", 0)) or (_healthy(words) if answer.get("then") else 0)


def _written(words: list[str]) -> dict[str, Any] | None:
    play = json.loads((HERE / "play.json").read_text(encoding="utf-8"))
    for number, (beginning, answer) in enumerate(play):
        if words[: len(beginning)] == beginning:
            used = HERE / f"used-{number}"
            if answer.get("once") and used.exists():
                continue
            used.touch()
            return dict(answer)
    return None


def _calls() -> int:
    return (HERE / "calls.ndjson").read_text(encoding="utf-8").count("\n")


def _healthy(words: list[str]) -> int:
    said = VERSIONS.get(" ".join(words[:2]))
    if said is not None:
        _say(said)
    elif NAME == "kind":
        return _kind(words[1:])
    elif words[:2] == ["docker", "inspect"]:
        for node in words[4:]:
            _say(f"/{node} running")
    return 0


def _kind(words: list[str]) -> int:
    clusters: list[str] = json.loads(CLUSTERS.read_text(encoding="utf-8"))
    options = _options(words)
    name = options.get("--name", "")
    if words[:2] == ["get", "clusters"]:
        _say("\n".join(clusters))
    elif words[:2] == ["get", "nodes"] and name in clusters:
        _say(f"{name}-control-plane")
    elif words[:2] == ["create", "cluster"]:
        if name in clusters:
            sys.stderr.write(f'ERROR: node(s) already exist for a cluster with the name "{name}"\n')
            return 1
        _keep([*clusters, name])
        shutil.copy(HERE / "kubeconfig", options["--kubeconfig"])
    elif words[:2] == ["export", "kubeconfig"]:
        shutil.copy(HERE / "kubeconfig", options["--kubeconfig"])
    elif words[:2] == ["delete", "cluster"]:
        _keep([one for one in clusters if one != name])
    elif words[:2] == ["export", "logs"]:
        Path(words[2]).mkdir(parents=True)
        Path(words[2], "kind-version.txt").write_text("kind v0.31.0\n", encoding="utf-8")
    return 0


def _keep(clusters: list[str]) -> None:
    # In one step: the test may be reading.
    part = CLUSTERS.with_suffix(".part")
    part.write_text(json.dumps(clusters), encoding="utf-8")
    part.replace(CLUSTERS)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def _options(words: list[str]) -> dict[str, str]:
    found = {}
    for number, word in enumerate(words):
        if word.startswith("--"):
            name, equals, value = word.partition("=")
            found[name] = value if equals else words[number + 1]
    return found


if __name__ == "__main__":
    sys.exit(main())
