"""A history from anybody: no reader, writer or command breaks over it, and what is missing from it never passes."""

import contextlib
import copy
import io
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evidence.bodies import LARGE, body_record, digest
from evidence.catalogue import Catalogue
from evidence.catalogue import load as load_catalogue
from evidence.history import FORMAT, HistoryError, read
from evidence.replay import replay
from reports import __main__ as cli
from reports import build, check, write
from reports.errors import ReportError
from selftest.evidence.test_replay import a_test, numbered
from selftest.fixtures import house
from selftest.histories import lines as sealed_lines
from selftest.reports.conftest import CATALOGUE, MUTANTS, History
from selftest.warm.running import run as run_command

TESTS = """
@pytest.mark.requirement("TST-ONE-001")
def test_conforms(sinks):
    headers = [["ce-id", "1"], ["ce-source", "/s"]]
    expect(answered(post(running_test(), sinks([Answer(202)]).url, headers, b"", "POST"), 202))

@pytest.mark.requirement("TST-TWO-001")
def test_does_not(sinks):
    expect(answered(post(running_test(), sinks([Answer(500)]).url, [], b"", "POST"), 202))
"""
Reading = Callable[[Path], object]


@dataclass(frozen=True)
class Ground:
    """A folder of a run, the catalogue that it is judged by, and the lines of its honest history."""

    folder: Path
    catalogue: Path
    lines: tuple[bytes, ...]

    def write(self, lines: Sequence[bytes]) -> Path:
        """Put other lines in the place of its history."""
        path = self.folder / "history.ndjson"
        path.write_bytes(b"".join(lines))
        return path


def story_records() -> list[dict[str, Any]]:
    """Return a hand-written run: an event accepted, one refused, and tests with deliveries, topics and offsets."""
    history = History().start().test("EVT-ING-001").test("EVT-FLT-003", 500).test("EVT-RTE-003")
    stories = numbered([a_test("a"), a_test("b", arrives=False)], [0])
    shift = len(history.records)
    for record in stories:
        moved: dict[str, Any] = copy.deepcopy(record) | {"seq": record["seq"] + shift}
        if record["record"] == "expectation":
            moved["upto"] += shift
        history.records.append(moved)
    extras: list[dict[str, Any]] = [
        {"record": "probe.restarted", "instance": "b", "reason": "it did"},
        {"record": "history.gap", "reason": "gone"},
        {"record": "load", "load": "l1", "rate": 1, "samples": [[1.0, 1.0, 1.1, 202, "e"]]},
        {"record": "diagnostics", "folder": "diagnostics/t", "files": ["a.txt"]},
        {"record": "preflight", "rows": [], "not_testable": {}},
        {**body_record(digest("a" * LARGE), "a" * LARGE)},
        {"record": "received", "sink": "", "receive": "r", "path": "/", "method": "POST", "headers": []},
    ]
    extras[-1]["body"] = {"sha256": digest("a" * LARGE)}
    for extra in extras:
        history.add(**{"scope": "a", **extra})
    return history.finish().records


def made(folder: Path, lines: Sequence[bytes], catalogue: Path) -> Ground:
    ground = Ground(folder, catalogue, tuple(lines))
    path = ground.write(lines)
    write.write(build.build(path, load_catalogue(catalogue), ()), folder, path)
    return ground


@pytest.fixture(scope="module")
def grounds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ground]:
    """Return the runs to begin from: a hand-written one, and a real one of a small house."""
    written, home = tmp_path_factory.mktemp("written"), tmp_path_factory.mktemp("house")
    (written / "catalogue").mkdir()
    (written / "catalogue" / "eventing.toml").write_text(CATALOGUE, encoding="utf-8")
    (written / "catalogue" / "mutants.toml").write_text(MUTANTS, encoding="utf-8")
    lines = sealed_lines(story_records())
    house.build(home, TESTS)
    command = [sys.executable, "-m", "pytest", "suites", "--target", "fake", "-p", "no:cacheprovider", "-n0"]
    done = run_command(command, cwd=home)
    real = house.run_folder(home).resolve()
    assert (real / "history.ndjson").exists(), done.stdout + done.stderr
    real_lines = (real / "history.ndjson").read_bytes().splitlines(keepends=True)
    return {
        "written": made(written, lines, written / "catalogue"),
        "real": made(real, real_lines, home / "suites" / "catalogue"),
    }


def command(*words: str) -> Reading:
    def run(folder: Path) -> object:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            code = cli.main([words[0], str(folder), *words[1:]])
        assert code in {0, 1, 2}
        return code

    return run


def catalogue_of(folder: Path) -> Catalogue:
    del folder
    return load_catalogue(cli.CATALOGUE)


READERS: dict[str, Reading] = {
    "read": lambda folder: list(read(folder / "history.ndjson")),
    "replay": lambda folder: [test.ruling() for test in replay(folder / "history.ndjson").tests],
    "build": lambda folder: build.build(folder / "history.ndjson", catalogue_of(folder), ()),
    "check": command("check"),
    "show": command("show"),
    "show one": command("show", "--requirement"),
    "render": command("render"),
}

NASTY: list[Any] = [
    None, True, 0, -1, 1, 2**63, -(2**63), 10**30, 1e308, -1e308, 0.5, "", "x", "\x00", "\u20ac", "x" * 5000, "..",
    [], [[]], [None], [1, 2], {}, {"a": {}}, {"$ref": "event"}, {"$bytes": "\u20ac"}, {"$ref": ["x"]}, "NaN",
]  # fmt: skip


def nested(depth: int) -> Any:
    value: Any = []
    for _ in range(depth):
        value = {"a": [value]}
    return value


VALUES = st.one_of(st.sampled_from([*NASTY, nested(20), nested(200)]), st.integers(), st.floats(), st.text(max_size=5))
LINES = [
    b"\n", b"{}\n", b"[]\n", b"null\n", b"\xff\xfe\n", b"\xef\xbb\xbf{}\n", b"\x00\n", b"NaN\n", b'{"seq":NaN}\n',
    b"[" * 100_000 + b"\n", b'{"a":' * 2000 + b"\n", b'{"seq":1e999}\n', b"{" + b'"seq":1,' * 5 + b'"t":1}\n',
]  # fmt: skip


def places(value: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place] + [found for key, item in inner for found in places(item, (*place, key))]


def put(record: Any, place: tuple[Any, ...], value: Any, *, delete: bool) -> Any:
    """Return the record with another value at a place, or without it."""
    if not place:
        return value
    changed = copy.deepcopy(record)
    outer = changed
    for key in place[:-1]:
        outer = outer[key]
    if delete:
        del outer[place[-1]]
    else:
        outer[place[-1]] = value
    return changed


def to_line(value: Any) -> bytes:
    return json.dumps(value).encode("utf-8", "surrogatepass") + b"\n"  # as strange as JSON can be: NaN, huge numbers


@st.composite
def mutated(draw: st.DrawFn, honest: Sequence[bytes]) -> list[bytes]:
    """Return an honest history with up to four changes of lines, fields and bytes."""
    lines = list(honest)
    for _ in range(draw(st.integers(1, 4))):
        if not lines:
            break
        at = draw(st.integers(0, len(lines) - 1))
        match draw(
            st.sampled_from(["field", "field", "field", "gone", "delete", "double", "swap", "cut", "line", "crlf"])
        ):
            case "field" | "gone" as what:
                try:
                    record = json.loads(lines[at])
                except (ValueError, RecursionError):
                    continue
                place = draw(st.sampled_from(places(record)))
                lines[at] = to_line(put(record, place, draw(VALUES), delete=what == "gone"))
            case "delete":
                del lines[at]
            case "double":
                lines.insert(at, lines[at])
            case "swap":
                other = draw(st.integers(0, len(lines) - 1))
                lines[at], lines[other] = lines[other], lines[at]
            case "cut":
                lines[at] = lines[at][: draw(st.integers(0, len(lines[at])))]
            case "line":
                lines.insert(at, draw(st.sampled_from(LINES)))
            case "crlf":
                lines[at] = lines[at].replace(b"\n", b"\r\n")
    return lines


@pytest.mark.parametrize("ground", ["written", "real"])
@settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(data=st.data())
def test_no_history_breaks_a_reader_a_writer_or_a_command(
    grounds: dict[str, Ground], ground: str, data: st.DataObject
) -> None:
    given_ground = grounds[ground]
    given_ground.write(data.draw(mutated(given_ground.lines)))
    name = data.draw(st.sampled_from(list(READERS)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cli, "CATALOGUE", given_ground.catalogue)
        reader = READERS[name]
        if name == "show one":
            requirement = load_catalogue(given_ground.catalogue).requirements[0].id
            reader = command("show", "--requirement", requirement)
        if name in {"read", "replay", "build"}:
            with contextlib.suppress(HistoryError, ReportError):
                reader(given_ground.folder)
        else:
            reader(given_ground.folder)


WRONG: list[tuple[str, str, Any, str]] = [
    ("run.started", "wall", ..., "field wall: expected a time as by ISO 8601, got nothing"),
    ("run.started", "sut", {"kserve": 1}, "field sut: expected an object of texts or null, got an object of 1 fields"),
    ("run.started", "selection", {"gate": "lax"}, "field selection.gate: expected one of known, strict, or nothing"),
    ("run.started", "selection", {"profiles": [{}]}, "field selection.profiles: expected a list of at most"),
    ("test.started", "mutant", ..., "field mutant: expected a text of 1 to 1000 characters or null, got nothing"),
    ("test.started", "requirements", [{}], "field requirements: expected a list of at most 1000 texts"),
    ("test.finished", "duration", -1, "field duration: expected a number from 0 to 1e+12, got -1"),
    ("test.finished", "outcome", "fine", "field outcome: expected one of passed, failed"),
    ("expectation", "upto", 1.5, "field upto: expected a whole number from 0, got 1.5"),
    ("expectation", "args", nested(100), "expected lists and objects nested at most 64 deep"),
    ("answered", "status", "202", "field status: expected a whole number from 0 to 999 or null, got '202'"),
    ("collected", "cases", [{}], "field cases: expected a list of cases"),
    ("probe.restarted", "reason", 1, "field reason: expected a text, got 1"),
]


@pytest.mark.parametrize("words", [["check"], ["show"], ["render"]], ids=lambda words: words[0])
@pytest.mark.parametrize(
    ("kind", "field", "value", "told"), WRONG, ids=[f"{k}.{f}-{n}" for n, (k, f, *_) in enumerate(WRONG)]
)
def test_a_wrong_field_is_one_clear_error_of_every_command(
    grounds: dict[str, Ground],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    words: list[str],
    kind: str,
    field: str,
    value: Any,
    told: str,
) -> None:
    ground = grounds["written"]
    lines = list(ground.lines)
    at = next(number for number, line in enumerate(lines) if orjson.loads(line)["record"] == kind)
    record = orjson.loads(lines[at]) | {field: value}
    lines[at] = to_line({name: content for name, content in record.items() if content is not ...})
    ground.write(lines)
    monkeypatch.setattr(cli, "CATALOGUE", ground.catalogue)
    assert cli.main([words[0], str(ground.folder)]) == 2
    said = capsys.readouterr().err
    assert f"history.ndjson:{at + 1}: {told}" in said
    assert len(said.splitlines()) == 1


def closed_up(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the records numbered anew, as a forger would: expectations point at what they pointed at before."""
    numbers = {record["seq"]: number for number, record in enumerate(records, start=1)}
    for number, record in enumerate(records, start=1):
        record["seq"] = number
        if record["record"] == "expectation":
            record["upto"] = max((new for old, new in numbers.items() if old <= record["upto"]), default=0)
    return records


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(missing=st.sets(st.integers(0, 60), min_size=1, max_size=20), close=st.booleans())
def test_what_is_removed_never_makes_a_pass_of_a_run_that_failed_or_lost_something(
    tmp_path: Path, catalogue: Any, missing: set[int], close: object
) -> None:
    history = History().start().test("EVT-ING-001").test("EVT-ING-001", 500, name="EVT-ING-001[bad]")
    honest = history.test("EVT-FLT-003").test("EVT-RTE-003").finish().records
    gone = {place % len(honest) for place in missing}
    left = [copy.deepcopy(record) for place, record in enumerate(honest) if place not in gone]
    if left:
        left[0]["format"] = FORMAT  # without it nobody reads the rest
    history.records = closed_up(left) if close else left
    report = build.build(history.write(tmp_path), catalogue, ())
    bad = report.find("EVT-ING-001")
    assert bad is not None
    assert bad.verdict != "pass" or report.history_faults
    assert report.gate.exit != 0
    for result in report.results:
        started = any(
            record.get("requirements") == [result.id] for record in left if record["record"] == "test.started"
        )
        assert started or result.verdict != "pass"


def test_an_answer_without_its_request_is_our_fault_and_not_the_systems(tmp_path: Path, catalogue: Any) -> None:
    history = History().start().test("EVT-ING-001", 500).test("EVT-FLT-003").test("EVT-RTE-003").finish()
    history.records = closed_up([record for record in history.records if record["seq"] != 3])
    report = build.build(history.write(tmp_path), catalogue, ())
    accused = report.find("EVT-ING-001")
    assert accused is not None
    assert accused.verdict == "error"
    assert "-s1 before its `answered`, got none" in accused.reason
    assert any("the probe lost it" in fault for fault in report.history_faults)
    assert report.gate.exit == 2


def test_a_clock_that_goes_back_is_a_fault(tmp_path: Path, catalogue: Any) -> None:
    history = History().start().test("EVT-ING-001").test("EVT-FLT-003").test("EVT-RTE-003").finish()
    history.records[6]["t"] -= 2
    report = build.build(history.write(tmp_path), catalogue, ())
    assert [fault for fault in report.history_faults if "the clock went back" in fault]
    assert report.gate.exit == 2


def test_the_parts_of_two_runs_do_not_make_one(tmp_path: Path, catalogue: Any) -> None:
    history = History().start().test("EVT-ING-001").test("EVT-FLT-003")
    history.start().test("EVT-RTE-003").finish()
    report = build.build(history.write(tmp_path), catalogue, ())
    assert any("a second run.started" in fault for fault in report.history_faults)
    assert report.gate.exit == 2


FORGED = [
    ("reason", "another"), ("level", "MAY"), ("text", "It does."), ("source", "mine"), ("url", "http://mine"),
    ("profile", "latency"), ("area", "tracing"), ("duration", 9.0), ("verdict", "error"),
]  # fmt: skip


@pytest.mark.parametrize(("field", "value"), FORGED, ids=[field for field, _ in FORGED])
def test_every_field_of_a_result_is_compared(tmp_path: Path, catalogue: Any, field: str, value: Any) -> None:
    history = History().start().test("EVT-ING-001", 500).test("EVT-FLT-003").test("EVT-RTE-003").finish()
    path = history.write(tmp_path)
    write.write(build.build(path, catalogue, ()), tmp_path, path)
    document = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    result = next(result for result in document["results"] if result["id"] == "EVT-ING-001")
    before, result[field] = result[field], value
    (tmp_path / "report.json").write_text(json.dumps(document), encoding="utf-8")
    (told,) = check.check(tmp_path, catalogue, ()).differences
    assert told.startswith(f"EVT-ING-001: {field}: expected {json.dumps(before)[:200]}")
    assert told.endswith(f"got {json.dumps(value)}")


@pytest.mark.parametrize("place", ["tests", "cases", "known", "gate", "history"])
def test_so_are_the_tests_the_cases_and_all_else(tmp_path: Path, catalogue: Any, place: str) -> None:
    history = History().start().test("EVT-ING-001", 500).test("EVT-FLT-003").test("EVT-RTE-003").finish()
    path = history.write(tmp_path)
    write.write(build.build(path, catalogue, ()), tmp_path, path)
    document = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    result = next(result for result in document["results"] if result["id"] == "EVT-ING-001")
    known = {
        "sut": "x",
        "versions": ["1"],
        "summary": "s",
        "source": "s",
        "url": None,
        "evidence": "e",
        "status": "seen",
    }
    match place:
        case "tests":
            result["tests"][0]["reason"] = "another"
        case "cases":
            result["cases"]["ran"] = 7
        case "known":
            result["known"] = known
        case "gate":
            document["gate"]["reasons"].append("another")
        case _:
            document["history"]["faults"].append("another")
    (tmp_path / "report.json").write_text(json.dumps(document), encoding="utf-8")
    assert check.check(tmp_path, catalogue, ()).differences


def test_a_report_that_nests_without_end_is_a_clear_error(tmp_path: Path, catalogue: Any) -> None:
    History().start().finish().write(tmp_path)
    (tmp_path / "report.json").write_text('{"selection":' * 500 + "1" + "}" * 500, encoding="utf-8")
    with pytest.raises(ReportError, match="nested at most"):
        check.check(tmp_path, catalogue, ())
