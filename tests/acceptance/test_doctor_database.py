"""What `doctor` says of an installation on PostgreSQL: through the command, so that nothing of the URL comes out."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from intermediary.testing.demo_proof import golden_settings
from intermediary.testing.demo_site import Site, make_site
from intermediary.testing.pki import Pki
from intermediary.testing.postgres import PrivatePostgres
from intermediary.testing.servers import free_ports
from intermediary.wiring import open_installation, utc_now


@pytest.fixture
def site(tmp_path: Path, pki: Pki) -> Site:
    """An installation that has never run."""
    return make_site(tmp_path / "site", now=utc_now(), settings=golden_settings(), pki=pki)


def _doctor(site: Site) -> tuple[dict[str, dict[str, str]], str]:
    command = [sys.executable, "-m", "intermediary", "doctor", "-c", str(site.config), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return {line["subject"]: line for line in lines}, done.stdout + done.stderr


def test_a_database_in_order_has_a_line(site: Site, postgres: PrivatePostgres) -> None:
    """Server and store are told apart; before the first start there is no store in it."""
    site.use_database(postgres.database())
    before, _ = _doctor(site)
    open_installation(site.config).store.close()
    after, _ = _doctor(site)

    assert ("ok", "ok") == (before["database"]["verdict"], after["database"]["verdict"])
    assert ("warning", "ok") == (before["store"]["verdict"], after["store"]["verdict"])


def test_a_database_that_is_away_is_told_without_its_password(site: Site) -> None:
    """Host and port stand in the line."""
    (port,) = free_ports(1)
    site.use_database(f"postgresql://u:geheim@127.0.0.1:{port}/x")

    lines, said = _doctor(site)

    assert ("bad", "bad") == (lines["database"]["verdict"], lines["store"]["verdict"])
    assert str(port) in lines["database"]["what"]
    assert "geheim" not in said


def test_what_is_no_url_is_not_shown(site: Site) -> None:
    """The whole content of the file may be a secret."""
    site.use_database("geheim")

    lines, said = _doctor(site)

    assert "bad" == lines["database"]["verdict"]
    assert "store.url" in lines["database"]["what"]
    assert "geheim" not in said
