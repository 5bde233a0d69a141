"""Loads the images' modules without KServe's SDK: each image is a folder of plain modules that import each other."""

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

IMAGES = Path(__file__).resolve().parents[2] / "images"
Load = Callable[[str], ModuleType]


def _loader(image: str) -> Iterator[Load]:
    folder = IMAGES / image
    names = {path.stem for path in folder.glob("*.py")}
    sys.path.insert(0, str(folder))
    try:
        yield importlib.import_module
    finally:
        sys.path.remove(str(folder))
        # Another image may have a module of the same name.
        for name in [name for name in sys.modules if name.partition(".")[0] in {*names, "mutants"}]:
            del sys.modules[name]


@pytest.fixture(scope="module")
def transformer() -> Iterator[Load]:
    yield from _loader("msg-transformer")


@pytest.fixture(scope="module")
def predictor() -> Iterator[Load]:
    yield from _loader("mnist-predictor")


@pytest.fixture(scope="module")
def echo() -> Iterator[Load]:
    yield from _loader("open-inference")


@pytest.fixture(scope="module")
def serving() -> Iterator[Load]:
    yield from _loader("serving")


@pytest.fixture(scope="module")
def suite() -> Iterator[Load]:
    yield from _loader("suite")
