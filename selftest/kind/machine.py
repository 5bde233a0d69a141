"""A machine whose docker, kind, kubectl and helm are stand-ins that note their calls."""

import json
import sys
from pathlib import Path
from typing import Any

import yaml

from fixtures.targets.tools import Tools

STAND_IN = Path(__file__).with_name("stand_in.py")
PROGRAMS = ("docker", "kind", "kubectl", "helm")


class Machine:
    """The stand-ins: what they answer, and how they were called."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._play: list[Any] = []
        text = STAND_IN.read_text(encoding="utf-8")
        folder.mkdir()
        for program in PROGRAMS:
            path = folder / program
            path.write_text(f"#!{sys.executable} -IS\n{text}", encoding="utf-8")
            path.chmod(0o755)
        self.clusters()
        (folder / "play.json").write_text("[]", encoding="utf-8")
        self.kubeconfig({"server": "https://127.0.0.1:1"})

    def answer(self, *beginning: str, **answer: Any) -> None:
        """Answer a command line that begins so."""
        self._play.append([beginning, answer])
        (self.folder / "play.json").write_text(json.dumps(self._play), encoding="utf-8")

    def lacks(self, program: str) -> None:
        """Remove a program."""
        (self.folder / program).unlink()

    def clusters(self, *names: str) -> None:
        """Let kind have these clusters."""
        (self.folder / "clusters.json").write_text(json.dumps(names), encoding="utf-8")

    @property
    def standing(self) -> list[str]:
        """The clusters that kind has."""
        found: list[str] = json.loads((self.folder / "clusters.json").read_text(encoding="utf-8"))
        return found

    def kubeconfig(self, cluster: dict[str, Any], user: dict[str, Any] | None = None, name: str = "house") -> None:
        """Let kind hand out a kubeconfig for that API server."""
        context = f"kind-{name}"
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": context, "cluster": cluster}],
            "users": [{"name": context, "user": user or {}}],
            "contexts": [{"name": context, "context": {"cluster": context, "user": context}}],
            "current-context": context,
        }
        (self.folder / "kubeconfig").write_text(yaml.safe_dump(document), encoding="utf-8")

    def calls(self, *beginning: str) -> list[list[str]]:
        """Return the command lines so far that begin so, in order."""
        file = self.folder / "calls.ndjson"
        lines = file.read_text(encoding="utf-8").splitlines(keepends=True) if file.exists() else []
        # The last one may be in the making.
        argvs: list[list[str]] = [json.loads(line)["argv"] for line in lines if line.endswith("\n")]
        return [argv for argv in argvs if argv[: len(beginning)] == list(beginning)]

    @property
    def said(self) -> list[str]:
        """Return the first two words of each call."""
        return [" ".join(argv[:2]) for argv in self.calls()]

    def tools(self) -> Tools:
        """Return the programs, as `need` would find them."""
        return Tools(self.folder / "docker", self.folder / "kind", self.folder / "kubectl", {})
