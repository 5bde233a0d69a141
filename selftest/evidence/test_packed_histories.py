"""A history that is packed by gzip reads like one that is not; a damaged or endless one is one clear error."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from evidence import history_file
from evidence.history import HistoryError, read
from evidence.schema.examples import EXAMPLES
from selftest.histories import lines

PLAIN = b"".join(lines(EXAMPLES.values()))


@pytest.fixture
def packed(tmp_path: Path) -> Path:
    path = tmp_path / "history.ndjson.gz"
    path.write_bytes(gzip.compress(PLAIN))
    return path


def test_it_reads_like_a_plain_one_whatever_its_name(tmp_path: Path, packed: Path) -> None:
    plain = tmp_path / "history.ndjson"
    plain.write_bytes(PLAIN)
    assert list(read(packed)) == list(read(plain)) == list(EXAMPLES.values())
    assert history_file.sha256(packed) == history_file.sha256(plain)
    assert list(read(packed.rename(tmp_path / "h.ndjson"))) == list(EXAMPLES.values())


def test_the_plain_one_of_a_folder_comes_first(tmp_path: Path, packed: Path) -> None:
    assert history_file.in_folder(tmp_path) == packed
    (tmp_path / "history.ndjson").write_bytes(PLAIN)
    assert history_file.in_folder(tmp_path) == tmp_path / "history.ndjson"
    assert history_file.in_folder(tmp_path / "none") is None


@pytest.mark.parametrize("reader", [lambda path: list(read(path)), history_file.sha256], ids=["read", "digest"])
@pytest.mark.parametrize("length", [2, 11, 100, len(gzip.compress(PLAIN)) - 1])
def test_one_that_is_cut_off_is_said_to_be(packed: Path, length: int, reader: Callable[[Path], object]) -> None:
    packed.write_bytes(packed.read_bytes()[:length])
    with pytest.raises(HistoryError, match=r"history.ndjson.gz: expected a whole gzip file, got one that is cut off"):
        reader(packed)


@pytest.mark.parametrize("place", [3, 40, -6], ids=["flags", "data", "checksum"])
def test_one_that_is_damaged_is_an_error(packed: Path, place: int) -> None:
    data = bytearray(packed.read_bytes())
    data[place] ^= 0xFF
    packed.write_bytes(data)
    with pytest.raises(HistoryError, match=r"history.ndjson.gz"):
        list(read(packed))


@pytest.mark.parametrize("reader", [lambda path: list(read(path)), history_file.sha256], ids=["read", "digest"])
def test_one_that_unpacks_to_too_much_is_refused_on_the_way(
    packed: Path, monkeypatch: pytest.MonkeyPatch, reader: Callable[[Path], object]
) -> None:
    monkeypatch.setattr(history_file, "MOST_HISTORY", len(PLAIN) - 1)
    with pytest.raises(HistoryError, match=rf"history of at most {len(PLAIN) - 1} bytes, got more"):
        reader(packed)


def test_a_line_without_an_end_is_not_unpacked_to_its_end(packed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history_file, "MOST_LINE", 100)
    packed.write_bytes(gzip.compress(b" " * 10_000_000))
    assert len(next(history_file.lines(packed))) == 101
