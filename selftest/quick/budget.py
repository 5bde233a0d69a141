"""A pytest plug-in that ends a session after so many seconds and says how many tests it left out."""

import time
from typing import Any

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option for the budget."""
    parser.addoption("--within", type=float, metavar="S", help="seconds after which no further test begins")


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop(session: pytest.Session) -> Any:
    """Run the tests; ask the session to stop once the budget is spent."""
    session.config.pluginmanager.register(_Budget(session), "quick-budget")
    return (yield)


class _Budget:
    """Counts tests and seconds.

    Args:
        session: The session that is asked to stop.
    """

    def __init__(self, session: pytest.Session) -> None:
        self._session = session
        self._ends = time.monotonic() + float(session.config.getoption("--within") or 0.0)
        self._left = len(session.items)

    def pytest_runtest_logfinish(self) -> None:
        """Look at the clock after each test."""
        self._left -= 1
        if self._left and time.monotonic() > self._ends:
            self._session.shouldstop = f"the budget is spent; {self._left} tests were left out"
