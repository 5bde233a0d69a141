"""A copy of the project to follow the documents in."""

from pathlib import Path

import pytest

from selftest.docs.following import copy_project


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return copy_project(tmp_path)
