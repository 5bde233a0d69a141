"""Overlays as `kubectl kustomize` renders them."""

import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PIPELINES = ROOT / "manifests" / "pipelines"
OVERLAYS = sorted(f"{path.parents[1].name}/{path.name}" for path in PIPELINES.glob("*/overlays/*"))
OWN_IMAGES = [name for name in OVERLAYS if not name.endswith("/seed-exact")]

needs_kubectl = pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not on PATH")


def folder(overlay: str) -> Path:
    """Return the folder of `pipeline/overlay`."""
    pipeline, name = overlay.split("/")
    return PIPELINES / pipeline / "overlays" / name


@cache
def kustomized(place: Path) -> str:
    """Return what a folder renders to."""
    done = subprocess.run(["kubectl", "kustomize", str(place)], capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 0, done.stderr
    return done.stdout


def rendered(overlay: str) -> list[dict[str, Any]]:
    """Return the objects of `pipeline/overlay`."""
    return list(yaml.safe_load_all(kustomized(folder(overlay))))


def containers(value: Any) -> list[dict[str, Any]]:
    """Return every container of an object, wherever it stands."""
    if isinstance(value, list):
        return [one for member in value for one in containers(member)]
    if not isinstance(value, dict):
        return []
    own = [one for name in ("containers", "initContainers") for one in value.get(name) or ()]
    return own + [one for member in value.values() for one in containers(member)]
