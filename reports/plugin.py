"""The pytest plug-in of this room: at the session's end it writes the reports, prints the table and sets the exit code.

Works in the controller only: a worker of pytest-xdist has no run of its own. The hook is declared by `fixtures.plugin`;
without it the plug-in loads and does nothing.
"""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from evidence.catalogue import Catalogue
    from evidence.record_values import AllowanceFile
    from evidence.records import BaselineCompared
    from reports.compare.sides import Side
    from reports.model import Exit, Report

CATALOGUE = Path(__file__).resolve().parent.parent / "suites" / "catalogue"
_PYTEST_USAGE = 4


@dataclass(slots=True)
class _State:
    report: Report | None = None
    folder: Path | None = None
    trouble: str = ""
    shown: bool = False
    baseline: Side | None = None


_STATE = pytest.StashKey[_State]()


def pytest_configure(config: pytest.Config) -> None:
    """Keep a place for the session's report; nothing in a worker."""
    if not hasattr(config, "workerinput"):
        config.stash[_STATE] = _State()


@pytest.hookimpl(optionalhook=True)
def pytest_touchstone_baseline(config: pytest.Config, path: Path) -> str | None:
    """Read the earlier run, and keep it until the first pass has ended."""
    state = config.stash.get(_STATE, None)
    if state is None:
        return None
    from reports.compare import worse

    state.baseline = worse.baseline(path, _catalogue(config))
    return state.baseline.name.run


@pytest.hookimpl(optionalhook=True)
def pytest_touchstone_compared(config: pytest.Config, history: Path, again: int) -> BaselineCompared | None:
    """Return what looks worse than in the earlier run."""
    state = config.stash.get(_STATE, None)
    if state is None or state.baseline is None:
        return None
    from common.errors import UsageError
    from reports.compare import worse
    from reports.errors import ReportError

    try:
        return worse.compared(state.baseline, history, _catalogue(config), again)
    except ReportError as error:
        raise UsageError(str(error)) from error


def _catalogue(config: pytest.Config) -> Catalogue:
    """Return our catalogue, and the vendors' that were given."""
    from evidence import catalogue as catalogues
    from evidence.vendor import load_beside

    given = config.getoption("--catalogue", default=[])
    folders = [(config.invocation_params.dir / folder).resolve() for folder in given]
    return load_beside(catalogues.load(CATALOGUE), folders)[0]


@pytest.hookimpl(optionalhook=True)
def pytest_touchstone_excuses(
    versions: Mapping[str, str], files: Sequence[AllowanceFile], wall: str
) -> list[tuple[str, str, tuple[str, ...], bool]]:
    """Return which failures are forgiven."""
    from reports import excuses

    return excuses.of_run(versions, files, wall)


@pytest.hookimpl(optionalhook=True)
def pytest_touchstone_finished(config: pytest.Config, run_dir: Path, history: Path) -> None:
    """Write every report of the run, also of one that was cut off."""
    state = config.stash.get(_STATE, None)
    if state is None:
        return
    # Loaded here and not above: every worker of pytest-xdist loads the plug-in, and none needs templates and schemas.
    from reports import build, markdown, step_summary, write
    from reports.errors import ReportError

    state.folder = run_dir
    try:
        state.report = build.build(history, _catalogue(config))
        write.write(state.report, run_dir, history)
        step_summary.append(markdown.render(state.report))
    except (ReportError, ValueError) as error:
        state.trouble = f"no trustworthy report: {error}"
    except Exception:  # noqa: BLE001 - a fault of ours here must not keep others from ending the run; it is told below
        state.trouble = f"no complete report, by a fault of ours:\n{traceback.format_exc()}"
    _set_expected_apart(config, state.report)


@pytest.hookimpl(wrapper=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> Any:
    """Exchange pytest's exit status for the gate's.

    Registered later than the harness, so that this wraps its hook: when `yield` returns, the report exists.
    pytest's terminal reporter is around this one: its summary comes last.
    """
    result = yield
    state = session.config.stash.get(_STATE, None)
    if state is not None and (state.report is not None or state.trouble):
        session.exitstatus = exit_code(state, int(exitstatus), session.testsfailed)
    return result


def exit_code(state: _State, pytest_status: int, failed: int) -> Exit:
    """Return the process's exit code.

    Args:
        state: The report, or why there is none.
        pytest_status: What pytest itself would return.
        failed: Tests and fixtures that failed in pytest's eyes.
    """
    if pytest_status == _PYTEST_USAGE:
        return 3
    report = state.report
    if report is None or state.trouble:
        return 2
    seen = {
        (test.node, test.scope)
        for test in (*report.mutant_tests, *(test for result in report.results for test in result.tests))
        if test.verdict != "pass"
    }
    interrupted = pytest_status not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
    if report.gate.exit == 0 and (interrupted or failed > len(seen)):
        # pytest saw more go wrong than the history tells of: a fault of ours, never a pass.
        state.trouble = (
            f"pytest ended with status {pytest_status}"
            if interrupted
            else f"pytest counted {failed} failures, and the history tells of {len(seen)}"
        )
        return 2
    return report.gate.exit


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the table below pytest's own words."""
    state = config.stash.get(_STATE, None)
    if state is None or state.shown or (state.report is None and not state.trouble):
        return
    state.shown = True
    if state.report is not None:
        terminalreporter.write(_text(state.report, state.folder, terminalreporter), flush=True)
    if state.trouble:
        terminalreporter.write_line(state.trouble, red=True)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Print the head of the history below all else, so that it can be published."""
    state = config.stash.get(_STATE, None)
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if state is not None and state.shown and state.report is not None and reporter is not None:
        from reports import terminal

        reporter.write_line(terminal.head_line(state.report))


def _text(report: Report, folder: Path | None, terminalreporter: pytest.TerminalReporter) -> str:
    """Return the terminal report, as wide and as colourful as pytest's own output."""
    from reports import terminal

    writer = terminalreporter._tw  # noqa: SLF001 - pytest has no public way to ask for colour, width and encoding
    encoding = str(getattr(writer._file, "encoding", None) or "")  # noqa: SLF001 - likewise
    return terminal.text(
        report,
        width=min(writer.fullwidth, 160) if writer.hasmarkup else 110,
        color=writer.hasmarkup,
        ascii_only=not encoding.lower().startswith("utf"),
        folder=_short(folder),
    )


def _short(folder: Path | None) -> Path | None:
    """Return the folder as one would type it."""
    try:
        return None if folder is None else folder.resolve().relative_to(Path.cwd())
    except ValueError:
        return folder


def _set_expected_apart(config: pytest.Config, report: Report | None) -> None:
    """Move expected failures from pytest's failures to lists of their own: what is expected prints no traceback."""
    from reports import build

    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if report is None or reporter is None:
        return
    if build.proving(report.selection):
        # Under a mutant a failing test is the tests' success; the matrix tells which ones should not have failed.
        _move(reporter, "caught", {test.node for test in report.mutant_tests if test.verdict == "fail"}, exact=False)
    strict = report.gate.name == "strict"
    forgiven = {result.id for result in report.results if result.waived or (result.excused and not strict)}
    known = {test.node for result in report.results if result.id in forgiven for test in result.tests}
    others = {test.node for result in report.results if result.id not in forgiven for test in result.tests}
    _move(reporter, "known", known - others, exact=True)


def _move(reporter: pytest.TerminalReporter, name: str, nodes: set[str], *, exact: bool) -> None:
    bases = set() if exact else {node.split("[", 1)[0] for node in nodes}

    def belongs(item: Any) -> bool:
        node = str(getattr(item, "nodeid", ""))
        # A mutant is a parameter of the test: the node id in the history is the one without it.
        return getattr(item, "when", "") == "call" and (node in nodes or node.split("[", 1)[0] in bases)

    failed = reporter.stats.get("failed", [])
    moved = [item for item in failed if belongs(item)]
    if moved:
        reporter.stats[name] = moved
        reporter.stats["failed"] = [item for item in failed if not belongs(item)]
        if not reporter.stats["failed"]:
            del reporter.stats["failed"]
