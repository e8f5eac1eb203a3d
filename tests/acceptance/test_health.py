"""Health of a real daemon: it answers while the database is gone, says why, and its figures name nothing of a Nachricht."""

from __future__ import annotations

import json
import re
import secrets
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from intermediary.core.codes import CATALOGUE
from intermediary.core.states import NachrichtState
from intermediary.osci.write.seal import seal
from intermediary.testing.demo_proof import golden_settings
from intermediary.testing.demo_site import Site, make_site
from intermediary.testing.pki import Pki
from intermediary.testing.postgres import PrivatePostgres
from intermediary.testing.samples import sample_letter
from intermediary.wiring import open_installation, utc_now
from tests.acceptance.daemon import Daemon, wait_until

_SAMPLE = re.compile(r'intermediary_[a-z_]+(?:\{[a-z]+="[^"\n]*"(?:,[a-z]+="[^"\n]*")*\})? -?[0-9]+(?:\.[0-9]+)?')


class Health:
    """The three pages of one daemon."""

    def __init__(self, site: Site) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{free.getsockname()[1]}"
        with site.config.open("a", encoding="utf-8") as file:
            file.write(f'\n[health]\nlisten = "{self.address}"\nsample_seconds = 1\n')

    def get(self, page: str) -> tuple[int, str]:
        """Status and text; 0 when nobody answers."""
        try:
            answer = httpx2.get(f"http://{self.address}{page}", timeout=10, trust_env=False)
        except httpx2.TransportError:
            return 0, ""
        return answer.status_code, answer.text

    def page(self, page: str) -> tuple[int, dict[str, Any]]:
        """The same of a page in JSON."""
        status, text = self.get(page)
        return status, json.loads(text) if text else {}

    def figures(self) -> dict[str, float]:
        """The metrics, parsed as the text format of Prometheus demands; a line that is none fails."""
        _, text = self.get("/metrics")
        found: dict[str, float] = {}
        typed: set[str] = set()
        for line in text.splitlines():
            if line.startswith("# TYPE "):
                name, kind = line.split(" ")[2:]
                assert kind in ("gauge", "counter"), line
                assert kind != "counter" or name.endswith("_total"), line
                assert name not in typed, "the lines of one metric stand together"
                typed.add(name)
            elif not line.startswith("# HELP "):
                assert _SAMPLE.fullmatch(line), line
                sample, _, value = line.rpartition(" ")
                assert sample.partition("{")[0] in typed, line
                assert sample not in found, line
                found[sample] = float(value)
        return found


@pytest.fixture
def site(tmp_path: Path, pki: Pki, postgres: PrivatePostgres) -> Site:
    """An installation on PostgreSQL."""
    made = make_site(tmp_path / "site", now=utc_now(), settings=golden_settings(), pki=pki)
    made.use_database(postgres.database())
    return made


@pytest.fixture
def health(site: Site) -> Health:
    """Its health pages, on a free port."""
    return Health(site)


@pytest.fixture
def daemon(site: Site, health: Health) -> Iterator[Daemon]:
    """Its daemon."""
    started = Daemon(site.config, log=site.folder / "daemon.log", temporary=site.folder)
    yield started
    started.kill()


def _wait_for_all(daemon: Daemon) -> None:
    """Until every process has begun, one after the other: on a loaded machine that takes its time."""
    for event in ("daemon.started", "health.listening", "ingress.started", "worker.started"):
        daemon.wait_for(event)


def test_it_answers_while_the_database_is_gone(health: Health, daemon: Daemon, postgres: PrivatePostgres) -> None:
    """Ready, then red with a reason in German, then ready again, without a restart; alive all the time."""
    _wait_for_all(daemon)
    wait_until(lambda: health.get("/readyz")[0] == 200, "readiness")
    [opened] = [line for line in daemon.log.read_text().splitlines() if '"health.listening"' in line]
    assert int(health.address.rpartition(":")[2]) == json.loads(opened)["port"]
    wait_until(lambda: health.figures().get("intermediary_database_reachable") == 1, "figures")
    postgres.kill()
    try:
        wait_until(lambda: health.get("/readyz")[0] == 503, "readiness is lost")
        wait_until(lambda: health.figures()["intermediary_database_reachable"] == 0, "the figures say so")
        _, page = health.page("/readyz")
        living, _ = health.page("/healthz")
        figures = health.figures()
    finally:
        postgres.restart()
    wait_until(lambda: health.get("/readyz")[0] == 200, "readiness comes back")
    wait_until(lambda: health.figures()["intermediary_database_reachable"] == 1, "the figures come back")

    [channel] = page["channels"]
    assert ("eingang", False) == (channel["channel"], channel["taking"])
    assert any(CATALOGUE["store.unavailable"].meaning in reason for reason in channel["reasons"])
    assert 200 == living
    assert 0 == figures['intermediary_channel_taking{channel="eingang"}']
    assert 1 == figures['intermediary_channel_obstacle{channel="eingang",code="store.unavailable"}']
    assert not [name for name in figures if name.startswith("intermediary_nachrichten_open")]
    assert 1 == daemon.said("daemon.started")
    assert 0 == daemon.stop()


def test_it_answers_before_the_database_is_there(site: Site, health: Health, postgres: PrivatePostgres) -> None:
    """After a power cut the daemon waits for its database, and says so instead of being silent."""
    postgres.kill()
    early = Daemon(site.config, log=site.folder / "daemon.log", temporary=site.folder)
    try:
        early.wait_for("store.away")
        wait_until(lambda: early.said("health.listening"), "the pages")
        wait_until(lambda: health.get("/readyz")[0] == 503, "an answer")
        assert 0 == health.figures()["intermediary_database_reachable"]
        postgres.restart()
        _wait_for_all(early)
        wait_until(lambda: health.get("/readyz")[0] == 200, "readiness")
        assert 0 == early.stop()
    finally:
        early.kill()
        postgres.restart()


def test_figures_tell_what_happened_and_nothing_of_it(site: Site, health: Health, daemon: Daemon) -> None:
    """Taken, completed, rejected and parked are counted, with labels from closed sets only; other requests are refused."""
    _wait_for_all(daemon)
    wait_until(lambda: health.figures().get("intermediary_database_reachable") == 1, "the first figures")
    now = utc_now()
    for number in range(2):
        body = seal(sample_letter(number, now=now), parties=site.pki.parties, random=secrets.token_bytes, now=now)
        (site.inbox / f".{number}").write_bytes(body)
        (site.inbox / f".{number}").rename(site.inbox / f"Kanarienvogel-{number}.osci")
    (site.inbox / ".bad").write_bytes(b"Kanarienvogel")
    (site.inbox / ".bad").rename(site.inbox / "Kanarienvogel.osci")
    expected = {
        'intermediary_taken_total{channel="eingang"}': 3,
        "intermediary_completed_total": 2,
        "intermediary_rejected_total": 1,
    }
    wait_until(lambda: expected.items() <= health.figures().items(), "what happened")
    pages = "".join(health.get(page)[1] for page in ("/metrics", "/healthz", "/readyz"))
    statuses = [health.get(page)[0] for page in ("/", "/metrics/", "/healthz/x")]
    posted = httpx2.post(f"http://{health.address}/readyz", timeout=10, trust_env=False).status_code
    figures = health.figures()
    opened = open_installation(site.config)
    counts = opened.store.counts()
    opened.store.close()

    assert {(NachrichtState.COMPLETED, ""): 2} == {k: n for k, n in counts.items() if k[0] is NachrichtState.COMPLETED}
    assert "Kanarienvogel" not in pages
    assert "@" not in pages
    assert figures["intermediary_alive"] == figures["intermediary_ready"] == 1
    assert 3 == figures['intermediary_events_total{event="intake.taken"}']
    assert figures['intermediary_certificate_days_left{purpose="reader",owner="musterstadt"}'] > 365
    assert [404, 404, 404] == statuses
    assert 405 == posted
