"""What tests of the packaging share: our wheel, and clean environments with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.packaging.installing import Environment, build_wheel, make_environment


@pytest.fixture(scope="session")
def wheel(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of the working tree, built with what set-up has left in the cache: no network."""
    return build_wheel(project, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment with the locked dependencies and the wheel, and nothing of the source; one for each file of tests."""
    return make_environment(tmp_path_factory.mktemp("installed") / "env", wheel)
