"""Servers of our own for the acceptance runs: real ones, on free ports, gone afterwards."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from intermediary.testing.servers import PrivateRabbit, RabbitMissing


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
