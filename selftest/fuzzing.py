"""Hypothesis' part of the fuzz tests: good inputs, changed as mistakes, accidents and enemies change them."""

import os
import resource
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from fixtures.reading.files import ROOT

MOST_MEMORY = 1 << 30
EXAMPLES = int(os.environ.get("TOUCHSTONE_FUZZ", "60"))
"""How many inputs each fuzz test makes: always the same ones, a larger number some more of them."""

HOSTILE: tuple[bytes, ...] = (
    *(b"", b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\r", b"\t", b"\x1b[31m", "\u202e".encode(), b"\xed\xa0\x80"),
    *(b"[" * 300, b"{a: " * 300, b"- " * 300, b'{"a":' * 300, b"9" * 5000, b"0x" + b"f" * 500, b"1:" * 300 + b"1"),
    *(b"2020-99-99", b"1e999", b".nan", b"NaN", b"null", b"~", b"true", b"[]", b"{}", b"-1", b"=", b"<<: [1]"),
    *(b"&a [*a]", b"*a", b"? [1]\n: 2", b"!!int x", b"!!bool ''", b"!!binary x", b"!!python/object:a.b c", b"%TAG"),
    *(b"\\ud800", b"\\u0000", b"\\", b'"', b"'''", b"../../../etc/passwd", b"/dev/zero", b"---\n", b"...\n"),
)
SETTINGS = settings(
    derandomize=True,
    database=None,
    deadline=None,  # the machine may be slow; what may not take long has a bound of its own
    max_examples=EXAMPLES,
    print_blob=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@st.composite
def mutated(draw: st.DrawFn, *goods: bytes) -> bytes:
    """One of the good inputs, its bytes, lines or tokens deleted, doubled, swapped or replaced one to four times."""
    content = draw(st.sampled_from(goods))
    for _ in range(draw(st.integers(1, 4))):
        separator = draw(st.sampled_from((b"\n", b" ", b"")))
        parts = content.split(separator) if separator else [content[at : at + 1] for at in range(len(content))]
        if not parts:
            return content
        at, other = (draw(st.integers(0, len(parts) - 1)) for _ in range(2))
        match draw(st.sampled_from(("delete", "double", "swap", "replace", "insert", "cut"))):
            case "delete":
                del parts[at : at + draw(st.integers(1, 8))]
            case "double":
                parts[at:at] = parts[at : at + 8]
            case "swap":
                parts[at], parts[other] = parts[other], parts[at]
            case "replace":
                parts[at] = draw(st.sampled_from(HOSTILE))
            case "insert":
                parts.insert(at, draw(st.sampled_from(HOSTILE)))
            case "cut":
                del parts[at:]
        content = separator.join(parts)
    return content


ATOMS: tuple[Any, ...] = (
    *(None, True, 0, -1, 2**63, 2**64, 10**400, 1.5, float("inf"), "", "a\nb", "\x00", "x" * 5000, "../x", "\ud800"),
    *([], {}, [None], [[]], [{}], {"": None}, {"a": {"b": []}}, {"$patch": "delete"}, {"$ref": "#"}),
)


@st.composite
def restructured(draw: st.DrawFn, good: Any) -> Any:
    """Return a JSON value with one part deleted, doubled, deepened, or replaced by something that does not fit."""
    if isinstance(good, dict) and good and draw(st.integers(0, 4)):
        name = draw(st.sampled_from(sorted(good)))
        if not draw(st.integers(0, 5)):
            return {key: value for key, value in good.items() if key != name}
        return good | {name: draw(restructured(good[name]))}
    if isinstance(good, list) and good and draw(st.integers(0, 4)):
        at = draw(st.integers(0, len(good) - 1))
        return [*good[:at], draw(restructured(good[at])), *good[at if draw(st.booleans()) else at + 1 :]]
    if not draw(st.integers(0, 5)):
        deep = good
        for _ in range(draw(st.sampled_from((5, 120, 400)))):
            deep = {"a": deep}
        return deep
    return draw(st.sampled_from(ATOMS))


def in_a_child(code: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
    """Run Python code in a process of its own with bounded memory: a crash there is a failure here, not our end."""

    def bound() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        cwd=ROOT,
        preexec_fn=bound,
    )


def said_by(function: Callable[[], object], *errors: type[Exception]) -> str:
    """Return the message of the one documented error that a function raises; empty if it raises none."""
    try:
        function()
    except errors as error:
        return str(error)
    return ""
