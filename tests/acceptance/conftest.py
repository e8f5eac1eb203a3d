"""Servers of our own for the acceptance runs: real ones, on free ports, gone afterwards."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from intermediary.testing.pki import Pki, make_pki
from intermediary.testing.servers import PrivateRabbit, RabbitMissing
from tests.acceptance.office import Office, furnish
from tests.acceptance.rig import Rig


@pytest.fixture(scope="session")
def rabbit() -> Iterator[PrivateRabbit]:
    """One private RabbitMQ for the whole run; a test may kill it, if it restarts it.

    Without RabbitMQ the test is skipped, or fails if INTERMEDIARY_SERVERS_REQUIRED=1.
    """
    try:
        server = PrivateRabbit()
    except RabbitMissing as missing:
        if os.environ.get("INTERMEDIARY_SERVERS_REQUIRED") == "1":
            pytest.fail(str(missing))
        pytest.skip(str(missing))
    with server:
        yield server


@pytest.fixture(scope="session")
def pki() -> Pki:
    """Throw-away keys of one cast, made once: RSA keys take a second."""
    return make_pki(valid_from=datetime(2026, 1, 1, tzinfo=UTC), valid_until=datetime(2036, 1, 1, tzinfo=UTC))


@pytest.fixture
def rig(tmp_path: Path, pki: Pki) -> Iterator[Rig]:
    """An installation in a folder of its own."""
    made = Rig(tmp_path / "site", pki)
    yield made
    made.close()


@pytest.fixture(scope="session")
def untouched(tmp_path_factory: pytest.TempPathFactory, pki: Pki) -> Office:
    """One installation that is only copied: looking leaves traces too."""
    return furnish(tmp_path_factory.mktemp("cli") / "site", pki)


@pytest.fixture(scope="session")
def seen(tmp_path_factory: pytest.TempPathFactory, untouched: Office) -> Office:
    """One installation for verbs that only look."""
    return _copied(untouched, tmp_path_factory.mktemp("seen"))


@pytest.fixture
def own(tmp_path: Path, untouched: Office) -> Office:
    """An installation for verbs that change something."""
    return _copied(untouched, tmp_path)


def _copied(office: Office, folder: Path) -> Office:
    shutil.copytree(office.folder, folder / "site")
    return Office(folder / "site", office.ids)
