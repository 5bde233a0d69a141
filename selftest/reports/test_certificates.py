"""Certificates: the index follows from their folders, and none stands there that does not bear out its own claim."""

import gzip
import hashlib
import json
import shutil
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from evidence.catalogue import load as load_catalogue
from reports import __main__ as cli
from reports import certificates, write
from reports.model import Report
from selftest.reports.conftest import IDS, History
from selftest.reports.test_allowances import entry, given

ROOT = Path(__file__).resolve().parents[2]
Command = Callable[..., tuple[int, str, str]]
Add = Callable[..., Path]
HOSTILE = '<script>alert(1)</script> | `x` [a](http://evil) "'
ABOUT = {
    "vendor": '"Acme"',
    "product": '"Acme Broker"',
    "version": '"3.2.1"',
    "url": '"https://acme.example/broker"',
    "accepted": "2026-12-01",
    "lab": '"a lab"',
    "profiles": '["broker-core"]',
}


def test_our_own_index_is_not_stale() -> None:
    faults: list[str] = []
    found = certificates.read(ROOT / "certificates", faults)
    version = load_catalogue(ROOT / "suites" / "catalogue").version
    assert not faults
    advice = "stale: python -m reports certificates"
    told = {"index.html": certificates.index(found, version), "README.md": certificates.readme(found, version)}
    for name, text in told.items():
        assert (ROOT / "certificates" / name).read_text(encoding="utf-8") == text, advice


@pytest.fixture
def add(run_dir: Path, tmp_path: Path, reported: Callable[[History], Report]) -> Add:
    """Return what puts a certificate into the folder of certificates: of a run that passed, unless another is given."""

    def make(name: str, history: History | None = None, target: str = "cluster", **about: str) -> Path:
        if history is None:
            history = History().start(gate="strict", kserve="0.99.0")
            for requirement in IDS:
                history.test(requirement)
        history.records[0]["target"]["name"] = target
        report = reported(history.finish())
        write.write(report, run_dir, run_dir / "history.ndjson")
        folder = tmp_path / "certificates" / name
        folder.mkdir(parents=True)
        for file in ("report.json", "index.html"):
            shutil.copy(run_dir / file, folder / file)
        (folder / "history.ndjson.gz").write_bytes(gzip.compress((run_dir / "history.ndjson").read_bytes()))
        fields = {**ABOUT, **about}
        text = "".join(f"{field} = {value}\n" for field, value in fields.items() if value)
        (folder / "certificate.toml").write_text(text, encoding="utf-8")
        return folder

    return make


@pytest.fixture
def command(
    tmp_path: Path, catalogue: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """Return what runs the command on that folder and returns exit code, standard output and standard error."""
    monkeypatch.setattr(cli, "CATALOGUE", tmp_path / "catalogue")

    def run(*words: str) -> tuple[int, str, str]:
        code = cli.main(["certificates", str(tmp_path / "certificates"), *words])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def test_index_and_readme_are_made_from_the_folders_and_found_stale(add: Add, command: Command, tmp_path: Path) -> None:
    folder = tmp_path / "certificates"
    add("zeta", vendor='"Zeta"')
    assert command("--check")[0] == 1  # nothing was written yet
    assert not (folder / "README.md").exists()
    assert command()[0] == 0
    assert command("--check") == (0, "", "")
    before = (folder / "index.html").read_bytes()
    add("acme")
    code, _, err = command("--check")
    assert (code, err.count("stale: python -m reports certificates")) == (1, 2)
    assert (folder / "index.html").read_bytes() == before
    assert command()[0] == 0
    table = (folder / "README.md").read_text(encoding="utf-8")
    row = "| [Acme Acme Broker](acme/) | 3.2.1 | broker-core | 2 of 2 | cluster, Kafka mock 2.16.0 | 3.1 |"
    assert row in table
    assert table.index("Acme") < table.index("Zeta")
    page = (folder / "index.html").read_text(encoding="utf-8")
    assert 'href="acme/index.html"' in page
    assert "kserve 0.99.0" in page


def test_a_certificate_of_an_older_catalogue_is_marked(add: Add, command: Command, tmp_path: Path) -> None:
    add("acme")
    (tmp_path / "catalogue" / "VERSION").write_text("4.0\n", encoding="utf-8")
    assert command()[0] == 0
    assert "3.1 \\(an older one\\)" in (tmp_path / "certificates" / "README.md").read_text(encoding="utf-8")
    assert "an older one" in (tmp_path / "certificates" / "index.html").read_text(encoding="utf-8")


def test_a_waiver_stands_in_the_index_with_its_issue(add: Add, command: Command, tmp_path: Path) -> None:
    history = History().start(gate="strict", kserve="0.99.0")
    for requirement in IDS:
        history.test(requirement, 500 if requirement == "EVT-ING-001" else 202)
    add("acme", given(history, entry(kind="waiver"), kind="waiver"))
    code, out, _ = command("--json")
    (told,) = json.loads(out)
    assert (code, told["numbers"], told["waivers"]) == (
        0,
        [1, 2],
        {"EVT-ING-001": "https://example.org/suite/issues/7"},
    )
    assert "1 of 2, 1 waived" in (tmp_path / "certificates" / "README.md").read_text(encoding="utf-8")
    assert "EVT-ING-001 waived" in (tmp_path / "certificates" / "index.html").read_text(encoding="utf-8")


def failing(gate: str = "strict") -> History:
    history = History().start(gate=gate, kserve="0.99.0")
    for requirement in IDS:
        history.test(requirement, 500 if requirement == "EVT-RTE-003" else 202)
    return history


def passing(gate: str) -> History:
    history = History().start(gate=gate, kserve="0.99.0")
    for requirement in IDS:
        history.test(requirement)
    return history


def played() -> History:
    history = passing("strict")
    history.records[0]["sut"]["personality"] = "eventing 1"
    return history


CLAIMS: dict[str, tuple[History | None, dict[str, str], str]] = {
    "gate": (passing("known"), {}, "expected a run of gate strict that ended with 0, got gate known, exit 0"),
    "exit": (failing(), {}, "got gate strict, exit 1"),
    "profile": (failing(), {"profiles": '["broker-extended"]'}, "profile broker-extended: expected pass, got fail"),
    "no-profile": (None, {"profiles": '["latency"]'}, "profile latency: expected pass, got no such profile"),
    "embedded": (None, {"target": "embedded"}, "expected a run on a cluster, got one on embedded"),
    "personality": (played(), {}, "expected a run of the product itself, got one of the personality of eventing 1"),
    "no-profiles": (None, {"profiles": "[]"}, 'profiles: write profiles = ["broker-core"]'),
    "no-vendor": (None, {"vendor": ""}, "vendor: is missing: write vendor"),
    "no-day": (None, {"accepted": '"soon"'}, "accepted: write accepted = 2027-01-31"),
    "no-address": (None, {"url": '"javascript:alert(1)"'}, "url: expected an address, got 'javascript:alert(1)'"),
    "unknown-field": (None, {"vendr": '"x"'}, "vendr: unknown field: did you mean vendor?"),
}


@pytest.mark.parametrize(("history", "about", "told"), CLAIMS.values(), ids=CLAIMS)
def test_a_claim_that_its_folder_does_not_bear_out_is_refused(
    add: Add, command: Command, history: History | None, about: dict[str, str], told: str
) -> None:
    add("good")
    folder = add("bad", history, **about)
    code, _, err = command()
    assert (code, told in err) == (1, True), err
    assert not (folder.parent / "index.html").exists()


def test_another_history_a_missing_report_and_an_odd_name_are_refused(
    add: Add, command: Command, tmp_path: Path
) -> None:
    folder = add("acme")
    (folder / "history.ndjson.gz").write_bytes(gzip.compress(b"{}\n"))
    assert f"got {hashlib.sha256(b'{}' + bytes([10])).hexdigest()[:16]}" in command()[2]
    (folder / "report.json").write_text("{}", encoding="utf-8")
    assert "does not fit report.schema.json" in command()[2]
    (folder / "report.json").unlink()
    assert "cannot read" in command()[2]
    folder.rename(tmp_path / "certificates" / "Acme Broker")
    assert "expected a name of small letters" in command()[2]


def test_no_folder_is_a_usage_error_and_an_empty_one_has_none(command: Command, tmp_path: Path) -> None:
    code, _, err = command()
    assert (code, "expected a folder of certificates, got none" in err) == (3, True)
    (tmp_path / "certificates").mkdir()
    assert command()[0] == 0
    assert "None has been accepted yet." in (tmp_path / "certificates" / "README.md").read_text(encoding="utf-8")


class Tags(HTMLParser):
    """Collects the elements of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note one element, unless it only breaks a line."""
        if attrs or tag != "br":
            self.found.add(tag)


def test_nobodys_text_becomes_markup(add: Add, command: Command, tmp_path: Path) -> None:
    fields = ("vendor", "product", "version", "lab")
    add("acme", **{field: json.dumps(HOSTILE) for field in fields})
    assert command()[0] == 0
    assert "script" not in Tags((tmp_path / "certificates" / "index.html").read_text(encoding="utf-8")).found
    table = (tmp_path / "certificates" / "README.md").read_text(encoding="utf-8").splitlines()[-1]
    assert "<script>" not in table
    assert table.replace("\\|", "").count("|") == 8  # seven cells, and no more
    assert "\\[a\\]\\(http" in table
