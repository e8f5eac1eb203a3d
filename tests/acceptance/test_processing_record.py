"""The record of processing: everybody who gets data, every place it rests in, and what really needs a second person."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from intermediary.testing.postgres import PrivatePostgres
from intermediary.wiring import open_installation
from tests.acceptance.command import Said
from tests.acceptance.office import Office

SERVICES = """
[scan]
clamd = "tcp://av.example:3310"

[alerts]
webhook_url_file = "secrets/alerts.url"
mail_server = "relay.example:587"
mail_from = "intermediary@it.example"
mail_to = ["bereitschaft@it.example"]
mail_user = "konto"
mail_password_file = "secrets/mail.password"
"""

QUEUE = """
[[route.target]]
name = "fachverfahren"
connector = "amqp"

[route.target.settings]
url_file = "secrets/ziel.url"
routing_key = "fv.eingang"
answers = { queue = "fv.antworten", archive = "archiv", unmatched = "fremd" }
"""


@pytest.fixture
def talkative(own: Office) -> Office:
    """An installation with a virus scan, alerts, and a queue as second target; its secrets all have one word in them."""
    for name, text in {
        "alerts.url": "https://hooks.example/geheim",
        "mail.password": "geheim",
        "ziel.url": "amqps://nutzer:geheim@broker.example/efa",
    }.items():
        (own.folder / "secrets" / name).write_text(text)
    routes = own.config.with_name("routes.toml")
    routes.write_text(routes.read_text() + QUEUE)
    own.config.write_text(own.config.read_text() + SERVICES)
    return own


def _record(office: Office) -> Said:
    said = office.call("report", "verarbeitung")
    assert 0 == said.code, said
    return said


def _row(said: Said, title: str) -> str:
    (row,) = [line for line in said.lines if line.startswith(f"| {title}")]
    return row


def test_it_names_everybody_who_gets_data(talkative: Office) -> None:
    """Whoever scans, is told of trouble or gets a queue: with the host, and without any secret."""
    said = _record(talkative)

    assert "tcp://av.example:3310" in _row(said, "Virenprüfung")
    assert all(one in _row(said, "Empfänger von Meldungen") for one in ("bereitschaft@it.example", "relay.example:587"))
    assert "https://hooks.example`" in _row(said, "Empfänger von Meldungen")
    target = _row(said, "Empfänger fachverfahren")
    assert "amqps://broker.example/efa" in target
    assert all(f"= {one}`" in target for one in ("fv.eingang", "fv.antworten", talkative.folder / "archiv"))
    assert "geheim" not in said.out + talkative.call("report", "verarbeitung", "--json").out


def test_it_names_the_places_of_a_door(own: Office) -> None:
    """Where submissions lie, where refused ones do, and where the Quittung goes."""
    said = _record(own)
    (door,) = [line for line in said.lines if " | Ordner | " in line]
    (target,) = [line for line in said.lines if line.startswith("| Empfänger eakte")]

    assert f"inbox = {own.folder}" in door
    assert "/.refused`" in door
    assert f"Ordner: `folder = {own.folder}" in door
    assert "`state = " in target


def test_it_tells_what_needs_a_second_person(own: Office) -> None:
    """Also what the store alone remembers; and that this is not known where the store cannot be seen."""
    plain = own.config.read_text()
    own.config.write_text(plain + '\n[approvals]\nrequired = ["discard", "reveal"]\n')
    own.call("list")
    own.config.write_text(plain)

    assert "| `discard`, `reveal` |" in _row(_record(own), "Zweite Person")
    (own.folder / "data").rename(own.folder / "anderswo")
    unknown = _row(_record(own), "Zweite Person")
    assert "laut Konfiguration für nichts" in unknown
    assert "nicht bekannt" in unknown
    assert not (own.folder / "data").exists()


def test_it_tells_it_of_a_database_too(own: Office, postgres: PrivatePostgres) -> None:
    """Host and name of the database; one that is away is waited for by nobody."""
    secret = own.folder / "secrets/store.url"
    secret.touch(mode=0o600)
    secret.write_text(url := postgres.database())
    plain = own.config.read_text() + '\n[store]\nurl_file = "secrets/store.url"\n'
    own.config.write_text(plain + '\n[approvals]\nrequired = ["reveal"]\n')
    (own.folder / "data").rename(own.folder / "data-sqlite")
    for file in (own.folder / "audit-heads").iterdir():
        file.unlink()
    open_installation(own.config).store.close()
    own.config.write_text(plain)

    assert "| `reveal` |" in _row(_record(own), "Zweite Person")
    assert urlsplit(url).path in _row(_record(own), "Speicherort")
    secret.write_text("postgresql://nutzer:geheim@127.0.0.1:9/efa")
    away = _record(own)
    assert "nicht bekannt" in _row(away, "Zweite Person")
    assert ("postgresql://127.0.0.1:9/efa" in _row(away, "Speicherort"), "geheim" in away.out) == (True, False)


def test_it_is_made_without_secrets_too(talkative: Office) -> None:
    """On a desk that has the configuration alone: what stands in files that are not there is said to be unknown."""
    (talkative.folder / "secrets").rename(talkative.folder / "tresor")
    said = _record(talkative)

    assert "hier nicht zu lesen" in _row(said, "Empfänger fachverfahren")
    assert "fv.eingang" in _row(said, "Empfänger fachverfahren")
    assert "nicht bekannt" in _row(said, "Zweite Person")
