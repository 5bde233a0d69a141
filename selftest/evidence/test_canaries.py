"""Canaries: each check tells the good sample from the bad one, and a check that does not ends all judging."""

import json
from pathlib import Path
from typing import Any

import pytest

from common.errors import UsageError
from evidence import canaries
from evidence.canaries import BlindError
from evidence.checks.base import REGISTRY, Check, failed
from evidence.verdict import PASSED, Judgement, Violation
from reports import __main__ as cli
from selftest.fixtures import house
from selftest.warm.running import run_pytest

OURS = canaries.load(canaries.CATALOGUE)
FAILED = failed(Violation("expected anything; got blindness"))
BLIND = {"always passes": PASSED, "always fails": FAILED, "never decides": Judgement(None)}


def blinded(monkeypatch: pytest.MonkeyPatch, name: str, judgement: Judgement) -> None:
    def judge(_: Check, *, final: bool) -> Judgement:
        del final
        return judgement

    monkeypatch.setattr(REGISTRY[name], "judge", judge)


def test_all_checks_tell_good_from_bad() -> None:
    canaries.look()


@pytest.mark.parametrize("name", REGISTRY)
def test_each_check_has_a_good_and_a_bad_sample(name: str) -> None:
    assert {str(canary.verdict) for canary in OURS if canary.check == name} == {"pass", "fail"}


@pytest.mark.parametrize("blindness", BLIND)
@pytest.mark.parametrize("name", REGISTRY)
def test_a_blinded_check_is_named_with_the_sample(monkeypatch: pytest.MonkeyPatch, name: str, blindness: str) -> None:
    blinded(monkeypatch, name, BLIND[blindness])
    with pytest.raises(BlindError) as caught:
        canaries.judge(OURS)
    # Two names may share a class, and then its blindness.
    named = [other for other in REGISTRY if f"check {other} is blind" in str(caught.value)]
    assert [REGISTRY[other].judge for other in named] == [REGISTRY[name].judge]
    sample = "good" if BLIND[blindness] is not PASSED else "bad"
    assert f"sample {sample} of {canaries.CATALOGUE}" in str(caught.value)
    assert "expected pass, got" in str(caught.value) or "expected fail, got pass" in str(caught.value)


def test_a_check_without_canaries_is_an_error() -> None:
    with pytest.raises(BlindError, match="check delivered: expected a canary of verdict pass and of fail, got none"):
        canaries.judge([canary for canary in OURS if canary.check != "delivered"])


GOOD = {"check": "accepted", "args": {}, "good": [], "bad": []}
FAULTS: list[tuple[str, Any, str]] = [
    ("no JSON", "{", "is no JSON"),
    ("a list", "[]", "expected a JSON object, got []"),
    ("no bad sample", {"canaries": [{"check": "accepted", "args": {}, "good": []}]}, "got KeyError 'bad'"),
    ("an unknown part", {"canaries": [{**GOOD, "good": ["=none"]}]}, "got KeyError 'none'"),
    ("within itself", {"parts": {"a": ["=a"]}, "canaries": [{**GOOD, "good": ["=a"]}]}, "field record: expected"),
    ("of no kind", {"canaries": [{**GOOD, "bad": [{"record": "sentt"}]}]}, "bad: record 1: field record: expected"),
    ("no record", {"canaries": [{**GOOD, "bad": [1]}]}, "got TypeError"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "told"), [case[1:] for case in FAULTS], ids=[case[0] for case in FAULTS])
def test_a_sample_that_is_not_sound_is_refused_with_its_file(tmp_path: Path, content: Any, told: str) -> None:
    path = tmp_path / "canaries" / "vendor.json"
    path.parent.mkdir()
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        canaries.load(tmp_path)
    assert str(path) in str(caught.value)
    assert told in str(caught.value)


def test_a_vendor_adds_samples_of_its_own(tmp_path: Path) -> None:
    sample: dict[str, Any] = {"record": "answered", "send": "s1", "headers": [], "body": "", "error": None}
    entry = {
        "check": "answered",
        "args": {"exchange": {"$ref": "exchange", "send": "s1"}, "status": [418]},
        "good": [{**sample, "status": 418}],
        "bad": [{**sample, "status": 418}],
    }
    (tmp_path / "canaries").mkdir()
    (tmp_path / "canaries" / "acme.json").write_text(json.dumps({"canaries": [entry]}), encoding="utf-8")
    with pytest.raises(
        BlindError, match=r"check answered is blind: sample bad of .*acme.json: expected fail, got pass"
    ):
        canaries.look([tmp_path])


def test_nothing_is_checked_by_blind_checks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "history.ndjson").touch()
    blinded(monkeypatch, "delivered", PASSED)
    assert cli.main(["check", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith("error: check delivered is blind: sample bad of")


BLINDED = """
from evidence.checks.base import REGISTRY
from evidence.verdict import PASSED

REGISTRY["answered"].judge = lambda self, *, final: PASSED
"""


def test_no_run_begins_with_a_blind_check(tmp_path: Path) -> None:
    house.build(tmp_path, '@pytest.mark.requirement("TST-ONE-001")\ndef test_one(): ...\n', "eventing")
    (tmp_path / "blinded.py").write_text(BLINDED, encoding="utf-8")
    result = run_pytest(tmp_path, "suites", "--target", "fake", "-p", "no:cacheprovider", "-p", "blinded", "-n0")
    assert result.ret == 2
    assert (
        "the run could not start: check answered is blind: sample bad of" in result.stdout.str() + result.stderr.str()
    )
    assert not (tmp_path / "reports").exists(), "nothing was started"
