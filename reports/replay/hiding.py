"""Takes secrets out of a stimulus before it is written for others: headers that carry credentials, tokens in bodies."""

from typing import Any, cast

from common.redaction import PLAIN, REDACTED, is_secret_name
from evidence.stimulus import Stimulus


def without_secrets(stimulus: Stimulus) -> Stimulus:
    """Return it without what looks like a secret; it is equal to the stimulus where nothing does."""
    return cast("Stimulus", _hidden(stimulus, ""))


def _hidden(value: Any, name: str) -> Any:
    if isinstance(value, str):
        return REDACTED if value and is_secret_name(name) else _text(value)
    if isinstance(value, dict):
        return {key: _hidden(item, key) for key, item in value.items()}
    if not isinstance(value, list):
        return value
    pair = len(value) == 2 and isinstance(value[0], str) and is_secret_name(value[0])
    if pair and isinstance(value[1], str):
        return [value[0], REDACTED]
    return [_hidden(item, "") for item in value]


def _text(text: str) -> str:
    """Return a text without secrets; what stands for one fits into latin-1, as all texts of requests do."""
    shown = PLAIN.hide(text)
    return text if shown == text else shown.encode("latin-1", "replace").decode("latin-1")
