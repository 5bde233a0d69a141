"""Finds runs, reads each once, orders them by their start, and puts them side by side."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from common.errors import UsageError
from reports import written
from reports.compare import environment
from reports.errors import ReportError
from reports.trend import reading
from reports.trend.model import FAILING, Column, ReadRun, Row, StageRow, Trend

MOST_RUNS: Final = 1000


def collect(paths: Sequence[Path]) -> Trend:
    """Return the trend over runs.

    Args:
        paths: Folders of runs, or folders that hold such folders.

    Raises:
        UsageError: A path is no folder, holds no run, or there are too many runs.
        ReportError: No run could be read.
    """
    left_out: list[str] = []
    runs: dict[str, ReadRun] = {}
    folders: dict[Path, Path] = {}
    unread = False
    for folder in _folders(paths, left_out):
        if len(folders) > MOST_RUNS:
            raise UsageError(f"expected at most {MOST_RUNS} runs, got more: name some of them")
        if folder.resolve() in folders:
            continue  # `latest` leads to a run that stands there under its own name
        folders[folder.resolve()] = folder
        try:
            run = reading.read(folder)
        except ReportError as error:
            left_out.append(str(error))
            unread = unread or not isinstance(error, reading.OfMutantsError)
            continue
        if run.digest in runs:
            left_out.append(f"{folder}: the same run as {runs[run.digest].folder}")
            continue
        runs[run.digest] = run
    ordered = sorted(runs.values(), key=lambda run: (run.order, run.name))
    if not ordered:
        raise ReportError(f"expected runs that can be read, got none: {'; '.join(left_out[:3])}")
    newest = ordered[-1]
    columns = [Column(run, _other(run, newest)) for run in ordered]
    return Trend(columns, list(_rows(ordered)), list(_stages(columns)), left_out, unread)


def _folders(paths: Sequence[Path], left_out: list[str]) -> Iterator[Path]:
    """Yield the folders of runs, each by the shortest way; a folder that is none is noted."""
    for path in paths:
        if not path.is_dir():
            raise UsageError(f"{path}: expected a run's folder, or a folder of runs, got no folder")
        if (path / written.NAME).is_file():
            yield path
            continue
        inner = sorted(folder for folder in path.iterdir() if folder.is_dir() and not folder.name.startswith("."))
        found = [folder for folder in inner if (folder / written.NAME).is_file()]
        if not found:
            raise UsageError(
                f"{path}: expected a run's folder, or a folder of runs, got one without any {written.NAME}"
            )
        left_out += [f"{folder}: no run: it holds no {written.NAME}" for folder in inner if folder not in found]
        yield from sorted(found, key=lambda folder: (folder.is_symlink(), folder.name))


def _other(run: ReadRun, newest: ReadRun) -> tuple[str, ...]:
    """Return what is not the same around a run as around the newest, where it decides how fast a system is."""
    facts = dict.fromkeys([*newest.facts, *run.facts])
    differing = [name for name in facts if run.facts.get(name) != newest.facts.get(name)]
    return (
        *filter(environment.decides_speed, differing),
        *(["catalogue"] if run.catalogue != newest.catalogue else []),
    )


def _rows(runs: Sequence[ReadRun]) -> Iterator[Row]:
    """Yield the requirements in the order of the newest run, and behind them those that only older runs have."""
    for id_ in dict.fromkeys(id_ for run in reversed(runs) for id_ in run.about):
        newest = next(run.about[id_] for run in reversed(runs) if id_ in run.about)
        marks = [run.marks.get(id_, "") for run in runs]
        yield Row(id_, *newest, marks, *_since(marks))


def _since(marks: Sequence[str]) -> tuple[int | None, int | None]:
    """Return since which run a requirement fails, and the last run before that in which it passed.

    What was not run or not decided lies in between and says nothing.
    """
    since: int | None = None
    for number in range(len(marks) - 1, -1, -1):
        if marks[number] == "pass":
            return (since, number) if since is not None else (None, None)
        if marks[number] in FAILING:
            since = number
    return since, None


def _stages(columns: Sequence[Column]) -> Iterator[StageRow]:
    newest = columns[-1].run
    for key in newest.stages:
        values: list[float | None] = []
        comparable: list[bool] = []
        for column in columns:
            stages = column.run.stages
            others = (value for other, value in stages.items() if (other.case, other.stage) == (key.case, key.stage))
            values.append(stages[key] if key in stages else next(others, None))
            comparable.append(column.comparable and key in stages)
        yield StageRow(key.case, key.stage, key.samples, values, comparable)
