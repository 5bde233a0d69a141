"""Images: which folder a reference means, and how an environment comes to be, or does not."""

import asyncio
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from embedded.runtime import installing
from embedded.runtime.image_folders import (
    BrokenImageError,
    BuildError,
    Readiness,
    UnknownImageError,
    UnknownVersionError,
)
from embedded.runtime.images import MARKER, Images, build_all

pytestmark = pytest.mark.anyio


@pytest.fixture
def images(tmp_path: Path) -> Images:
    """Two images that need nothing."""
    for name in ("msg-transformer", "serving"):
        folder = tmp_path / "images" / name
        folder.mkdir(parents=True)
        (folder / "image.toml").write_text(
            'command = ["python", "-m", "server"]\nreadiness = { port = 1, path = "/r" }\n'
        )
        (folder / "requirements.txt").write_text("# nothing\n")
    return Images(tmp_path / "images", tmp_path / "cache")


@pytest.mark.parametrize(
    ("reference", "name"),
    [
        ("serving", "serving"),
        ("tensorflow/serving", "serving"),
        ("tensorflow/serving:2.18.0", "serving"),
        ("registry.example:5000/a/b/msg-transformer:dev9", "msg-transformer"),
        ("registry.example/serving@sha256:0123", "serving"),
        ("registry.example/serving:1@sha256:0123", "serving"),
    ],
)
def test_last_part_of_a_reference_names_the_folder(images: Images, reference: str, name: str) -> None:
    image = images.resolve(reference)
    assert image.name == name
    assert image.command == ("python", "-m", "server")
    assert image.readiness == Readiness(1, "/r")


def test_workdir_is_relative_to_the_folder(images: Images, tmp_path: Path) -> None:
    file = tmp_path / "images" / "serving" / "image.toml"
    assert images.resolve("serving").workdir == file.parent
    file.write_text('command = ["a"]\nworkdir = "../.."\n')
    assert images.resolve("serving").workdir == tmp_path


@pytest.mark.parametrize("reference", ["", "..", "nginx:latest", "serving/other", "images/../serving/"])
def test_unknown_reference_names_the_known_ones(images: Images, reference: str) -> None:
    with pytest.raises(UnknownImageError, match=r"known: msg-transformer, serving"):
        images.resolve(reference)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("command = [", "image.toml", id="toml"),
        pytest.param("", "command is missing", id="empty"),
        pytest.param('command = "python"', "must be a list of strings", id="string"),
        pytest.param('command = ["a"]\nreadiness = { path = "/" }', "readiness needs a port", id="readiness"),
        pytest.param('command = ["a"]\nworkdir = "/"', "workdir must be a folder", id="workdir-absolute"),
        pytest.param('command = ["a"]\nworkdir = "src"', "got 'src'", id="workdir-missing"),
        pytest.param('command = ["a"]\nworkdir = 1', "got 1", id="workdir-number"),
    ],
)
def test_broken_description_is_told_with_its_file(images: Images, tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "images" / "serving" / "image.toml"
    file.write_text(text)
    with pytest.raises(BrokenImageError, match=re.escape(message)) as caught:
        images.resolve("serving")
    assert str(file) in str(caught.value)


Runs = list[tuple[str, ...]]
FakePip = Callable[..., Runs]


@pytest.fixture
def pip(monkeypatch: pytest.MonkeyPatch) -> FakePip:
    """Replace what is run: `python -m venv` makes a folder, pip ends with a status and an output of our choice."""
    runs: Runs = []

    def install(status: int = 0, output: str = "") -> Runs:
        async def run(*command: str, each_line: Callable[[str], None] | None = None) -> tuple[int, str]:
            runs.append(command)
            if "venv" in command:
                scripts = Path(command[-1]) / "bin"
                scripts.mkdir(parents=True)
                (scripts / "tool").write_text(f"#!{scripts}/python\n")
                return 0, ""
            await asyncio.sleep(0)
            if each_line:
                each_line("Collecting something")
            return status, output

        monkeypatch.setattr(installing, "_run", run)
        return runs

    return install


async def test_environment_is_built_once(images: Images, pip: FakePip) -> None:
    runs = pip()
    lines: list[str] = []
    image = images.resolve("serving")
    assert not images.is_built(image)
    places = await asyncio.gather(*(images.build(image, lines.append) for _ in range(3)))
    assert len(set(places)) == 1
    assert len(runs) == 2
    assert images.is_built(image)
    assert [line for line in lines if "Collecting" in line] == ["image serving: Collecting something"]
    assert (places[0] / "bin" / "tool").read_text() == f"#!{places[0]}/bin/python\n"


async def test_changed_requirements_are_another_environment(images: Images) -> None:
    image = images.resolve("serving")
    before = images.environment(image)
    image.requirements.write_text("one==1\n")
    assert images.environment(image) != before


async def test_images_with_the_same_requirements_share_an_environment(images: Images, pip: FakePip) -> None:
    runs = pip()
    both = [images.resolve(name) for name in images.names()]
    places = await asyncio.gather(*(images.build(image, lambda _: None) for image in both))
    assert places[0] == places[1]
    assert len(runs) == 2


async def test_half_built_environment_is_built_again(images: Images, pip: FakePip) -> None:
    pip()
    image = images.resolve("serving")
    left_over = images.environment(image)
    (left_over / "lib").mkdir(parents=True)
    await images.build(image, lambda _: None)
    assert (left_over / MARKER).exists()
    assert not (left_over / "lib").exists()


async def test_failed_build_leaves_nothing_and_can_be_repeated(images: Images, pip: FakePip) -> None:
    image = images.resolve("serving")
    pip(1, "ERROR: something else\n")
    with pytest.raises(BuildError, match="pip failed with exit status 1:\nERROR: something else"):
        await images.build(image, lambda _: None)
    assert list(images.environment(image).parent.iterdir()) == [images.environment(image).with_suffix(".lock")]
    pip()
    await images.build(image, lambda _: None)


async def test_no_network_gives_a_hint(images: Images, pip: FakePip) -> None:
    pip(1, "WARNING: ... NewConnectionError ...\nERROR: No matching distribution found for x==1\n")
    with pytest.raises(
        BuildError, match=r"pip download -d WHEELS -r .*requirements\.txt\nthen set TOUCHSTONE_WHEELS=WHEELS"
    ):
        await images.build(images.resolve("serving"), lambda _: None)


async def test_folder_of_wheels_is_the_only_place_searched(
    images: Images, pip: FakePip, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOUCHSTONE_WHEELS", "/wheels")
    runs = pip(1, "ERROR: No matching distribution found for x==1\n")
    with pytest.raises(BuildError, match="TOUCHSTONE_WHEELS=/wheels was the only place searched"):
        await images.build(images.resolve("serving"), lambda _: None)
    assert runs[1][-6:-2] == ("--no-index", "--find-links", "/wheels", "--no-deps")


async def test_build_that_is_cut_off_leaves_nothing(
    images: Images, pip: FakePip, monkeypatch: pytest.MonkeyPatch
) -> None:
    pip()
    inner = installing._run

    async def hang(*command: str, **kwargs: object) -> tuple[int, str]:
        if "venv" in command:
            return await inner(*command)
        await asyncio.Event().wait()
        raise AssertionError("never")

    monkeypatch.setattr(installing, "_run", hang)
    image = images.resolve("serving")
    asked = asyncio.create_task(images.build(image, lambda _: None))
    half = images.environment(image).with_suffix(".half")
    async with asyncio.timeout(60):
        while not half.exists():  # noqa: ASYNC110 -- a folder gives no sign
            await asyncio.sleep(0.01)
    await images.close()
    with pytest.raises(asyncio.CancelledError):
        await asked
    assert not half.exists()
    assert not images.is_built(image)


@pytest.fixture
def versions(images: Images, tmp_path: Path) -> Path:
    """Return the folder of two images, of which one has another version of `sdk` locked."""
    folder = tmp_path / "images"
    for name in images.names():
        (folder / name / "requirements.txt").write_text("sdk==2.0\nother==1\n")
    lock = folder / "serving" / "locks" / "sdk-1.0.txt"
    lock.parent.mkdir()
    lock.write_text("sdk==1.0\nother==1\n")
    return folder


def test_an_image_with_a_lock_for_a_version_has_an_environment_of_its_own(versions: Path, tmp_path: Path) -> None:
    usual, older = Images(versions, tmp_path), Images(versions, tmp_path, {"sdk": "1.0"})
    [other] = [name for name in usual.names() if name != "serving"]
    assert older.resolve("serving").requirements == versions / "serving" / "locks" / "sdk-1.0.txt"
    assert older.environment(older.resolve("serving")) != usual.environment(usual.resolve("serving"))
    assert older.environment(older.resolve(other)) == usual.environment(usual.resolve(other))
    assert Images(versions, tmp_path, {"sdk": "2.0"}).resolve("serving").lock is None


@pytest.mark.parametrize(("package", "version", "known"), [("sdk", "3.0", "1.0, 2.0"), ("other", "1", "none")])
def test_a_version_without_a_lock_is_refused(
    versions: Path, tmp_path: Path, package: str, version: str, known: str
) -> None:
    with pytest.raises(UnknownVersionError, match=rf"no image has {package} {version} \(known: {known}\)"):
        Images(versions, tmp_path, {package: version})


async def test_an_image_on_request_is_built_when_it_is_named(images: Images, pip: FakePip, tmp_path: Path) -> None:
    pip()
    requested = tmp_path / "images" / "serving"
    (requested / "requirements.txt").write_text("one==1\n")
    (requested / "image.toml").write_text((requested / "image.toml").read_text() + "\non_request = true\n")
    await build_all(images, lambda _: None)
    assert not images.is_built(images.resolve("serving"))
    await build_all(images, lambda _: None, ["serving"])
    assert images.is_built(images.resolve("serving"))
