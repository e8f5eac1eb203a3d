"""The ways of telling: what arrives, and what does not is told as such."""

from __future__ import annotations

import email
import email.policy
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from intermediary.daemon.alerts.mail import MailWay
from intermediary.daemon.alerts.way import Letter, NotTold, letter_of
from intermediary.daemon.alerts.webhook import WebhookWay
from intermediary.store.alerts import Alert
from intermediary.store.incidents import IncidentRecord
from tests.acceptance.receivers import MailRelay, Webhook

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)


@pytest.fixture
def letter() -> Letter:
    """The beginning of an incident."""
    incident = IncidentRecord(
        id="11111111-2222-5333-8444-555555555555",
        code="route.missing",
        place="channel eingang",
        count=1000,
        most=1000,
        mandanten=("beispielhausen", "musterstadt"),
        first_seen=NOW,
        last_seen=NOW,
        opened_at=NOW,
        quiet_since=None,
        ended_at=None,
        acknowledged_at=None,
        acknowledged_by="",
        acknowledged_reason="",
    )
    return letter_of(Alert("a-1", incident, "opened", "webhook", 1, 1), "it-verbund")


def _hook(folder: Path, url: str) -> WebhookWay:
    (folder / "url").write_text(url, encoding="utf-8")
    return WebhookWay(folder / "url")


def _mail(relay: str, tls: str = "none") -> MailWay:
    host, _, port = relay.rpartition(":")
    return MailWay(
        host=host,
        port=int(port),
        tls=tls,  # type: ignore[arg-type]
        ca_file=None,
        sender="intermediary@it.example",
        receivers=("betrieb@it.example", "bereitschaft@it.example"),
        user=None,
        password_file=None,
        now=lambda: NOW,
    )


def test_a_webhook_gets_everything_a_machine_needs(tmp_path: Path, letter: Letter) -> None:
    """Code, place, healer, cause, remedy, Mandanten, count, runbook; the id of the alert as a header."""
    with Webhook() as receiver:
        _hook(tmp_path, receiver.url).tell(letter)

    [body], [headers] = receiver.bodies, receiver.headers
    assert ("incident.opened", "it-verbund", "a-1") == (body["event"], body["installation"], body["id"])
    incident = body["incident"]
    assert ("route.missing", "channel eingang", "operator") == (
        incident["code"],
        incident["place"],
        incident["healer"],
    )
    assert (1000, ["beispielhausen", "musterstadt"]) == (incident["count"], incident["mandanten"])
    assert "docs/howto/runbooks.md#route" == incident["runbook"]
    assert ("a-1", "application/json") == (headers["Idempotency-Key"], headers["Content-Type"])


@pytest.mark.parametrize("status", [301, 400, 404, 429, 500, 503])
def test_only_success_is_an_answer(tmp_path: Path, letter: Letter, status: int) -> None:
    """Anything but 2xx is tried again, and a redirect is not followed."""
    with Webhook(lambda _: status) as receiver, pytest.raises(NotTold, match=f"HTTP {status}"):
        _hook(tmp_path, receiver.url).tell(letter)

    assert 1 == len(receiver.bodies)


@pytest.fixture
def silent() -> Iterator[str]:
    """A listener that takes connections, and ends each without a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    server.accept()[0].close()
                except OSError:
                    return

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)


def test_a_broken_way_is_told_without_secrets(tmp_path: Path, letter: Letter, silent: str) -> None:
    """Nobody there, no answer, no address, no file: told by kind, never with the address and its token."""
    ways = [
        _hook(tmp_path, f"http://{silent}/geheimnis"),
        _mail(silent),
        _mail(silent, "tls"),
        WebhookWay(tmp_path / "missing"),
    ]
    for url in ("geheimnis", "ftp://geheimnis.example/", "http://[geheimnis", ""):
        folder = tmp_path / str(len(ways))
        folder.mkdir()
        ways.append(_hook(folder, url))
    for way in ways:
        with pytest.raises(NotTold) as told:
            way.tell(letter)
        assert "geheimnis" not in told.value.reason


def test_a_mail_says_what_to_do(letter: Letter) -> None:
    """One mail to all, in German, with command and runbook; its Message-ID is the same in every attempt."""
    with MailRelay() as relay:
        _mail(relay.address).tell(letter)

    [(sender, receivers, text)] = relay.mails
    mail = email.message_from_string(text, policy=email.policy.default)
    body = mail.get_content()
    assert ("intermediary@it.example", ["betrieb@it.example", "bereitschaft@it.example"]) == (sender, receivers)
    assert "<a-1@it.example>" == mail["Message-ID"]
    assert "auto-generated" == mail["Auto-Submitted"]
    assert "[it-verbund] Störung: " in str(mail["Subject"])
    for part in ("route.missing", "Kanal eingang", "der Betrieb", "intermediary incidents show", "runbooks.md#route"):
        assert part in body


def test_a_relay_that_refuses_is_tried_again(letter: Letter) -> None:
    """The status of the relay is the reason."""
    with MailRelay("451 later") as relay, pytest.raises(NotTold, match="SMTP 451"):
        _mail(relay.address).tell(letter)


def test_a_password_that_the_relay_cannot_be_told_is_no_crash(tmp_path: Path, letter: Letter) -> None:
    """An umlaut in it, which SMTP knows no way for: not told, and the other ways go on."""
    password = tmp_path / "password"
    password.write_text("geheimnüs", encoding="utf-8")
    with MailRelay(knows="AUTH PLAIN") as relay:
        way = MailWay(
            host=relay.address.partition(":")[0],
            port=int(relay.address.partition(":")[2]),
            tls="none",
            ca_file=None,
            sender="intermediary@it.example",
            receivers=("betrieb@it.example",),
            user="intermediary",
            password_file=password,
            now=lambda: NOW,
        )
        with pytest.raises(NotTold) as told:
            way.tell(letter)

    assert "geheimn" not in told.value.reason
