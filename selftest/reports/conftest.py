"""Small histories by hand, and reports from them: no platform, no probe."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest

from evidence.catalogue import Catalogue
from evidence.catalogue import load as load_catalogue
from evidence.collection import Case, parts, summary
from evidence.expectations import accepted
from evidence.records import FORMAT
from evidence.refs import EventRef
from evidence.run_names import run_hash, scope_name
from reports.build import build
from reports.model import Known, Report
from selftest.fixtures import house
from selftest.histories import lines, read
from selftest.reports.forging import run
from selftest.reports.handing_in import HandedIn, as_on_a_cluster

CATALOGUE = """
[[requirement]]
id = "EVT-FLT-003"
level = "MUST"
profile = "broker-core"
cases = 1
text = "Filter values are compared case-sensitively."
source = "knative/specs eventing/control-plane.md"
mutants = ["filter-ignores-case"]

[[requirement]]
id = "EVT-ING-001"
level = "MUST"
profile = "broker-core"
cases = 1
text = "A Broker accepts an event in binary mode."
source = "knative/specs eventing/data-plane.md"
mutants = ["ingress-down"]

[[requirement]]
id = "EVT-RTE-003"
level = "SHOULD"
profile = "broker-extended"
cases = 1
text = "Extensions are kept."
source = "cloudevents/spec"
mutants = ["extensions-dropped"]
"""
MUTANTS = "\n".join(
    f'[[mutant]]\nname = "{name}"\nhost = "platform"\nareas = ["eventing"]\nabout = "Wrong."\nsource = "a thread"\n'
    for name in ("filter-ignores-case", "ingress-down", "extensions-dropped")
)
KNOWN = (Known("EVT-FLT-003", "kserve", ("0.21.0",), "It ignores case.", "an upstream issue", where="a file"),)
IDS = ("EVT-FLT-003", "EVT-ING-001", "EVT-RTE-003")
GOOD, BAD = 202, 500
RUN = "20261121-000000-1"


class History:
    """Writes records as the probe would."""

    def __init__(self) -> None:
        self.records: list[dict[str, Any]] = []
        self.cases: list[Case] = []
        self.words: tuple[str, ...] = ()
        self.later = 0.0
        """The seconds for which nothing happened so far, beside a millisecond a record."""

    def add(self, record: str, scope: str = "", **fields: Any) -> int:
        """One record; returns its number."""
        seq = len(self.records) + 1
        head = {} if self.records else {"format": FORMAT}
        self.records.append(
            {**head, "seq": seq, "t": 100 + self.later + seq / 1000, "record": record, "scope": scope, **fields}
        )
        return seq

    def start(self, gate: str = "known", argv: Sequence[str] = (), **sut: str) -> "History":
        """Return the beginning of a run; versions of the system by name.

        Of `argv` all but `--prove` and `--conforming` narrows the run.
        """
        words = self.words = tuple(word for word in argv if word not in {"--prove", "--conforming"})
        self.add(
            "run.started",
            run=RUN,
            suite={"version": "0.1.0", "commit": "abc+dirty"},
            target={"name": "embedded", "kafka": {"kind": "mock", "version": "2.16.0"}},
            sut=sut or {"kserve": "0.21.0"},
            selection={
                "argv": list(argv),
                "gate": gate,
                "prove": "--prove" in argv,
                "conforming": "--conforming" in argv,
                "narrowed": [" ".join(words)] if words else [],
            },
            wall="2026-11-21T00:00:00+00:00",
            requirements=dict.fromkeys(IDS, 1),
        )
        return self

    def test(
        self,
        requirement: str,
        status: int = GOOD,
        *,
        mutant: str | None = None,
        outcome: str | None = None,
        reason: str = "",
        text: str = "{}",
        name: str = "",
    ) -> "History":
        """A test that sends one event and expects 2xx for it; `status` decides whether it gets that."""
        scope = scope_name(run_hash(RUN), "gw0", len(self.records))
        case = Case(f"suites/e/test_e.py::{name or requirement}", (requirement,), mutant)
        self.cases += [case] if case not in self.cases else []
        self.add("test.started", scope, test=case.test, requirements=list(case.requirements), mutant=mutant)
        send = f"{scope}-s1"
        headers = [["ce-id", "1"], ["ce-source", f"/{scope}"], ["ce-type", "t"], ["ce-specversion", "1.0"]]
        headers += [["Authorization", "Bearer abcdefghijk"]]
        event = {"source": f"/{scope}", "id": "1"}
        self.add(
            "sent", scope, send=send, url="http://ingress/ns/b", method="POST", headers=headers, body="{}", event=event
        )
        last = self.add(
            "answered",
            scope,
            send=send,
            status=status,
            headers=[],
            body=text,
            error=None,
            sent_t=100.0,
            answered_t=100.1,
        )
        passed = 200 <= status < 300
        expectation = accepted(EventRef(**event, send=send))
        self.add(
            "expectation",
            scope,
            expectation=f"{scope}-e1",
            check=expectation.check,
            args=expectation.args,
            deadline=1.0,
            timed_out=False,
            upto=last,
            verdict="pass" if passed else "fail",
            violations=[]
            if passed
            else [{"message": f"got {status}: {text}", "witness": [last], "where": "the ingress"}],
        )
        self.add(
            "test.finished", scope, outcome=outcome or ("passed" if passed else "failed"), reason=reason, duration=0.25
        )
        return self

    def collect(self, *more: Case) -> "History":
        """Write what was collected: the tests so far, others if given, and, in a narrowed run, the rest as left out."""
        honest = self.records[0]["selection"]["prove"]
        cases = [case for case in (*self.cases, *more) if not (honest and case.mutant)]
        asked = {name for case in cases for name in case.requirements}
        left_out = [name for name in IDS if self.words and name not in asked]
        others = [Case(f"suites/e/test_e.py::{name}", (name,), None, " ".join(self.words)) for name in left_out]
        cases = [*self.cases, *more, *others]
        for record in (*parts("gw0", cases), summary("gw0", cases), summary("gw1", cases)):
            fields: dict[str, Any] = {**record}
            self.add(**fields)
        return self

    def finish(self, reason: str = "completed", *more: Case) -> "History":
        """Return the end of a run, and what it had collected: where that stands makes no difference."""
        self.collect(*more)
        self.add("run.finished", reason=reason, wall="2026-11-21T00:01:00+00:00")
        return self

    def of_run(self, name: str) -> "History":
        """Make all of it another run's: its scopes carry the run too."""
        old, new = (run_hash(run).encode() for run in (RUN, name))
        self.records = orjson.loads(orjson.dumps(self.records).replace(old, new))
        self.records[0] |= {"run": name} if "run" in self.records[0] else {}
        return self

    def write(self, folder: Path) -> Path:
        """Return the file."""
        path = folder / "history.ndjson"
        path.write_bytes(b"".join(lines(self.records)))
        return path


@pytest.fixture
def history() -> History:
    return History()


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    folder = tmp_path / "catalogue"
    folder.mkdir()
    (folder / "eventing.toml").write_text(CATALOGUE, encoding="utf-8")
    (folder / "mutants.toml").write_text(MUTANTS, encoding="utf-8")
    (folder / "VERSION").write_text("3.1\n", encoding="utf-8")
    return load_catalogue(folder)


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    folder.mkdir()
    return folder


@pytest.fixture
def reported(run_dir: Path, catalogue: Catalogue) -> Callable[[History], Report]:
    def make(history: History) -> Report:
        return build(history.write(run_dir), catalogue, KNOWN)

    return make


@pytest.fixture(scope="package")
def passing_house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a house with a small real run that passes."""
    return run(tmp_path_factory.mktemp("houses") / "passing", 204)


@pytest.fixture(scope="package")
def failing_house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a house with a small real run, of which one case of three fails."""
    return run(tmp_path_factory.mktemp("houses") / "failing", 500)


@pytest.fixture
def handed_in(passing_house: Path, tmp_path: Path, request: pytest.FixtureRequest) -> HandedIn:
    """Return an honest run with its signature, which nobody has touched yet."""

    def of_run(folder: Path) -> list[dict[str, Any]]:
        return as_on_a_cluster([*read(house.run_folder(folder) / "history.ndjson")])

    folder = tmp_path / "run"
    folder.mkdir()
    made = HandedIn(
        folder,
        load_catalogue(passing_house / "suites" / "catalogue"),
        of_run(passing_house),
        # Most tests need no second run.
        lambda: of_run(request.getfixturevalue("failing_house")),
    )
    made.keys.append(made.signer.public_key)
    made.hand_in(made.records)
    return made
