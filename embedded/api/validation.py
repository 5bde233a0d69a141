"""Defaults, pruning and validation of objects. First cut: names only."""

import re
import secrets
from collections.abc import Sequence
from typing import Any

from embedded.api import errors
from embedded.api.resources import Resource

Object = dict[str, Any]


def generated_name(prefix: str) -> str:
    """`generateName` with five random characters, of the alphabet that Kubernetes uses."""
    return prefix[:58] + "".join(secrets.choice("bcdfghjklmnpqrstvwxz2456789") for _ in range(5))


def complete(resource: Resource, new: Object, old: Object | None) -> None:
    if resource.kind == "Namespace":
        new["metadata"].setdefault("labels", {})["kubernetes.io/metadata.name"] = new["metadata"]["name"]
        new.setdefault("spec", {}).setdefault("finalizers", ["kubernetes"])
        new.setdefault("status", {}).setdefault("phase", "Active")


def check(resource: Resource, new: Object, old: Object | None = None) -> None:
    name = new["metadata"].get("name")
    if not isinstance(name, str) or not re.fullmatch(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?", name):
        raise errors.invalid(resource, str(name), [errors.Cause("metadata.name", "FieldValueInvalid", f'Invalid value: "{name}"')])


def no_new_finalizers(resource: Resource, name: str, added: Sequence[str]) -> errors.ApiError:
    why = "no new finalizers can be added if the object is being deleted, found new finalizers"
    listed = ", ".join(f'"{item}"' for item in added)
    cause = errors.Cause("metadata.finalizers", "FieldValueForbidden", f"Forbidden: {why} []string{{{listed}}}")
    return errors.invalid(resource, name, [cause])
