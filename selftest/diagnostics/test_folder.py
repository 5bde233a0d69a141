"""Names are safe and unique, sizes bounded, and what is cut says so."""

from pathlib import Path

import pytest
import yaml

from fixtures.diagnostics.folder import Folder, slug


@pytest.mark.parametrize(
    ("node", "name"),
    [
        ("suites/eventing/test_filters.py::test_case", "eventing-test_filters-test_case-"),
        ("suites/eventing/test_filters.py::test_x[a/../b]", "eventing-test_filters-test_x-a-..-b-"),
        ("suites/e/test_a.py::test_x[\x1b[31m<b>é\u202e]", "e-test_a-test_x-31m-b-"),
        ("../../etc/passwd", "etc-passwd-"),
        ("suites/e/test_a.py::test_" + "x" * 500, "e-test_a-test_xxx"),
    ],
)
def test_a_slug_is_a_name_for_any_file_system(node: str, name: str) -> None:
    found = slug(node)
    assert found.startswith(name)
    assert len(found) <= 80
    assert set(found) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")


def test_slugs_differ_where_names_do() -> None:
    nodes = ["test_x[a b]", "test_x[a-b]", "test_x[A-b]", "test_x" + "y" * 300, "test_x" + "y" * 301]
    assert len({slug(node).lower() for node in nodes}) == len(nodes)


def test_a_test_that_runs_again_has_another_folder(tmp_path: Path) -> None:
    assert [Folder.unique(tmp_path, "a").path.name for _ in range(3)] == ["a", "a-2", "a-3"]


def test_of_a_long_log_the_end_is_kept(tmp_path: Path) -> None:
    folder = Folder(tmp_path, per_file=1000)
    folder.tail("log.txt", b"password=\xff" + b"x" * 50 + b"\n" + b"line\n" * 1000 + b"the end\n")
    found = (tmp_path / "log.txt").read_text()
    assert found.startswith("(the beginning is left out, of 5069 in all)\n")
    assert found.endswith("line\nthe end\n")
    assert len(found) <= 1000


def test_of_a_long_text_the_beginning_is_kept(tmp_path: Path) -> None:
    Folder(tmp_path, per_file=1000).head("k.txt", "first\n" + "line\n" * 1000)
    found = (tmp_path / "k.txt").read_text()
    assert found.startswith("first\n")
    assert found.endswith("(the end is left out, of 5006 in all)\n")


def test_a_character_that_is_cut_in_two_leaves_nothing(tmp_path: Path) -> None:
    Folder(tmp_path, per_file=1001).tail("log.txt", "é" * 5000)
    assert set((tmp_path / "log.txt").read_text("utf-8").partition("\n")[2]) == {"é"}


def test_when_there_is_no_room_the_rest_is_named(tmp_path: Path) -> None:
    folder = Folder(tmp_path, per_file=1000, in_all=1500)
    for number in range(4):
        folder.tail(f"logs/{number}.txt", "x" * 900)
    assert folder.files == ["logs/0.txt", "logs/1.txt"]
    assert folder.left_out == ["logs/2.txt", "logs/3.txt"]
    assert sum(path.stat().st_size for path in tmp_path.rglob("*.txt")) <= 1500


def test_objects_are_whole_yaml_documents(tmp_path: Path) -> None:
    folder = Folder(tmp_path, per_file=2000)
    folder.objects("o.yaml", [{"kind": "X", "n": number, "text": "a: b\n---\n\x1b[0m<b>"} for number in range(500)])
    text = (tmp_path / "o.yaml").read_text()
    found = [one for one in yaml.safe_load_all(text) if one]
    assert found[0] == {"kind": "X", "n": 0, "text": "a: b\n---\n\\x1b[0m<b>"}
    assert 3 < len(found) < 100
    assert f"# {500 - len(found)} more are left out" in text
