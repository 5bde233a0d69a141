"""From the documentation's picture to its answer: features of the transformer, regression of the predictor."""

import base64
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
REQUESTS = ROOT / "manifests" / "pipelines" / "async-mnist" / "requests"
PREDICTOR = ROOT / "images" / "mnist-predictor"


def documented(file: str) -> dict[str, Any]:
    request: dict[str, Any] = json.loads((REQUESTS / file).read_text())
    return request


def png(image: Image.Image) -> dict[str, str]:
    file = io.BytesIO()
    image.save(file, "PNG")
    return {"data": base64.b64encode(file.getvalue()).decode()}


@pytest.mark.parametrize("file", ["mnist-input.json", "image-with-trace-id.json"])
def test_the_documented_picture_is_read_as_two(transformer: Any, predictor: Any, file: str) -> None:
    features = transformer("features").features(documented(file)["instances"][0])
    classifier = predictor("classifier").Classifier(PREDICTOR / "model.json")
    assert classifier.predict([features]) == [2]
    assert classifier.probabilities(np.array([features]))[0][2] == pytest.approx(0.987, abs=0.0005)


def test_the_whole_picture_averaged_down_would_be_read_as_seven(transformer: Any, predictor: Any) -> None:
    data = base64.b64decode(documented("mnist-input.json")["instances"][0]["data"])
    pixels = transformer("features").averaged(Image.open(io.BytesIO(data)).convert("L"))
    assert predictor("classifier").Classifier(PREDICTOR / "model.json").predict([pixels]) == [7]


def test_where_the_digit_stands_and_how_large_it_is_does_not_matter(transformer: Any) -> None:
    features = transformer("features").features
    small = Image.new("L", (40, 30))
    small.paste(255, (3, 5, 11, 13))
    large = Image.new("L", (90, 90))
    large.paste(255, (50, 10, 82, 42))
    assert features(png(small)) == features(png(large)) == [16.0] * 64


def test_a_black_picture_has_features_too(transformer: Any) -> None:
    assert transformer("features").features(png(Image.new("L", (28, 28)))) == [0.0] * 64


@pytest.mark.parametrize(
    ("instance", "reason"),
    [
        ("a string", "every instance is"),
        ({"image": "x"}, "every instance is"),
        ({"data": 5}, "every instance is"),
        ({"data": "not base64!"}, "no base64"),
        ({"data": "aGFsbG8="}, "no readable picture"),
        ({"data": documented("mnist-input.json")["instances"][0]["data"][:160]}, "no readable picture"),
        ({"data": "A" * (1 << 21)}, "more than"),
        (png(Image.new("1", (4096, 4096))), "too large"),
    ],
)
def test_what_is_no_picture_is_refused(transformer: Any, instance: Any, reason: str) -> None:
    module = transformer("features")
    with pytest.raises(module.NotAnImageError, match=reason):
        module.features(instance)


@pytest.mark.parametrize(
    "instances", [[[1.0] * 63], [[1.0] * 64, [1.0]], ["x"], [None], [[float("nan")] * 64], [[[1]] * 64]]
)
def test_the_predictor_refuses_what_is_not_64_numbers(predictor: Any, instances: list[Any]) -> None:
    module = predictor("classifier")
    with pytest.raises(module.NotAnInstanceError):
        module.Classifier(PREDICTOR / "model.json").predict(instances)


def test_no_instances_have_no_predictions(predictor: Any) -> None:
    assert predictor("classifier").Classifier(PREDICTOR / "model.json").predict([]) == []


def test_training_again_gives_the_committed_model(predictor: Any) -> None:
    pytest.importorskip("sklearn", reason="needs images/mnist-predictor/requirements-train.txt")
    again, committed = predictor("train").train(), json.loads((PREDICTOR / "model.json").read_text())
    assert again["held_out_accuracy"] == pytest.approx(committed["held_out_accuracy"], abs=0.005)
    assert np.allclose(again["coefficients"], committed["coefficients"], atol=1e-3)
    assert np.allclose(again["mean"], committed["mean"], rtol=1e-5)


def test_both_kserve_images_share_one_lock_and_so_one_environment() -> None:
    transformer = ROOT / "images" / "msg-transformer" / "requirements.txt"
    assert transformer.read_bytes() == (PREDICTOR / "requirements.txt").read_bytes()
