"""The lock: refuses what differs, tells what it does not hold, pins images, and is written from what there is."""

from hashlib import sha256
from pathlib import Path

import pytest

from fixtures.errors import PlatformError
from fixtures.platform.sources.components import PinnedPlatform, load
from fixtures.platform.sources.lock import Lock
from fixtures.platform.sources.locking import locked
from fixtures.platform.sources.registry import digest_of
from selftest.platform.given import deployment
from selftest.platform.web import Web

DIGEST = f"sha256:{'a' * 64}"
OTHER = f"sha256:{'b' * 64}"


def manifest(image: str) -> str:
    return f"""
apiVersion: apps/v1
kind: Deployment
metadata: {{name: d}}
spec:
  template:
    spec:
      containers: [{{name: main, image: "{image}", env: [{{name: WORKER, value: "{image}"}}]}}]
"""


class House:
    """One component whose one artefact names one image, all on loopback."""

    def __init__(self, web: Web, folder: Path, said: list[str]) -> None:
        self.web, self.folder, self.said = web, folder, said
        self.image = f"{web.host}/a/b:1"
        self.serve(self.image)

    def serve(self, image: str) -> None:
        """Let the artefact name this image."""
        self.content = manifest(image)
        self.url = self.web.put("/one.yaml", self.content)

    def platform(self, lock: str = "", *, strict: bool = False) -> PinnedPlatform:
        """Read the components, with this lock beside them."""
        path = self.folder / "components.toml"
        path.write_text(
            f'[[component]]\nname = "house"\nversion = "1.0.0"\nimages = ["{self.image}"]\n'
            f'[[component.artefact]]\nurl = "{self.url}"\n',
            encoding="utf-8",
        )
        if lock:
            (self.folder / "lock.toml").write_text(lock, encoding="utf-8")
        return load(path, cache=self.folder / "cache", say=self.said.append, locked=strict)

    def lock(self, *, artefact: str = "", image: str = "") -> str:
        """Write a lock: of the artefact as it is, or as a test has it."""
        artefacts = f'"{self.url}" = "{artefact or sha256(self.content.encode()).hexdigest()}"\n'
        images = f'"{self.image}" = "{image}"\n' if image else ""
        return f"[artefacts]\n{artefacts}[images]\n{images}"


@pytest.fixture
def house(web: Web, tmp_path: Path, told: list[str]) -> House:
    return House(web, tmp_path, told)


def test_what_the_lock_holds_is_used_without_a_word(house: House, told: list[str]) -> None:
    platform = house.platform(house.lock(image=DIGEST), strict=True)
    (document,) = platform.documents(platform.components()[0])
    assert document["kind"] == "Deployment"
    assert [line for line in told if "LOCKED" in line] == []


def test_an_artefact_that_differs_is_refused_with_both_sums_and_the_places(house: House) -> None:
    platform = house.platform(house.lock(artefact="0" * 64))
    got = sha256(house.content.encode()).hexdigest()
    with pytest.raises(
        PlatformError, match=f"{house.url}: expected sha256 {'0' * 64} .*lock.toml.*, got {got} .*cache"
    ):
        platform.documents(platform.components()[0])


def test_a_cached_file_that_somebody_changed_is_refused(house: House) -> None:
    platform = house.platform(house.lock(image=DIGEST))
    (component,) = platform.components()
    platform.documents(component)
    platform.file(component.artefacts[0]).write_text("other", encoding="utf-8")
    with pytest.raises(PlatformError, match="expected sha256"):
        platform.documents(component)


def test_what_the_lock_does_not_hold_is_told_once_and_loudly(house: House, told: list[str]) -> None:
    platform = house.platform()
    for _ in range(2):
        platform.documents(platform.components()[0])
    loud = [line for line in told if "LOCKED" in line]
    assert loud == ["NOT LOCKED: 1 artefacts, 1 images: run `python -m fixtures.platform lock` on a connected machine"]


def test_with_locked_it_is_refused_by_name(house: House) -> None:
    platform = house.platform(house.lock(), strict=True)
    with pytest.raises(PlatformError, match=f"house: expected all of it in .*lock.toml .*got 1 .*: {house.image}; run"):
        platform.documents(platform.components()[0])


def test_a_locked_image_is_named_with_its_digest_wherever_it_stands(house: House) -> None:
    platform = house.platform(house.lock(image=DIGEST))
    (document,) = platform.documents(platform.components()[0])
    (container,) = document["spec"]["template"]["spec"]["containers"]
    assert container["image"] == container["env"][0]["value"] == f"{house.image}@{DIGEST}"


def test_a_release_that_names_another_digest_than_the_lock_is_refused(house: House) -> None:
    house.serve(f"{house.web.host}/a/b@{OTHER}")
    platform = house.platform(house.lock(image=DIGEST))
    with pytest.raises(PlatformError, match=f"house: image .*@{OTHER}: expected {DIGEST} .*, got {OTHER}"):
        platform.documents(platform.components()[0])


def test_a_release_that_names_the_digest_of_the_lock_stays_as_it_is(house: House) -> None:
    named = f"{house.web.host}/a/b@{DIGEST}"
    house.serve(named)
    platform = house.platform(house.lock(image=DIGEST))
    (document,) = platform.documents(platform.components()[0])
    assert document["spec"]["template"]["spec"]["containers"][0]["image"] == named


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param("[artefacts]\na = 'xyz'", "artefacts.a: expected 64 hex digits, got 'xyz'", id="no sum"),
        pytest.param("[images]\na = '1'", "images.a: expected sha256:<64 hex digits>, got '1'", id="no digest"),
        pytest.param("[image]", "image: unknown field 'image': did you mean images", id="unknown table"),
        pytest.param("[images", "no TOML", id="no TOML"),
    ],
)
def test_a_broken_lock_locks_nothing_and_says_so(house: House, text: str, complaint: str) -> None:
    with pytest.raises(PlatformError, match=f"lock.toml: {complaint}"):
        house.platform(text)


def test_the_lock_is_written_from_the_files_and_the_registry(house: House, told: list[str]) -> None:
    house.web.put("/v2/a/b/manifests/1", "", Docker_Content_Digest=DIGEST)
    platform = house.platform('[artefacts]\n"https://gone.example/old.yaml" = \'' + "0" * 64 + "'\n")
    lock = locked(platform, platform.components(), told.append)
    assert lock.artefacts == {house.url: sha256(house.content.encode()).hexdigest()}
    assert lock.images == {house.image: DIGEST}
    platform = house.platform(lock.text(), strict=True)
    assert platform.lock == lock
    assert platform.documents(platform.components()[0])


def test_a_changed_artefact_gets_a_new_sum_in_a_new_lock(house: House, told: list[str]) -> None:
    house.web.put("/v2/a/b/manifests/1", "", Docker_Content_Digest=DIGEST)
    platform = house.platform(house.lock(artefact="0" * 64))
    assert locked(platform, platform.components(), told.append).artefacts[house.url] != "0" * 64


def test_a_digest_that_the_release_names_is_not_asked_for(house: House, told: list[str]) -> None:
    house.serve(f"{house.web.host}/a/b@{OTHER}")
    platform = house.platform()
    assert locked(platform, platform.components(), told.append).images == {house.image: OTHER}
    assert [path for _, path, _ in house.web.asked if path.startswith("/v2/")] == []


def test_a_registry_that_wants_a_token_gives_one_to_anybody(web: Web) -> None:
    web.put("/token", '{"token": "open sesame"}')

    def answer(path: str, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        if path.startswith("/v2/") and headers.get("Authorization") != "Bearer open sesame":
            return 401, {"WWW-Authenticate": f'Bearer realm="{web.url}/token",service="reg"'}, b""
        if path.startswith("/v2/"):
            return 200, {"Docker-Content-Digest": DIGEST}, b""
        return web.pages[path.partition("?")[0]]

    web.answer = answer  # type: ignore[method-assign]
    assert digest_of(f"{web.host}/a/b:1") == DIGEST
    assert "/token?scope=repository%3Aa%2Fb%3Apull&service=reg" in [path for _, path, _ in web.asked]


def test_a_reference_with_a_digest_needs_no_registry() -> None:
    assert digest_of(f"registry.invalid/a/b:1@{DIGEST}") == DIGEST


@pytest.mark.parametrize(
    ("status", "headers", "complaint"),
    [
        pytest.param(404, {}, "expected it from .*/v2/a/b/manifests/1, got 404", id="no such image"),
        pytest.param(401, {"WWW_Authenticate": "Basic"}, "expected a registry that answers anybody", id="login"),
        pytest.param(200, {}, "expected a digest sha256:<64 hex>, got nothing", id="no digest"),
        pytest.param(200, {"Docker_Content_Digest": "md5:1"}, "expected a digest .*, got md5:1", id="odd digest"),
    ],
)
def test_what_a_registry_does_not_say_is_said(web: Web, status: int, headers: dict[str, str], complaint: str) -> None:
    web.put("/v2/a/b/manifests/1", "", status, **headers)
    with pytest.raises(PlatformError, match=f"{web.host}/a/b:1: {complaint}"):
        digest_of(f"{web.host}/a/b:1")


def test_a_registry_that_is_away_is_said() -> None:
    with pytest.raises(PlatformError, match="localhost:9/a/b:1: localhost:9 does not answer"):
        digest_of("localhost:9/a/b:1")


def test_the_images_that_are_not_the_components_keep_their_names(house: House) -> None:
    platform = house.platform(house.lock(image=DIGEST))
    alien = deployment("alien", image=f"{house.web.host}/a/bb:1")
    assert platform._pinned(platform.components()[0], [alien]) == [alien]


def test_a_lock_reads_what_it_writes(tmp_path: Path) -> None:
    lock = Lock(tmp_path / "lock.toml", {'https://a.example/"odd"': "0" * 64}, {"a/b:1": DIGEST})
    lock.path.write_text(lock.text(), encoding="utf-8")
    assert Lock.read(lock.path) == lock
