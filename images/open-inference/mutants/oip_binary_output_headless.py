"""A mutant that answers with binary data, and does not say so."""

from collections.abc import Mapping
from typing import Any

import orjson
from conforming import conforming
from rules import Rules
from tensors import packed


class Mutant(Rules):
    """Answers with binary data where it is asked to, and does not say where they begin."""

    def written(self, asked: Mapping[str, str], answer: dict[str, Any]) -> tuple[bytes, dict[str, str]]:
        """Return the body of an answer, and further headers for it."""
        if not (answer.get("parameters") or {}).get("binary_data_output"):
            return super().written(asked, answer)
        raws = [packed(output["datatype"], output.pop("data")) for output in answer["outputs"]]
        for output, raw in zip(answer["outputs"], raws, strict=True):
            output["parameters"] = {"binary_data_size": len(raw)}
        return b"".join([orjson.dumps(answer), *raws]), {}


if __name__ == "__main__":
    conforming(Mutant())
