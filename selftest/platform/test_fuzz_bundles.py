"""Bundles, archives and tables of contents that others made: they are read, or refused with file and field."""

import gzip
import io
import json
import lzma
import os
import struct
import tarfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.errors import PlatformError, UnknownNameError, UsageError
from fixtures.platform.__main__ import main
from fixtures.platform.sources import archives, bundling
from fixtures.platform.sources.archives import references_in, tags_by_configuration
from fixtures.platform.sources.artefacts import parse
from fixtures.platform.sources.bundle import Bundle
from fixtures.platform.sources.components import COMPONENTS, load
from fixtures.targets.base import TargetOptions
from fixtures.targets.images import _ids_in
from fixtures.targets.kind import source_of
from selftest.fuzzing import SETTINGS, in_a_child, mutated, restructured, said_by

MANIFEST = b"apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c, image: 'a.b/c:1'}]}\n"
TABLE = b"""format = 1
[[component]]
name = "a"
version = "1"
manifests = ["manifests/a.yaml"]
images = ["images/a.tar"]
provides = { kafka = { kind = "apache" } }
[[component.wait]]
for = "accepts"
deadline = 2.5
manifest = { apiVersion = "v1", kind = "ConfigMap", metadata = { name = "x" } }
[workloads]
probe = "a.b/c:1"
archives = ["images/a.tar"]
"""
DOCKER = [{"Config": "0123.json", "RepoTags": ["a.b/c:1"], "Layers": ["l/layer.tar"]}]
OCI = {"schemaVersion": 2, "manifests": [{"annotations": {"io.containerd.image.name": "a.b/c:2"}}]}


def member(name: str, size: int = 0, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    found = tarfile.TarInfo(name)
    found.size, found.type, found.linkname = size, kind, link
    return found


def archive(docker: Any = DOCKER, *more: tarfile.TarInfo, oci: Any = OCI) -> bytes:
    """Return an archive as `docker save` writes it, with some more members."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for info in more:
            tar.addfile(info, io.BytesIO(bytes(info.size)))
        for name, content in (("manifest.json", docker), ("index.json", oci)):
            data = content if isinstance(content, bytes) else json.dumps(content).encode()
            tar.addfile(member(name, len(data)), io.BytesIO(data))
    return buffer.getvalue()


def pax(size: int) -> bytes:
    """Return a header that claims that another header of this many bytes follows."""
    return member("x", size, tarfile.XHDTYPE).tobuf(tarfile.GNU_FORMAT)


def negative() -> bytes:
    """Return a member of a negative size, which leads a reader back to where it was."""
    header = bytearray(member("x", 0).tobuf(tarfile.GNU_FORMAT))
    header[124:136] = b"\xff" * 8 + struct.pack(">i", -1024)
    header[148:156] = b" " * 8
    header[148:156] = f"{sum(header):06o}\0 ".encode()
    return bytes(header) + bytes(1024)


GOOD = archive()
ARCHIVES: dict[str, tuple[Callable[[], bytes], str]] = {
    "truncated gz": (lambda: gzip.compress(GOOD)[:-50], "Compressed file ended before the end-of-stream marker"),
    "truncated xz": (
        lambda: lzma.compress(GOOD)[: len(lzma.compress(GOOD)) // 2],
        "Compressed file ended before the end-of-stream marker",
    ),
    "garbage gz": (lambda: b"\x1f\x8b" + b"x" * 600, "expected an archive as `docker save` writes it"),
    "garbage xz": (lambda: b"\xfd7zXZ\x00" + b"x" * 600, "expected an archive as `docker save` writes it"),
    "garbage bz2": (lambda: b"BZh9" + b"x" * 600, "expected an archive as `docker save` writes it"),
    "truncated tar": (lambda: GOOD[:600], "expected an archive as `docker save` writes it"),
    "empty": (lambda: b"", "expected an archive as `docker save` writes it"),
    "deep JSON": (lambda: archive(b"[" * 100_000), "manifest.json: expected JSON, got none"),
    "nested JSON": (lambda: archive(b"[" * 500 + b"]" * 500), "manifest.json: expected at most 100 levels"),
    "no JSON": (lambda: archive(b"\xff"), "manifest.json: expected JSON, got none"),
    "manifest is a mapping": (lambda: archive({}), "manifest.json: expected a list, got {}"),
    "entry is a number": (lambda: archive([5]), "manifest.json[0]: expected a mapping, got 5"),
    "tags are a text": (
        lambda: archive([{"RepoTags": "abc"}]),
        "manifest.json[0].RepoTags: expected a list, got 'abc'",
    ),
    "tag is a number": (lambda: archive([{"RepoTags": [1]}]), "manifest.json[0].RepoTags: expected a text, got 1"),
    "Config is a list": (lambda: archive([{"Config": [1]}]), "manifest.json[0].Config: expected a text, got [1]"),
    "index is a list": (lambda: archive(oci=[1]), "index.json: expected a mapping, got [1]"),
    "manifests are a text": (lambda: archive(oci={"manifests": "x"}), "index.json.manifests: expected a list, got 'x'"),
    "annotations are a text": (
        lambda: archive(oci={"manifests": [{"annotations": "x"}]}),
        "index.json.manifests[0]: expected a mapping with annotations",
    ),
    "no name": (lambda: archive([], oci={}), "expected an archive that names its images"),
    "bomb": (lambda: gzip.compress(member("x", 8 << 30).tobuf() + bytes(1 << 20)), "bytes unpacked"),
    "huge header": (lambda: pax(4 << 30), "got a header of more than 32 MiB"),
    "huge packed header": (lambda: gzip.compress(pax(48 << 20) + bytes(48 << 20)), "got a header of more than 32 MiB"),
    "negative size": (negative, "expected a size, got -"),
    "size beyond the end": (lambda: member("x", 1 << 60).tobuf(tarfile.GNU_FORMAT), "bytes unpacked"),
    "chain of headers": (lambda: (pax(512) + bytes(512)) * 3000, "expected an archive as `docker save` writes it"),
    "device": (lambda: archive(DOCKER, member("null", kind=tarfile.CHRTYPE)), "'null': expected files, folders and"),
    "pipe": (lambda: archive(DOCKER, member("pipe", kind=tarfile.FIFOTYPE)), "'pipe': expected files, folders and"),
    "absolute": (lambda: archive(DOCKER, member("/etc/x")), "'/etc/x': expected a name inside the archive"),
    "upwards": (lambda: archive(DOCKER, member("a/../../x")), "'a/../../x': expected a name inside the archive"),
    "link out": (
        lambda: archive(DOCKER, member("a/l", kind=tarfile.SYMTYPE, link="../../x")),
        "'a/l': expected a link inside the archive, got one to '../../x'",
    ),
    "hard link out": (
        lambda: archive(DOCKER, member("a/l", kind=tarfile.LNKTYPE, link="../x")),
        "'a/l': expected a link inside the archive, got one to '../x'",
    ),
}


@pytest.mark.parametrize(("made", "said"), ARCHIVES.values(), ids=ARCHIVES)
def test_a_hostile_archive_is_refused_soon(tmp_path: Path, made: Callable[[], bytes], said: str) -> None:
    path = tmp_path / "a.tar"
    path.write_bytes(made())
    begun = time.monotonic()
    found = said_by(lambda: references_in(path), PlatformError)
    assert found.startswith(str(path))
    assert said in found
    assert len(found) < 500
    assert time.monotonic() - begun < 10
    assert _ids_in(path) == {} or "index" in found


@pytest.mark.parametrize("packed", [bytes, gzip.compress, lzma.compress], ids=["plain", "gz", "xz"])
def test_a_good_archive_is_read_links_within_it_included(tmp_path: Path, packed: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "a.tar"
    link = member("b/layer.tar", kind=tarfile.SYMTYPE, link="../a/layer.tar")
    path.write_bytes(packed(archive(DOCKER, member("./a/layer.tar", 2000), link)))
    assert references_in(path) == {"a.b/c:1", "a.b/c:2"}
    assert tags_by_configuration(path) == {"0123.json": ["a.b/c:1"]}


def test_a_gzip_bomb_is_left_at_its_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "FREE", 1 << 20)
    path = tmp_path / "bomb.tar"
    path.write_bytes(gzip.compress(member("zeros", 40 << 20).tobuf() + bytes(40 << 20), mtime=0))
    most = (1 << 20) + archives.MOST_RATIO * path.stat().st_size
    assert most < 40 << 20
    assert f"claims more than {most} bytes unpacked" in said_by(lambda: references_in(path), PlatformError)


def test_many_members_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MOST_MEMBERS", 10)
    (tmp_path / "a.tar").write_bytes(archive(DOCKER, *(member(str(number)) for number in range(20))))
    said = said_by(lambda: references_in(tmp_path / "a.tar"), PlatformError)
    assert "expected at most 10 files in it, got more" in said


@SETTINGS
@given(content=mutated(GOOD, gzip.compress(GOOD, mtime=0), lzma.compress(GOOD)))
def test_a_changed_archive_is_read_or_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.tar"
    path.write_bytes(content)
    said = said_by(lambda: references_in(path), PlatformError)
    assert not said or said.startswith(str(path))


@SETTINGS
@given(docker=restructured(DOCKER), oci=restructured(OCI))
def test_a_changed_table_of_an_archive_is_read_or_refused(tmp_path: Path, docker: Any, oci: Any) -> None:
    path = tmp_path / "a.tar"
    path.write_bytes(archive(docker, oci=oci))
    found: set[str] = set()
    said = said_by(lambda: found.update(references_in(path)), PlatformError)
    assert not said or said.startswith(str(path))
    assert all(isinstance(reference, str) for reference in found)


def bundle(folder: Path, table: bytes = TABLE, manifest: bytes = MANIFEST, images: bytes = GOOD) -> Path:
    for name, content in {"bundle.toml": table, "manifests/a.yaml": manifest, "images/a.tar": images}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


@SETTINGS
@given(table=mutated(TABLE))
def test_a_changed_bundle_is_checked_or_refused(tmp_path: Path, table: bytes) -> None:
    folder = bundle(tmp_path, table)
    said = said_by(lambda: bundling.check(Bundle.open(folder)), PlatformError, UsageError)
    assert not said or str(folder) in said


@SETTINGS
@given(text=mutated(COMPONENTS.read_bytes()))
def test_a_changed_list_of_components_is_read_or_refused(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "components.toml"
    path.write_bytes(text)
    said = said_by(lambda: load(path), PlatformError, UnknownNameError)
    assert not said or str(tmp_path) in said


@SETTINGS
@given(content=mutated(MANIFEST, (COMPONENTS.parent / "kafka.yaml").read_bytes()))
def test_changed_manifests_are_read_or_refused(content: bytes) -> None:
    text = content.decode("utf-8", "surrogateescape")
    said = said_by(lambda: json.dumps(parse(text, "x.yaml"), allow_nan=False), PlatformError)
    assert not said or said.startswith("x.yaml")


def _symlink(folder: Path) -> None:
    (folder / "manifests" / "a.yaml").unlink()
    (folder / "manifests" / "a.yaml").symlink_to("/etc/hostname")


def _linked_folder(folder: Path) -> None:
    (folder / "manifests").rename(folder.parent / "elsewhere")
    (folder / "manifests").symlink_to(folder.parent / "elsewhere")


def _linked_table(folder: Path) -> None:
    (folder / "bundle.toml").rename(folder.parent / "elsewhere.toml")
    (folder / "bundle.toml").symlink_to(folder.parent / "elsewhere.toml")


def _pipe(folder: Path) -> None:
    (folder / "images" / "a.tar").unlink()
    os.mkfifo(folder / "images" / "a.tar")


def _pipe_as_table(folder: Path) -> None:
    (folder / "bundle.toml").unlink()
    os.mkfifo(folder / "bundle.toml")


def _written(name: str, content: bytes) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        (folder / name).write_bytes(content)

    return write


BROKEN: dict[str, tuple[Callable[[Path], None], int, str]] = {
    "symlink": (_symlink, 2, "component[0].manifests[0]: expected a file inside"),
    "linked folder": (_linked_folder, 2, "component[0].manifests[0]: expected a file inside"),
    "linked table": (_linked_table, 2, "'bundle.toml', a link that leads out to"),
    "pipe": (_pipe, 2, "component[0].images[0]: expected a regular file"),
    "pipe as table": (_pipe_as_table, 2, "expected a regular file"),
    "deep TOML": (_written("bundle.toml", b"a = " + b"[" * 30_000), 2, "bundle.toml: no TOML"),
    "nested TOML": (_written("bundle.toml", b"a" + b".a" * 300 + b" = 1"), 2, "at most 100 levels of nesting"),
    "huge integer": (_written("bundle.toml", b"a = " + b"9" * 5000), 2, "bundle.toml: no TOML"),
    "large integer": (_written("bundle.toml", b"a = " + b"9" * 50), 2, "expected numbers of 64 bits"),
    "endless deadline": (_written("bundle.toml", TABLE.replace(b"2.5", b"inf")), 2, "expected finite numbers, got inf"),
    "no deadline": (_written("bundle.toml", TABLE.replace(b"2.5", b"nan")), 2, "expected finite numbers, got nan"),
    "date": (_written("bundle.toml", TABLE.replace(b'"apache"', b"2020-01-01")), 2, "got the date or time 2020-01-01"),
    "huge TOML": (_written("bundle.toml", b"# x\n" * 300_000), 2, "expected at most 1048576 bytes, got more"),
    "not UTF-8": (_written("bundle.toml", b"a = 1\n\xff"), 2, "bundle.toml:2: expected UTF-8"),
    "NUL in a name": (_written("bundle.toml", TABLE.replace(b"/a.yaml", b"/\\u0000")), 2, "which is not there"),
    "long name": (_written("bundle.toml", TABLE.replace(b"/a.yaml", b"/" + b"x" * 5000)), 2, "which is not there"),
    "deep YAML": (_written("manifests/a.yaml", b"[" * 30_000), 2, "a.yaml:1:101: field [0][0][0]: expected at most"),
    "unhashable key": (_written("manifests/a.yaml", b"? [1]\n: 2"), 2, "a.yaml:1:3: expected a name as key"),
    "huge number": (_written("manifests/a.yaml", b"a: " + b"9" * 5000), 2, "a.yaml:1:4: field a: expected an integer"),
    "impossible date": (_written("manifests/a.yaml", MANIFEST + b"x: 2020-99-99"), 0, "all there"),
    "tags are a text": (_written("images/a.tar", archive([{"RepoTags": "abc"}])), 2, "RepoTags: expected a list"),
    "truncated image": (_written("images/a.tar", gzip.compress(GOOD)[:-50]), 2, "a.tar: expected an archive"),
}


@pytest.mark.parametrize(("broken", "code", "said"), BROKEN.values(), ids=BROKEN)
def test_a_broken_bundle_is_one_line_for_its_user(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], broken: Callable[[Path], None], code: int, said: str
) -> None:
    folder = bundle(tmp_path / "bundle")
    broken(folder)
    assert main(["bundle", "check", str(folder)]) == code
    told = capsys.readouterr()
    line = told.err if code else told.out
    assert said in line
    assert line.count("\n") == 1
    assert "Traceback" not in line


@SETTINGS
@given(answer=restructured(DOCKER).map(lambda value: json.dumps(value, default=str)) | st.binary(max_size=50).map(repr))
def test_what_a_node_says_of_its_images_is_read_or_nothing(tmp_path: Path, answer: str) -> None:
    path = tmp_path / "a.tar"
    path.write_bytes(archive(answer.encode("utf-8", "replace")))
    assert isinstance(_ids_in(path), dict)


def test_no_bundle_crashes_the_process(tmp_path: Path) -> None:
    folder = bundle(tmp_path, manifest=b"[" * 30_000)
    done = in_a_child(
        f"import sys\nfrom fixtures.platform.__main__ import main\nsys.exit(main(['bundle', 'check', {str(folder)!r}]))"
    )
    assert done.returncode == 2, done.stderr
    assert "a.yaml:1:101" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("content", [b"[" * 30_000, b"\xff", b"a: " + b"9" * 5000, b"- 1", b""], ids=range(5))
def test_a_broken_kubeconfig_is_one_line_for_its_user(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    path = tmp_path / "config"
    path.write_bytes(content)
    assert main(["status", "--kubeconfig", str(path)]) == 2
    line = capsys.readouterr().err
    assert line.startswith(f"cannot use kubeconfig {path}")
    assert line.count("\n") == 1


def test_a_broken_bundle_is_a_mistake_in_the_options_of_a_run(tmp_path: Path) -> None:
    folder = bundle(tmp_path / "bundle")
    _symlink(folder)
    said = said_by(lambda: source_of(TargetOptions(run_dir=tmp_path, bundle=folder)), UsageError)
    assert said.startswith(f"--bundle {folder}: ")
    assert "a link that leads out" in said
