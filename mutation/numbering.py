"""A plug-in of pytest that numbers the tests of the honest run, for the processes of the system under test to see.

Zero is the time before the first test. `--numbers FILE` names the file with the number of the test that runs; beside it
stands at the end `FILE.json`: the ids of the tests in the order of their numbers.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Our option."""
    parser.addoption("--numbers", metavar="FILE", type=Path, required=True, help="where the number of a test is told")


class Numbering:
    """Tells the number of each test as it begins.

    Args:
        file: The file for the number.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._ids: list[str] = []

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Tell the number before anything of the test is set up."""
        self._ids.append(item.nodeid)
        with self._file.open("r+b") as file:
            file.write(len(self._ids).to_bytes(4, "little"))
        return (yield)

    def pytest_sessionfinish(self) -> None:
        """Write down which test has which number."""
        self._file.with_suffix(".json").write_text(json.dumps(self._ids), encoding="utf-8")


def pytest_configure(config: pytest.Config) -> None:
    """Begin to number."""
    config.pluginmanager.register(Numbering(config.getoption("--numbers")), "touchstone-numbering")
