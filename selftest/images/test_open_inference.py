"""The conforming rules of the open-inference image, without KServe's SDK: what is read, and what is refused."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from selftest.images.conftest import Load


def entry(datatype: str = "INT32", data: Any = (1, 2), shape: Sequence[Any] = (2,)) -> dict[str, Any]:
    return {"name": "x", "datatype": datatype, "shape": list(shape), "data": list(data)}


@pytest.mark.parametrize(
    ("given", "values"),
    [
        (entry(), [1, 2]),
        (entry(data=[[1, 2], [3, 4]], shape=[2, 2]), [1, 2, 3, 4]),
        (entry(data=[], shape=[0, 2]), []),
        (entry("UINT64", [2**64 - 1], [1]), [2**64 - 1]),
        (entry("FP16", [65504.0, 1], [2]), [65504.0, 1.0]),
        (entry("BOOL", [True], [1]), [True]),
        (entry("BYTES", ["\u00fc"], [1]), ["\u00fc"]),
    ],
    ids=["flat", "nested", "empty", "uint64", "fp16", "bool", "text"],
)
def test_a_tensor_is_answered_as_it_was_sent(echo: Load, given: Mapping[str, Any], values: list[Any]) -> None:
    rules = echo("rules").Rules()
    assert rules.json_values(rules.output(rules.tensor(given))) == values


@pytest.mark.parametrize(
    "given",
    [
        entry(shape=[3]),
        entry(shape=[-2]),
        entry(shape=["2"]),
        entry(data=[[1], [2]]),
        entry(data=[1.5, 2]),
        entry(data=["1", "2"]),
        entry(data=[True, False]),
        entry("INT8", [128, 0]),
        entry("FP32", [1e39, 0]),
        entry("INT33"),
        entry(data=[[1], [2, 3]], shape=[3, 1]),
        {"name": "x", "datatype": "INT32", "shape": [1]},
        [],
    ],
    ids=[
        "short",
        "negative",
        "no-shape",
        "nested",
        "fraction",
        "text",
        "bool",
        "int8",
        "fp32",
        "datatype",
        "ragged",
        "no-data",
        "list",
    ],
)
def test_a_tensor_that_is_none_is_refused(echo: Load, given: Any) -> None:
    with pytest.raises(echo("tensors").RefusedError):
        echo("rules").Rules().tensor(given)


def test_a_tensor_may_have_more_dimensions_than_functions_call_each_other(echo: Load) -> None:
    rules, data = echo("rules").Rules(), 7
    for _ in range(2000):
        data = [data]  # type: ignore[assignment]
    assert rules.json_values(rules.tensor(entry(data=data, shape=[1] * 2000))) == [7]


@pytest.mark.parametrize("raw", [b"\x01", b"\x04\x00\x00\x00ab", b"\x02\x00\x00"], ids=["int32", "bytes", "length"])
def test_raw_content_that_is_cut_off_is_refused(echo: Load, raw: bytes) -> None:
    tensors = echo("tensors")
    with pytest.raises(tensors.RefusedError):
        tensors.unpacked("INT32" if raw == b"\x01" else "BYTES", raw)


@pytest.mark.parametrize(
    ("datatype", "raw"), [("FP32", b"\x00\x00\xc0\x7f"), ("BYTES", b"\x01\x00\x00\x00\xff")], ids=["nan", "bytes"]
)
def test_what_json_cannot_say_is_refused(echo: Load, datatype: str, raw: bytes) -> None:
    tensors = echo("tensors")
    with pytest.raises(tensors.RefusedError):
        echo("rules").Rules().json_values(tensors.Tensor("x", datatype, (1,), raw))


def test_the_extension_that_is_not_claimed_is_refused(echo: Load) -> None:
    rules = echo("rules").Rules()
    assert rules.body_of({}, b"{}") == b"{}"
    with pytest.raises(echo("tensors").RefusedError):
        rules.body_of({"inference-header-content-length": "2"}, b"{}")


@pytest.mark.parametrize(
    "more",
    [{"id": 7}, {"outputs": "x"}, {"outputs": ["x"]}, {"inputs": {}}, {"inputs": []}],
    ids=["id", "outputs", "outputs-of-text", "inputs", "no-inputs"],
)
def test_a_request_whose_members_are_of_another_type_is_refused(echo: Load, more: Mapping[str, Any]) -> None:
    with pytest.raises(echo("tensors").RefusedError):
        echo("rules").Rules().request({"inputs": [entry()], **more})


def test_parameters_stay_as_they_are(echo: Load) -> None:
    given = {"a": "1", "b": 1, "c": True, "d": 0.5}
    assert echo("rules").Rules().parameters(given) == given


@pytest.mark.parametrize("wrong", ["x", ["x"], {"a": None}, {"a": []}], ids=["text", "list", "null", "nested"])
def test_what_is_no_parameters_is_refused(echo: Load, wrong: Any) -> None:
    with pytest.raises(echo("tensors").RefusedError):
        echo("rules").Rules().parameters(wrong)


def test_only_a_version_that_is_listed_answers(echo: Load) -> None:
    module = echo("rules")
    assert [module.Rules().version(asked) for asked in ("", "1")] == ["1", "1"]
    with pytest.raises(module.UnknownVersionError):
        module.Rules().version("2")


def test_a_model_is_unloaded_and_loaded_again(echo: Load) -> None:
    repository = echo("repository").Repository("a", "b")
    repository.unload("a")
    assert [repository.has(name) for name in ("a", "b")] == [False, True]
    repository.load("a")
    assert repository.has("a")


def test_an_unknown_model_is_neither_loaded_nor_unloaded(echo: Load) -> None:
    module = echo("repository")
    repository = module.Repository("a")
    for change in (repository.load, repository.unload):
        with pytest.raises(module.UnknownModelError):
            change("b")
    assert not repository.has("b")
