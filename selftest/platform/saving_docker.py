"""Plays docker for bundles: notes its calls, pulls anything but `missing`, saves archives that name their images."""

import io
import json
import sys
import tarfile
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main() -> int:
    words = ["docker", *sys.argv[1:]]
    with (HERE / "calls.ndjson").open("a", encoding="utf-8") as calls:
        calls.write(json.dumps({"argv": words}) + "\n")
    if words[1] == "pull" and "missing" in words[-1]:
        sys.stderr.write(f"Error response from daemon: manifest for {words[-1]} not found: manifest unknown\n")
        return 1
    if words[1] == "save":
        content = json.dumps([{"Config": "c.json", "RepoTags": words[4:], "Layers": []}]).encode()
        with tarfile.open(words[3], "w") as tar:
            entry = tarfile.TarInfo("manifest.json")
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return 0


if __name__ == "__main__":
    sys.exit(main())
