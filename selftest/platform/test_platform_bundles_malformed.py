"""What is wrong in a `bundle.toml` is said with file, field, expected and got."""

from pathlib import Path

import pytest

from fixtures.errors import PlatformError
from fixtures.platform.sources.bundle import Bundle
from selftest.platform.test_platform_bundles import by_hand

HEAD = '[[component]]\nname = "a"\nversion = "1"\n'
WAIT = f"{HEAD}[[component.wait]]\n"


MALFORMED = {
    "empty": ("", "component: expected at least one [[component]], got none"),
    "no TOML": ("[[component", "no TOML"),
    "another format": ("format = 2", "format: expected the number 1, got 2"),
    "no tables": ("component = 1", "component: expected tables, as [[component]], got a number: 1"),
    "near name": ("components = []", "components: unknown field 'components': did you mean component"),
    "no name": ('[[component]]\nversion = "1"', "component[0].name: expected the component's name, got nothing"),
    "no version": ('[[component]]\nname = "a"', "component[0].version: expected the component's version, got nothing"),
    "version is a number": (
        '[[component]]\nname = "a"\nversion = 1',
        "component[0].version: expected the component's version, got a number: 1",
    ),
    "near field": (
        f'{HEAD}manifest = ["x"]',
        "component[0].manifest: unknown field 'manifest': did you mean manifests",
    ),
    "manifests is a text": (
        f'{HEAD}manifests = "x"',
        "component[0].manifests: expected a list of files in the bundle, got a text: 'x'",
    ),
    "manifest is a number": (f"{HEAD}manifests = [1]", "component[0].manifests[0]: expected a text, got a number: 1"),
    "no such manifest": (f'{HEAD}manifests = ["x.yaml"]', "component[0].manifests[0]: expected a file in "),
    "absolute path": (
        f'{HEAD}images = ["/etc/passwd"]',
        "component[0].images[0]: expected a path inside the bundle, got '/etc/passwd'",
    ),
    "path out of it": (
        f'{HEAD}images = ["../x.tar"]',
        "component[0].images[0]: expected a path inside the bundle, got '../x.tar'",
    ),
    "flag is a text": (f'{HEAD}optional = "yes"', "component[0].optional: expected true or false, got a text: 'yes'"),
    "odd Kubernetes": (
        f'{HEAD}kubernetes = "v1.34.0"',
        "component[0].kubernetes: expected a version as in 1.34, got 'v1.34.0'",
    ),
    "twice": (f"{HEAD}{HEAD}", "component[1].name: expected a name that no other component has, got 'a'"),
    "requires unknown": (f'{HEAD}requires = ["b"]', "component[0].requires: unknown component 'b'"),
    "requires a later one": (
        f'{HEAD}requires = ["b"]\n[[component]]\nname = "b"\nversion = "1"',
        "component[0].requires: expected components that come before 'a', got 'b'",
    ),
    "unknown wait": (f'{WAIT}for = "ready"', "component[0].wait[0].for: unknown for 'ready'"),
    "near wait": (f'{WAIT}for = "webhoks"', "did you mean webhook"),
    "no time": (
        f'{WAIT}for = "crds"\ndeadline = 0',
        "component[0].wait[0].deadline: expected seconds, as a number above 0, got 0",
    ),
    "deadline is a flag": (
        f'{WAIT}for = "crds"\ndeadline = true',
        "component[0].wait[0].deadline: expected seconds, as a number above 0, got true or false: True",
    ),
    "a field of another wait": (f'{WAIT}for = "crds"\nname = "x"', "component[0].wait[0].name: unknown field 'name'"),
    "no kind": (
        f'{WAIT}for = "available"\nname = "x"',
        "component[0].wait[0].kind: expected the kind of the object, as in Deployment, got nothing",
    ),
    "no object": (
        f'{WAIT}for = "available"\nkind = "Deployment"',
        "component[0].wait[0].name: expected the name of the object, got nothing",
    ),
    "no apiVersion": (
        f'{WAIT}for = "exists"\nkind = "Broker"\nname = "x"',
        "component[0].wait[0].apiVersion: expected the apiVersion of Broker",
    ),
    "webhook of a Service": (
        f'{WAIT}for = "webhook"\nkind = "Service"\nname = "x"',
        "component[0].wait[0].kind: expected one of MutatingWebhookConfiguration, ",
    ),
    "rollout of a Service": (
        f'{WAIT}for = "rollout"\nkind = "Service"\nname = "x"',
        "component[0].wait[0].kind: expected one of DaemonSet, Deployment, ",
    ),
    "no condition": (
        f'{WAIT}for = "condition"\nkind = "Job"\nname = "x"',
        "component[0].wait[0].condition: expected a text, got nothing",
    ),
    "half a manifest": (
        f'{WAIT}for = "accepts"\nmanifest = {{ kind = "A" }}',
        "component[0].wait[0].manifest.apiVersion: expected a text, got nothing",
    ),
    "odd workload": (
        f"{HEAD}[workloads]\nprobe = 1",
        "workloads.probe: expected the reference of an image, got a number: 1",
    ),
    "no workload archive": (f'{HEAD}[workloads]\narchives = ["x.tar"]', "workloads.archives[0]: expected a file in "),
    "odd sum": (f'{HEAD}[sha256]\n"x.yaml" = "1"', "sha256.x.yaml: expected 64 hex digits, got '1'"),
    "sum of nothing": (f'{HEAD}[sha256]\n"x.yaml" = "{"0" * 64}"', "sha256.x.yaml: expected a file in "),
}


@pytest.mark.parametrize(("text", "complaint"), MALFORMED.values(), ids=list(MALFORMED))
def test_a_malformed_bundle_says_file_field_expected_and_got(tmp_path: Path, text: str, complaint: str) -> None:
    by_hand(tmp_path, text)
    with pytest.raises(PlatformError) as caught:
        Bundle.open(tmp_path)
    assert str(tmp_path / "bundle.toml") in str(caught.value)
    assert complaint in str(caught.value)
