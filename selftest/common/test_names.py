"""Unknown names: what a message offers instead, whoever asks."""

import pytest

from common import names
from common.errors import UnknownNameError

PROFILES = ("async-inference", "broker-core", "broker-extended")
MANY = [f"requirement-{number:03}" for number in range(40)]


@pytest.mark.parametrize(
    ("name", "near"),
    [
        pytest.param("broker-cor", ["broker-core"], id="a letter short"),
        pytest.param("BROKER-CORE", ["broker-core", "broker-extended"], id="capitals"),
        pytest.param("broker", ["broker-core"], id="a beginning"),
        pytest.param("zzz", [], id="nothing in common"),
        pytest.param("", [], id="empty"),
    ],
)
def test_near_names_are_those_that_look_like_it(name: str, near: list[str]) -> None:
    assert names.near(name, PROFILES) == near


@pytest.mark.parametrize(
    ("name", "known", "hint"),
    [
        pytest.param("aysnc-inference", PROFILES, "did you mean async-inference?", id="near"),
        pytest.param("zzz", PROFILES, "known: async-inference, broker-core, broker-extended", id="few"),
        pytest.param("zzz", MANY, "40 are known, none looks like it", id="many"),
        pytest.param("zzz", (), "known: none", id="none"),
    ],
)
def test_a_hint_offers_near_names_then_all_then_their_number(name: str, known: list[str], hint: str) -> None:
    assert names.hint(name, known) == hint


def test_a_long_name_is_cut_in_a_message() -> None:
    message = str(UnknownNameError("profile", "x" * 1_000_000, PROFILES))
    assert message.startswith(f"unknown profile '{'x' * names.LONGEST_SHOWN}'...: known: ")
    assert len(message) < 300
