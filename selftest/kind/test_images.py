"""Our images: what they are called, what `docker build` is told, and what it must not be told."""

import os
import stat
from pathlib import Path

import pytest

from fixtures.errors import TargetError, UnknownNameError
from fixtures.pipelines.description import read_all
from fixtures.reading.files import ROOT
from fixtures.targets import images
from selftest.kind.machine import Machine

PIPELINES = tuple(read_all(ROOT / "manifests" / "pipelines").values())
NO_PACKAGE = (
    "#8 [5/6] RUN pip install --no-cache-dir -r requirements.txt\n"
    "#8 12.5 ERROR: No matching distribution found for kserve==0.20.0\n"
    'ERROR: failed to solve: process "/bin/sh -c pip install" did not complete successfully: exit code: 1\n'
)


@pytest.fixture(autouse=True)
def _no_pip(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)


def options(argv: list[str], name: str) -> list[str]:
    return [argv[place + 1] for place, word in enumerate(argv) if word == name]


def test_references_have_the_version_of_the_project() -> None:
    version = images.references({}, None, ())["probe"].rpartition(":")[2]
    assert f'version = "{version}"' in (ROOT / "pyproject.toml").read_text()
    assert images.references({}, None, PIPELINES)["serving"] == f"touchstone/serving:{version}"


def test_a_mirror_stands_before_and_a_given_reference_wins() -> None:
    found = images.references({"probe": "lab/p:7"}, "mirror.lab:5000/eu/", PIPELINES)
    assert found["probe"] == "lab/p:7"
    assert found["serving"].startswith("mirror.lab:5000/eu/touchstone/serving:")


def test_an_image_that_is_not_ours_is_refused_with_the_near_name() -> None:
    with pytest.raises(UnknownNameError, match="did you mean probe"):
        images.references({"prob": "x"}, None, PIPELINES)


def test_every_folder_is_an_image() -> None:
    folders = {path.parent.name for path in (ROOT / "images").glob("*/Dockerfile")}
    assert folders <= set(images.known(PIPELINES))


@pytest.mark.parametrize(("name", "context"), [("serving", ROOT / "images" / "serving"), ("probe", ROOT)])
def test_an_image_is_built_from_its_context(machine: Machine, tmp_path: Path, name: str, context: Path) -> None:
    images.build(machine.folder / "docker", name, f"touchstone/{name}:1", tmp_path / "log")
    (call,) = machine.calls("docker", "build")
    assert call[2:] == [
        "--progress=plain",
        "--tag",
        f"touchstone/{name}:1",
        "--file",
        str(ROOT / "images" / name / "Dockerfile"),
        str(context),
    ]


def test_the_base_image_can_be_another(machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOUCHSTONE_BASE_IMAGE", "lab/python:3.11")
    images.build(machine.folder / "docker", "serving", "r", tmp_path / "log")
    assert options(machine.calls("docker", "build")[0], "--build-arg") == ["BASE=lab/python:3.11"]


def test_pip_settings_are_secrets_of_the_build(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ca = tmp_path / "ca.pem"
    monkeypatch.setenv("PIP_INDEX_URL", "https://user:hunter2@pypi.lab/simple")
    monkeypatch.setenv("PIP_CERT", str(ca))
    images.build(machine.folder / "docker", "serving", "r", tmp_path / "log")
    (call,) = machine.calls("docker", "build")
    secrets = options(call, "--secret")
    assert [one.partition(",")[0] for one in secrets] == ["id=pip.conf", "id=ca.pem"]
    assert secrets[1] == f"id=ca.pem,src={ca}"
    assert "hunter2" not in " ".join(call)
    written = Path(secrets[0].partition("src=")[2])
    assert not written.parent.exists()


def test_secrets_are_readable_by_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "https://pypi.lab/simple")
    with images._secrets() as secrets:
        assert stat.S_IMODE(secrets["pip.conf"].parent.stat().st_mode) == 0o700
        assert secrets["pip.conf"].read_text() == "[global]\nindex-url = https://pypi.lab/simple\n"


def test_a_variable_wins_over_pip_s_file_and_only_the_network_counts(tmp_path: Path) -> None:
    file = tmp_path / "pip.conf"
    file.write_text(
        "[global]\nindex-url = https://old/simple\ntrusted-host = a\n    b\nuser = true\ncert = /etc/lab.pem\n"
    )
    environ = {"PIP_CONFIG_FILE": str(file), "PIP_INDEX_URL": "https://new/simple", "PIP_DEFAULT_TIMEOUT": "9"}
    settings, ca = images.pip_settings(environ)
    assert settings.splitlines() == [
        "[global]",
        "index-url = https://new/simple",
        "trusted-host = a",
        "    b",
        "cert = /run/secrets/ca.pem",
        "timeout = 9",
    ]
    assert ca == Path("/etc/lab.pem")


def test_without_pip_settings_there_is_no_secret() -> None:
    assert images.pip_settings({"PIP_CONFIG_FILE": "/dev/null", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}) == ("", None)


def test_a_pip_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="cannot read PIP_CONFIG_FILE"):
        images.pip_settings({"PIP_CONFIG_FILE": str(tmp_path / "none")})


def test_a_failing_build_shows_its_last_lines_and_keeps_all(machine: Machine, tmp_path: Path) -> None:
    machine.answer("docker", "build", code=1, err="#1 progress\n" * 100 + NO_PACKAGE)
    expected = r"(?s)cannot build image serving \(r:1\): exit code 1.*No matching distribution found for kserve==0.20.0"
    with pytest.raises(TargetError, match=expected) as failure:
        images.build(machine.folder / "docker", "serving", "r:1", tmp_path / "serving.log")
    assert len(str(failure.value).splitlines()) < 20
    assert (tmp_path / "serving.log").read_text().count("#1 progress") == 100


def test_an_image_without_a_dockerfile_is_told(machine: Machine, tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="Dockerfile does not exist"):
        images.build(machine.folder / "docker", "nothing", "r", tmp_path / "log")
    assert machine.calls() == []


@pytest.mark.parametrize(
    ("reference", "whole"),
    [
        ("busybox:1", "docker.io/library/busybox:1"),
        ("apache/kafka:4.1.0", "docker.io/apache/kafka:4.1.0"),
        ("localhost/x:1", "localhost/x:1"),
        ("lab:5000/x:1", "lab:5000/x:1"),
        ("quay.io/a/b:1", "quay.io/a/b:1"),
    ],
)
def test_a_reference_is_compared_with_its_registry(reference: str, whole: str) -> None:
    assert images.full(reference) == whole
