"""A real daemon and a thousand failures with one cause: people are told once that it began, and once that it is over."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest

from intermediary.core.decide import Decision
from intermediary.core.incidents import Pace, Sighting
from intermediary.core.states import NachrichtState
from intermediary.core.values import Eingang, MemoryContent
from intermediary.ingress.doors import OSCI_MIME
from intermediary.operations.prove import verify_installation
from intermediary.store.incidents import IncidentRecord
from intermediary.testing.demo_proof import golden_settings
from intermediary.testing.demo_site import MANDANT, Site, make_site
from intermediary.testing.pki import Pki
from intermediary.wiring import Installation, open_installation, utc_now
from tests.acceptance.command import call
from tests.acceptance.daemon import Daemon, wait_until
from tests.acceptance.receivers import Webhook

MANY = 1_000
CANARY = "Kanarienvogel"
_SETTINGS = """
[incidents]
look_seconds = 1
operator_seconds = 1
quiet_seconds = 3
[alerts]
webhook_url_file = "secrets/webhook.url"
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def site(request: pytest.FixtureRequest, tmp_path: Path, pki: Pki) -> Site:
    """An installation on each engine that tells by a webhook, and looks every second."""
    made = make_site(tmp_path / "site", now=utc_now(), settings=golden_settings(), pki=pki)
    if request.param == "postgresql":
        made.use_database(request.getfixturevalue("postgres").database())
    with made.config.open("a", encoding="utf-8") as file:
        file.write(_SETTINGS)
    return made


@pytest.fixture
def installation(site: Site) -> Iterator[Installation]:
    """The same installation, to look at what the daemons do."""
    opened = open_installation(site.config)
    yield opened
    opened.store.close()


@pytest.fixture
def webhook(site: Site) -> Iterator[Webhook]:
    """Where alerts arrive."""
    with Webhook() as receiver:
        (site.folder / "secrets" / "webhook.url").write_text(receiver.url, encoding="utf-8")
        yield receiver


def _stuck(installation: Installation, numbers: range) -> None:
    """Nachrichten that wait for a route; when somebody looks again, they are none, and their senders are told."""
    store, now = installation.store, installation.now()
    taken = store.take(
        [
            Eingang(
                mandant=MANDANT,
                channel="eingang",
                message_id=f"{CANARY}-{number}",
                content_type=OSCI_MIME,
                received_at=now,
                body=MemoryContent(f"{CANARY} {number}".encode()),
            )
            for number in numbers
        ]
    )
    later = now + installation.settings.delivery.schedule.deadline / 2
    for one in taken:
        claim = store.claim_one(one.nachricht_id, "test", now)
        store.wait(claim, Decision(NachrichtState.RECEIVED, "route.missing", later, counts=False), now)


def _are_told(installation: Installation, count: int) -> bool:
    """Whether so many alerts of the only incident have arrived: one for each way and phase."""
    incidents = installation.store.watch.incidents
    told = [alert.sent_at for one in incidents.newest() for alert in incidents.alerts_of(one.id)]
    return len(told) == count and None not in told


def _waiting(installation: Installation) -> int:
    """How many Nachrichten are not done."""
    return sum(installation.store.watch.gauges.open_counts().values())


def _said(site: Site, event: str) -> int:
    logs = "".join(path.read_text(encoding="utf-8") for path in site.folder.glob("*.log"))
    return logs.count(f'"event": "{event}"')


def test_a_thousand_failures_are_told_once(site: Site, installation: Installation, webhook: Webhook) -> None:
    """One alert at the beginning and one at the end: also when every daemon is killed in between, and two are at work."""
    is_shared = installation.store.is_shared
    _stuck(installation, range(MANY))
    incidents = installation.store.watch.incidents
    with ExitStack() as ending:

        def start(name: str) -> Daemon:
            daemon = Daemon(site.config, log=site.folder / f"{name}.log", temporary=site.folder)
            ending.callback(daemon.kill)
            daemon.wait_for("daemon.started")
            return daemon

        running = [start(f"daemon-{number}") for number in range(2 if is_shared else 1)]
        wait_until(lambda: _are_told(installation, 2), "the alerts of the beginning")
        for daemon in running:
            daemon.kill()
        _stuck(installation, range(MANY, MANY + 1))
        running = [start(f"again-{number}") for number in range(2 if is_shared else 1)]
        wait_until(lambda: incidents.newest(is_open=True)[0].count == MANY + 1, "a look after the restart")

        assert ["incident.opened"] == [body["event"] for body in webhook.bodies]
        assert 1 == call("incidents", "list", "-c", site.config).code
        with (site.folder / "routes.toml").open("a", encoding="utf-8") as file:
            file.write("# looked at again\n")
        for share in range(20):
            left = MANY * (19 - share) // 20
            wait_until(lambda left=left: _waiting(installation) <= left, f"no more than {left} wait")
        wait_until(lambda: _are_told(installation, 4), "the alerts of the end")
        for daemon in running:
            assert 0 == daemon.stop()

    told = [(body["event"], body["incident"]["code"]) for body in webhook.bodies]
    assert [("incident.opened", "route.missing"), ("incident.ended", "route.missing")] == told
    assert (1, 1) == (_said(site, "incident.opened"), _said(site, "incident.ended"))
    [one] = incidents.newest()
    began, ended = (body["incident"] for body in webhook.bodies)
    assert one.id == began["id"] == ended["id"]
    assert ("route.missing", "channel eingang", [MANDANT]) == (began["code"], began["place"], began["mandanten"])
    assert (MANY, MANY + 1) == (began["most"], ended["most"])
    assert 2 == len({headers["Idempotency-Key"] for headers in webhook.headers})
    assert CANARY not in json.dumps(webhook.bodies)
    report = verify_installation(installation)
    assert report.is_ok, report.problems


def test_an_operator_reads_what_to_do(site: Site, installation: Installation, webhook: Webhook) -> None:
    """`incidents` and `explain` name cause, healer, command and runbook, and each other; a person takes it on."""
    _stuck(installation, range(3))
    daemon = Daemon(site.config, log=site.folder / "daemon.log", temporary=site.folder)
    try:
        wait_until(lambda: webhook.bodies, "the alert")
        found = next(installation.store.find()).id
        [row] = call("incidents", "list", "--json", "-c", site.config).rows
        explained = call("explain", found, "-c", site.config)
        shown = call("incidents", "show", row["id"][:8], "-c", site.config)
        taken_on = call("incidents", "ack", row["id"][:8], "--reason", "Route kommt", "-c", site.config)
        again = call("incidents", "ack", row["id"][:8], "--reason", "auch", "-c", site.config)
    finally:
        daemon.kill()

    assert ("route.missing", 3, "open") == (row["code"], row["count"], row["state"])
    for text in (explained.out, shown.out):
        assert "docs/howto/runbooks.md#route" in text
        assert "der Betrieb" in text
    assert f"intermediary incidents show {row['id'][:8]}" in explained.out
    assert f'intermediary replay {found} --reason "…"' in explained.out
    assert re.search(r"webhook +gemeldet", shown.out)
    assert (0, 2) == (taken_on.code, again.code)
    assert "Route kommt" in call("incidents", "show", row["id"], "-c", site.config).out
    assert CANARY not in shown.out


def _wrong_hours(site: Site) -> Callable[[], object]:
    """A slip in the routes file; gives what takes it back."""
    routes = site.folder / "routes.toml"
    before = routes.read_text()
    routes.write_text(before.replace('connector = "', 'deadline_hours = 0.025\nconnector = "', 1))
    return lambda: routes.write_text(before)


def _lost_key(site: Site) -> Callable[[], object]:
    """A key file that is not where the keyring says; gives what brings it back."""
    key = next(site.folder.rglob("reader*.p12"))
    away = key.rename(key.with_suffix(".weg"))
    return lambda: away.rename(key)


@pytest.mark.parametrize(
    ("spoil", "code", "named"),
    [
        (_wrong_hours, "route.table.invalid", "deadline_hours (config.type.wrong)"),
        (_lost_key, "key.unavailable", ".p12"),
    ],
)
def test_a_configuration_that_is_refused_is_told(
    site: Site, installation: Installation, spoil: Callable[[Site], Callable[[], object]], code: str, named: str
) -> None:
    """One incident with the file and what is wrong in it, while the one before is in force; it ends once it is mended."""
    incidents = installation.store.watch.incidents

    def refused() -> list[IncidentRecord]:
        return [one for one in incidents.newest() if one.place.startswith(f"configuration {socket.gethostname()} ")]

    daemon = Daemon(site.config, log=site.folder / "daemon.log", temporary=site.folder)
    try:
        daemon.wait_for("daemon.started")
        mend = spoil(site)
        wait_until(refused, "the incident")
        shown = call("incidents", "show", refused()[0].id, "-c", site.config).out
        mend()
        wait_until(lambda: refused()[0].ended_at is not None, "its end")
        assert 0 == daemon.stop()
    finally:
        daemon.kill()

    [found] = refused()
    assert (code, 1) == (found.code, daemon.said("configuration.refused"))
    assert named in found.place
    assert "0.025" not in found.place
    assert "die vorige gilt weiter" in shown


def test_a_list_in_a_pipe_has_whole_places(site: Site, installation: Installation) -> None:
    """What is cut on a screen is not where a program reads on."""
    place = f"target {'m' * 40}/{'r' * 40}/{'t' * 40}"
    pace = Pace(timedelta(minutes=5), timedelta(minutes=1))
    installation.store.watch.incidents.see([Sighting("target.full", place)], pace=pace, ways=(), now=utc_now())

    assert place.replace("target", "Ziel") in call("incidents", "list", "-c", site.config).out
