"""The model of the mlserver-kafka pipeline, computed here: the sum of each row, or of its squares in version 2."""

import json
import random
from collections.abc import Sequence
from typing import Any

MODEL = "sums"
VERSIONS = {"1": 1, "2": 2}
NEWEST = "2"
Rows = Sequence[Sequence[float]]


def rows(seed: str, count: int = 2, width: int = 3) -> list[list[float]]:
    """Return rows of whole numbers that a seed chooses; no version sums all of them to what another one does."""
    chosen = random.Random(seed)
    return [[float(chosen.randint(2, 99)) for _ in range(width)] for _ in range(count)]


def request(values: Rows, *, datatype: str = "FP64", pause: float | None = None, **more: Any) -> bytes:
    """Return a V2 request; `pause` is how many seconds the model shall take, `more` are further members."""
    tensor = {
        "name": "rows",
        "datatype": datatype,
        "shape": [len(values), len(values[0])],
        "data": [value if datatype.startswith("FP") else int(value) for row in values for value in row],
    }
    parameters = {} if pause is None else {"parameters": {"pause": pause}}
    return json.dumps({"inputs": [tensor], **parameters, **more}).encode()


def answer(values: Rows, version: str = NEWEST) -> dict[str, Any]:
    """Return what the response to a request holds, by the Open Inference Protocol: model, version, and its tensor."""
    sums = [sum(value ** VERSIONS[version] for value in row) for row in values]
    return {
        "model_name": MODEL,
        "model_version": version,
        "outputs": [{"name": "sums", "datatype": "FP64", "data": sums}],
    }
