"""Documents of ours held against their JSON Schemas, which lie in the folder `schema`."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema

from reports.errors import ReportError

FOLDER = Path(__file__).parent / "schema"
MOST_TOLD = 5


@cache
def _validator(schema: Path) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(json.loads(schema.read_text(encoding="utf-8")))


def validate(document: Any, schema: Path, what: str) -> None:
    """Hold a document against a JSON Schema.

    Args:
        document: The document.
        schema: The file of the schema.
        what: The document in a word or two, for the message.

    Raises:
        ReportError: It does not fit; the message names the first faults.
    """
    faults = sorted(_validator(schema).iter_errors(document), key=lambda error: list(map(str, error.absolute_path)))
    if faults:
        told = "; ".join(f"{fault.json_path}: {fault.message[:200]}" for fault in faults[:MOST_TOLD])
        raise ReportError(f"{what} does not fit {schema.name}: {told}")
