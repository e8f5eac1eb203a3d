"""A message may have a thousand large parts, whatever number of open files a service manager begins with."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from intermediary.testing.demo_proof import golden_settings
from intermediary.testing.demo_site import make_site
from intermediary.testing.pki import Pki
from tests.acceptance.daemon import Daemon

USUAL = 1024


@pytest.fixture
def few_files() -> Iterator[int]:
    """The soft limit a service is usually started with; gives the hard one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (USUAL, hard))
    yield hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_children_may_open_as_many_files_as_the_machine_allows(tmp_path: Path, pki: Pki, few_files: int) -> None:
    """Each child lifts its own soft limit to the hard one."""
    site = make_site(tmp_path / "site", now=datetime.now(UTC), settings=golden_settings(), pki=pki)
    daemon = Daemon(site.config, log=tmp_path / "log", temporary=tmp_path)
    try:
        daemon.wait_for("worker.started")
        daemon.wait_for("ingress.started")
        limits = {_open_files(Path("/proc") / str(pid) / "limits") for pid in daemon.children()}
    finally:
        daemon.stop()

    assert few_files > USUAL
    assert limits == {few_files}


def _open_files(limits: Path) -> int:
    (line,) = (line for line in limits.read_text().splitlines() if line.startswith("Max open files"))
    return int(line.split()[3])
