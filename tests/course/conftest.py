"""Assignments that were built once for all tests of this folder."""

from pathlib import Path

import pytest
from course import Built, build, masters


@pytest.fixture(scope="session", params=masters())
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Built:
    return build(request.param, tmp_path_factory.mktemp("course"))


@pytest.fixture
def root() -> Path:
    return Path(__file__).parents[2]
