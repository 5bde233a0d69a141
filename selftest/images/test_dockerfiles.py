"""What the Dockerfiles say: the same as image.toml, for a user without rights, from locks, with settings kept out."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import grimp
import pytest

from fixtures.pipelines.description import read_all
from fixtures.targets import images

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = sorted(path.parent for path in (ROOT / "images").glob("*/Dockerfile"))
DESCRIBED = [folder for folder in FOLDERS if (folder / "image.toml").is_file()]


def named(folder: Path) -> str:
    return folder.name


def instructions(folder: Path) -> list[tuple[str, str]]:
    """Return a Dockerfile's instructions in order: name and arguments, continued lines joined."""
    text = re.sub(r"^#.*\n", "", (folder / "Dockerfile").read_text(), flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", " ", text).splitlines()
    return [(line.partition(" ")[0], line.partition(" ")[2].strip()) for line in lines if line.strip()]


def last(folder: Path, name: str) -> str:
    return [argument for instruction, argument in instructions(folder) if instruction == name][-1]


def described(folder: Path) -> dict[str, Any]:
    return tomllib.loads((folder / "image.toml").read_text())


def test_every_image_that_the_suite_names_is_there_and_no_other() -> None:
    pipelines = read_all(ROOT / "manifests" / "pipelines").values()
    assert sorted(images.known(pipelines)) == [folder.name for folder in FOLDERS]


@pytest.mark.parametrize("folder", DESCRIBED, ids=named)
def test_a_container_runs_what_the_embedded_platform_runs(folder: Path) -> None:
    command = described(folder)["command"]
    assert json.loads(last(folder, "ENTRYPOINT")) == command
    assert command[:2] == ["python", "-m"]
    place = folder / described(folder).get("workdir", ".")
    module = place / command[2].replace(".", "/")
    assert module.with_suffix(".py").is_file() or (module / "__main__.py").is_file()
    ports = last(folder, "EXPOSE").split()
    readiness = described(folder).get("readiness")
    assert readiness is None or str(readiness["port"]) in ports


@pytest.mark.parametrize("folder", FOLDERS, ids=named)
def test_an_image_is_built_on_a_base_of_the_builders_choice_and_runs_without_rights(folder: Path) -> None:
    found = instructions(folder)
    assert found[0] == ("ARG", "BASE=python:3.11-slim")
    assert [argument for name, argument in found if name == "FROM"][-1] == "${BASE}"
    assert last(folder, "USER") == "65532:65532"
    assert "PYTHONDONTWRITEBYTECODE=1" in " ".join(argument for name, argument in found if name == "ENV")
    # After the last change of the file system, and fetched by nothing but the package manager.
    order = [name for name, _ in found]
    assert order.index("USER") > max(index for index, name in enumerate(order) if name in {"COPY", "RUN"})
    assert "ADD" not in order
    assert not re.search(r"\b(curl|wget|apt-get)\b", (folder / "Dockerfile").read_text())


@pytest.mark.parametrize("folder", FOLDERS, ids=named)
def test_code_comes_after_packages_and_pips_settings_stay_out(folder: Path) -> None:
    steps = [(name, argument) for name, argument in instructions(folder) if name in {"COPY", "RUN"}]
    (install,) = [index for index, (_, argument) in enumerate(steps) if "pip install" in argument]
    before = [argument for name, argument in steps[:install] if name == "COPY"]
    assert len(before) == 1
    assert "requirements" in before[0]
    assert "--no-cache-dir" in steps[install][1]
    for secret in ("id=pip.conf,target=/etc/pip.conf", "id=ca.pem,target=/run/secrets/ca.pem"):
        assert f"--mount=type=secret,{secret}" in steps[install][1]
    # A frontend image would have to be pulled, and build arguments stay in an image's history.
    assert "syntax=" not in (folder / "Dockerfile").read_text()
    assert {argument.partition("=")[0] for name, argument in instructions(folder) if name == "ARG"} <= {
        "BASE",
        "KUBECTL",
    }


@pytest.mark.parametrize("folder", FOLDERS, ids=named)
def test_the_base_may_be_a_plain_debian(folder: Path) -> None:
    (install,) = [argument for name, argument in instructions(folder) if "pip install" in argument]
    # Debian 12 marks its Python as managed by apt (PEP 668) and calls it python3 only.
    assert "PIP_BREAK_SYSTEM_PACKAGES=1" in install
    assert 'ln -s "$(command -v python3)" /usr/local/bin/python' in install


@pytest.mark.parametrize("folder", FOLDERS, ids=named)
def test_an_images_requirements_are_a_lock(folder: Path) -> None:
    lines = [line for line in (folder / "requirements.txt").read_text().splitlines() if not line.startswith("#")]
    assert lines
    assert [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[\w.]+", line)] == []


LOCKS = sorted((ROOT / "images").glob("*/locks/*.txt"))


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: f"{lock.parents[1].name}-{lock.stem}")
def test_a_lock_of_another_version_differs_in_that_package_alone(lock: Path) -> None:
    package, _, version = lock.stem.rpartition("-")
    usual = (lock.parents[1] / "requirements.txt").read_text().splitlines()
    changed = set(lock.read_text().splitlines()) - set(usual)
    assert [line for line in changed if not line.startswith("#")] == [f"{package}=={version}"]


@pytest.mark.parametrize("folder", FOLDERS, ids=named)
def test_the_context_is_a_list_of_what_may_go_in(folder: Path) -> None:
    from_root = images.context_of(folder.name) == ROOT
    ignore = folder / ("Dockerfile.dockerignore" if from_root else ".dockerignore")
    lines = [line for line in ignore.read_text().splitlines() if line and not line.startswith("#")]
    assert lines[0] == "*"
    assert [line for line in lines[1:] if line.startswith("!")]


def sent_to_the_builder(path: Path, lines: list[str]) -> bool:
    """Tell whether a file gets past an ignore file; of the lines that match it or a folder of it, the last decides."""
    sent = True
    for line in lines:
        pattern = line.removeprefix("!")
        length = len(Path(pattern).parts)
        if any(len(part.parts) == length and part.match(pattern) for part in (path, *path.parents)):
            sent = line.startswith("!")
    return sent


@pytest.mark.parametrize("folder", FOLDERS, ids=named)
def test_what_is_copied_gets_past_the_ignore_file(folder: Path) -> None:
    context = images.context_of(folder.name)
    ignore = folder / ("Dockerfile.dockerignore" if context == ROOT else ".dockerignore")
    lines = [line for line in ignore.read_text().splitlines() if line and not line.startswith("#")]
    copied = [
        argument.split() for name, argument in instructions(folder) if name == "COPY" and "--from" not in argument
    ]
    sources = [word for words in copied for word in words[:-1] if not word.startswith("--")]
    assert sources
    for source in sources:
        found = [path for match in context.glob(source) for path in (match, *match.rglob("*")) if path.is_file()]
        assert any(sent_to_the_builder(path.relative_to(context), lines) for path in found), source


def test_the_suites_lock_holds_what_the_suite_asks_for() -> None:
    lock = (ROOT / "images" / "suite" / "requirements.txt").read_text().splitlines()
    asked = [line for line in (ROOT / "requirements.txt").read_text().splitlines() if not line.startswith("#")]
    assert [line for line in asked if line.lower() not in {each.lower() for each in lock}] == []


def requirements_of(image: str) -> str:
    return (ROOT / "images" / image / "requirements.txt").read_text()


def test_the_kserve_images_share_their_layers() -> None:
    def layers(image: str) -> list[tuple[str, str]]:
        found = instructions(ROOT / "images" / image)
        return found[: [name for name, _ in found].index("RUN") + 1]

    first, *others = "msg-transformer", "mnist-predictor", "open-inference"
    for other in others:
        assert layers(other) == layers(first)
        assert requirements_of(other) == requirements_of(first)


def test_the_probes_image_has_every_module_that_the_probe_imports() -> None:
    folder = ROOT / "images" / "probe"
    copied = [name for step, arguments in instructions(folder) if step == "COPY" for name in arguments.split()[:-1]]
    allowed = set((folder / "Dockerfile.dockerignore").read_text().splitlines())
    graph = grimp.build_graph("fixtures", "common", exclude_type_checking_imports=True, cache_dir=None)
    modules = {"fixtures.probe.__main__", *graph.find_upstream_modules("fixtures.probe.__main__")}
    files = [ROOT.joinpath(*module.split(".")) for module in sorted(modules)]
    paths = [file / "__init__.py" if file.is_dir() else file.with_suffix(".py") for file in files]
    for path in (str(path.relative_to(ROOT)) for path in paths):
        assert any(path == name or path.startswith(f"{name}/") for name in copied), f"{path} is not in the image"
        assert any(path == name[1:] or path.startswith(f"{name[1:]}/") for name in allowed), f"{path} is ignored"
