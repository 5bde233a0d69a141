"""Every sample through every output of the suite: one run of each output, with all samples in it."""

import html
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from evidence.catalogue import load as load_catalogue
from fixtures.diagnostics import conditions, kafka
from fixtures.diagnostics.folder import Folder
from fixtures.diagnostics.summary import Page, render
from fixtures.preflight.result import PreflightRow
from fixtures.targets.base import TargetOptions
from fixtures.targets.cluster import ClusterTarget
from fixtures.targets.clusterrun import ClusterAccess, ClusterRun
from reports import __main__ as command
from reports import markdown
from reports.build import build
from reports.write import write
from selftest.fixtures import house
from selftest.redaction.samples import SECRETS, Sample
from selftest.reports.conftest import CATALOGUE, KNOWN, MUTANTS, History
from selftest.warm.running import run_pytest

pytest_plugins = ["pytester"]

BEFORE = (0, 30, 90, 170, 270, 560, 780, 1960, 3980)
"""How many characters stand before a sample: outputs cut texts after so many, and some of them in the middle of it."""
TURNS = (0, 4)
NO_KUBE: Any = object()


def leaks(text: str) -> list[str]:
    """Return the samples that a text shows, however an output breaks its lines and escapes it."""
    flat = _flat(text)
    return [sample.name for sample in SECRETS if any(_flat(secret) in flat for secret in sample.secrets)]


def _flat(text: str) -> str:
    return re.sub(r"[\s\\│]+", "", html.unescape(text))


def _text(number: int, turn: int = 0) -> str:
    """One sample, behind a number of characters that is another one from sample to sample, and from turn to turn."""
    return "word " * (BEFORE[(number + turn) % len(BEFORE)] // 5) + f"\n{SECRETS[number].text}\nseen"


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run's folder: every sample in an answer, a header, a record, an argument, a reason and a violation."""
    folder = tmp_path_factory.mktemp("run")
    history = History().start(argv=[_text(number) for number in range(len(SECRETS))])
    history.records[0]["target"] |= {"found": [sample.text for sample in SECRETS]}
    history.records[0]["sut"] |= {sample.name: sample.text for sample in SECRETS}
    for number, sample in enumerate(SECRETS):
        for text in (_text(number, turn) for turn in TURNS):
            history.test("EVT-ING-001", 500, text=text)
            _more(history, sample, text)
        history.test("EVT-RTE-003", outcome="error", reason=f"RuntimeError: {sample.text}")
    history.add("diagnostics", "t1", folder="../" + SECRETS[0].text, files=[SECRETS[0].text])
    history.finish(SECRETS[0].text).write(folder)
    catalogue = folder / "catalogue"
    catalogue.mkdir()
    (catalogue / "eventing.toml").write_text(CATALOGUE, encoding="utf-8")
    (catalogue / "mutants.toml").write_text(MUTANTS, encoding="utf-8")
    report = build(folder / "history.ndjson", load_catalogue(catalogue), KNOWN)
    write(report, folder, folder / "history.ndjson")
    (folder / "summary.md").write_text(markdown.render(report), encoding="utf-8")
    return folder


def _more(history: History, sample: Sample, text: str) -> None:
    """Put a sample into further places of the test that was written last."""
    sent = next(record for record in reversed(history.records) if record["record"] == "sent")
    answered = next(record for record in reversed(history.records) if record["record"] == "answered")
    claim = next(record for record in reversed(history.records) if record["record"] == "expectation")
    sent["headers"].append(["X-Said", json.dumps(text)])
    sent["url"] = f"http://ingress/{sample.text}"
    answered["headers"].append(["X-Said", sample.text])
    claim["violations"][0] |= {"where": text, "witness": [sent["seq"], answered["seq"]]}
    claim["args"] = {**claim["args"], "said": text}


@pytest.mark.parametrize("name", ["report.json", "index.html", "junit.xml", "summary.md"])
def test_no_sample_is_in_a_report(run_folder: Path, name: str) -> None:
    text = (run_folder / name).read_text(encoding="utf-8")
    assert "(redacted)" in text
    assert "EVT-ING-001" in text
    assert leaks(text) == []


def test_no_sample_is_in_allure_results(run_folder: Path) -> None:
    paths = [path for path in (run_folder / "allure").iterdir() if path.is_file()]
    text = "\n".join(path.read_text(encoding="utf-8") for path in paths)
    assert len(paths) > len(SECRETS)
    assert "(redacted)" in text
    assert leaks(text) == []


@pytest.mark.parametrize(
    "words",
    [["show"], ["show", "--requirement", "EVT-ING-001"], ["show", "--requirement", "EVT-RTE-003"], ["check"]],
    ids=["table", "witnesses", "reasons", "check"],
)
def test_no_sample_is_in_what_commands_print(
    run_folder: Path, words: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "CATALOGUE", run_folder / "catalogue")
    document = run_folder / "report.json"
    before = document.read_text(encoding="utf-8")
    if words == ["check"]:  # a report of somebody who redacts less
        written = json.loads(before)
        written["target"]["found"] = {str(number): sample.text for number, sample in enumerate(SECRETS)}
        written["sut"] = {sample.name: sample.text for sample in SECRETS}
        document.write_text(json.dumps(written), encoding="utf-8")
    try:
        command.main([words[0], str(run_folder), *words[1:]])
    finally:
        document.write_text(before, encoding="utf-8")
    said = capsys.readouterr()
    assert "(redacted)" in said.out
    assert leaks(said.out + said.err) == []


def _objects() -> Iterable[dict[str, Any]]:
    for number, sample in enumerate(SECRETS):
        yield {
            "kind": "Pod",
            "metadata": {"name": f"p{number}", "namespace": "ns", "annotations": {"said": sample.text}},
            "spec": {
                "containers": [
                    {"name": "c", "args": ["run", sample.text], "env": [{"name": "SAID", "value": sample.text}]}
                ]
            },
            "status": {"conditions": [{"type": "Ready", "status": "False", "message": sample.text}]},
        }


def test_no_sample_is_in_diagnostics(tmp_path: Path) -> None:
    folder = Folder.unique(tmp_path / "diagnostics", "test")
    events = [
        {"type": "Warning", "reason": "Failed", "message": sample.text, "involvedObject": {"kind": "Pod", "name": "p"}}
        for sample in SECRETS
    ]
    objects = list(_objects())
    folder.objects("objects/pods.yaml", objects)
    for number, sample in enumerate(SECRETS):
        folder.tail(f"logs/{number}.txt", f"begins\n{sample.text}\nends")
        folder.head(f"kafka{number}.txt", sample.text)
    folder.tail("events.txt", "\n".join(map(conditions.event_line, events)))
    reading = kafka.TopicReading("topic", "", SECRETS[0].text)
    seen = {"end": {"0": 1}, "described": {"config": {f"said.{s.name}": s.text for s in SECRETS}}}
    folder.head("kafka.txt", "\n".join(kafka.lines(reading, seen)))
    for number, sample in enumerate(SECRETS):
        page = Page(sample.text, _text(number), {"said": sample.text}, notes=[sample.text])
        page.troubles = {
            sample.text: [sample.text],
            conditions.named(objects[number]): conditions.troubles(objects[number]),
        }
        page.events = [conditions.event_line(events[number])]
        page.kafka, page.unread = [sample.text], {sample.text: sample.text}
        folder.write(f"summary{number}.md", render(page, folder.redactor))
    assert folder.left_out == []
    written = {path: path.read_text(encoding="utf-8") for path in folder.path.rglob("*") if path.is_file()}
    assert len(written) > 3 * len(SECRETS)
    assert {path.name: found for path, text in written.items() if (found := leaks(text))} == {}


def test_no_sample_is_in_what_preflight_saves_and_says(tmp_path: Path) -> None:
    run = ClusterRun(
        ClusterTarget(TargetOptions(tmp_path, None, print)), ClusterAccess("none", None, "cluster"), NO_KUBE
    )
    found = run._preflight
    found.rows += [PreflightRow("an answer", "an answer", sample.text) for sample in SECRETS]
    found.not_testable = {"EVT-ING-001": SECRETS[6].text}
    run._save()
    assert leaks((tmp_path / "preflight.json").read_text(encoding="utf-8")) == []
    assert (
        leaks("\n".join(found.text(color=color, width=60).partition("not testable")[0] for color in (True, False)))
        == []
    )


TELLING = '''
SAMPLES = json.loads((Path(__file__).parent / "samples.json").read_text())

class Telling(Fake):
    """Says all samples, and has them in its log."""

    name = "telling"

    def start(self):
        for sample in SAMPLES:
            self.options.say(sample)
        info = super().start()
        Path(info.log).write_text("\\n".join(SAMPLES))
        return info

class Refusing(Fake):
    name = "refusing"

    def start(self):
        raise TargetError("cannot start: " + SAMPLES[int(os.environ["SAMPLE"])])

registry.TARGETS |= {one.name: one for one in (Telling, Refusing)}
'''

TESTS = """
import json, pathlib, warnings

SAMPLES = json.loads((pathlib.Path(__file__).parents[2] / "samples.json").read_text())
numbered = pytest.mark.parametrize("number", range(len(SAMPLES)))

@pytest.fixture
def broken(number):
    raise ValueError(SAMPLES[number])

@numbered
@pytest.mark.requirement("TST-ONE-001")
def test_raises(number):
    said = SAMPLES[number]
    print(said)
    raise RuntimeError(said)

@numbered
@pytest.mark.requirement("TST-ONE-001")
def test_compares(number):
    said = "x" * 100 + " " + SAMPLES[number] + " " + "y" * 200
    assert {"said": said} == {"said": "nothing"}

@numbered
@pytest.mark.requirement("TST-ONE-001")
def test_chains(number):
    def inner(argument):
        raise KeyError(argument)
    try:
        inner(SAMPLES[number])
    except KeyError as error:
        raise OSError(5, SAMPLES[number]) from error

@numbered
@pytest.mark.requirement("TST-ONE-001")
def test_breaks(broken):
    pass

@numbered
@pytest.mark.requirement("TST-ONE-001")
def test_expects(number, sinks):
    body = SAMPLES[number].encode()
    expect(answered(post(running_test(), sinks([Answer(500, body=body)]).url, [], body, "POST"), 202))

@pytest.mark.requirement("TST-ONE-001")
def test_skips():
    pytest.skip(SAMPLES[4])

@pytest.mark.requirement("TST-ONE-001")
def test_warns():
    warnings.warn(SAMPLES[4])
"""


def _house(pytester: pytest.Pytester, tests: str) -> None:
    house.build(pytester.path, tests)
    (pytester.path / "samples.json").write_text(json.dumps([sample.text for sample in SECRETS]), encoding="utf-8")
    with (pytester.path / "conftest.py").open("a", encoding="utf-8") as conftest:
        conftest.write(TELLING)


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("where", "workers"), [("on-a-desk", 0), ("in-ci", 1)], ids=["on-a-desk-in-one-process", "in-ci-in-a-worker"]
)
def test_no_sample_is_in_what_pytest_prints_and_writes(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, workers: int, where: str
) -> None:
    # In CI pytest shortens nothing, and writes a long text as several literals. That is decided where a test runs; a
    # report then travels from a worker as it was built, so that two runs show all four.
    monkeypatch.setenv("CI", "true") if where == "in-ci" else monkeypatch.delenv("CI", raising=False)
    _house(pytester, TESTS)
    options = ("--target", "telling", f"-n{workers}", "-p", "no:cacheprovider", "-rA", "-l", "--junitxml=out.xml")
    result = run_pytest(pytester.path, "suites", *options)
    result.assert_outcomes(failed=4 * len(SECRETS) + 1, errors=len(SECRETS), skipped=1, warnings=1)
    said = "\n".join(result.outlines + result.errlines)
    assert "(redacted)" in said
    assert "short test summary info" in said
    assert leaks(said) == []
    assert leaks((pytester.path / "out.xml").read_text(encoding="utf-8")) == []


def test_no_sample_is_in_why_a_run_could_not_start(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    _house(pytester, TESTS)
    number = next(number for number, sample in enumerate(SECRETS) if sample.name == "http-url")
    monkeypatch.setenv("SAMPLE", str(number))
    result = run_pytest(pytester.path, "suites", "--target", "refusing", "-n0", "-p", "no:cacheprovider")
    said = "\n".join(result.outlines + result.errlines)
    assert "cannot start: connecting to https://user:(redacted)@host/path" in said
    assert leaks(said) == []


def test_no_sample_is_in_what_pytest_says_of_a_collection(pytester: pytest.Pytester) -> None:
    read = "json.loads((pathlib.Path(__file__).parents[2] / 'samples.json').read_text())"
    _house(pytester, f"import json, pathlib\nraise RuntimeError({read}[6])\n")
    result = run_pytest(pytester.path, "suites", "--target", "telling", "-n0", "-p", "no:cacheprovider")
    said = "\n".join(result.outlines + result.errlines)
    assert "(redacted)" in said
    assert leaks(said) == []
