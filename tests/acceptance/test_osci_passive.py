"""A real daemon with an OSCI endpoint: judged answers over TLS, killed at the worst moment, its store away, under load."""

from __future__ import annotations

import http.client
import sqlite3
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from intermediary.osci.write.letter import Letter
from intermediary.testing.demo_proof import golden_settings
from intermediary.testing.demo_site import SERVICE_WITHOUT_ROUTE, Site
from intermediary.testing.pki import Pki
from intermediary.testing.samples import sample_letter
from tests.acceptance.command import call
from tests.acceptance.daemon import Daemon, wait_until
from tests.acceptance.osci_endpoint import Intermediary, Said, furnish

NOW = datetime.now(UTC)


class Post:
    """A site, its daemon, and the intermediary that delivers to it."""

    def __init__(self, folder: Path, pki: Pki, *, answer: str = "", judged_seconds: int = 60) -> None:
        self.site, port = furnish(folder / "site", pki, now=NOW, answer=answer, judged_seconds=judged_seconds)
        self.intermediary = Intermediary(pki, port, self.site.folder / "secrets" / "tls.cert.pem")
        self._log = folder / "daemon.log"
        self._temporary = folder / "tmp"
        self._temporary.mkdir()
        self.daemon = self.start()

    def start(self) -> Daemon:
        self.daemon = Daemon(self.site.config, log=self._log, temporary=self._temporary)
        self.daemon.wait_for("osci.listening")
        return self.daemon

    def deliver(self, letter: Letter) -> tuple[int, tuple[str, ...]]:
        """Status and codes of the answer; a new transport around the letter each time."""
        return self.read(self.intermediary.deliver(self.intermediary.seal(letter, NOW)))

    def read(self, said: Said) -> tuple[int, tuple[str, ...]]:
        if b"<soap:Fault>" in said.body:
            return said.status, (said.body.partition(b"<osci:Code>")[2][:4].decode(),)
        return said.status, self.intermediary.opened(said, NOW).order.feedback

    def states(self) -> list[str]:
        return sorted(state for _id, state, _code in rows(self.site))


@pytest.fixture
def post(tmp_path: Path, pki: Pki) -> Iterator[Post]:
    made = Post(tmp_path, pki)
    yield made
    made.daemon.stop()


def letter(number: int, *, is_broken: bool = False) -> Letter:
    """An application whose package is the same each time it is sealed: signed, but not encrypted for its reader."""
    return replace(sample_letter(number, now=NOW, is_broken=is_broken), content_cipher=None)


def test_a_delivery_is_judged_and_goes_its_way(post: Post) -> None:
    """0800, signed and encrypted, and the workers deliver; a broken one is 9805 and answered by that."""
    good, bad = post.deliver(sample_letter(1, now=NOW)), post.deliver(sample_letter(2, now=NOW, is_broken=True))

    assert ((200, ("0800",)), (200, ("9805",))) == (good, bad)
    wait_until(lambda: ["completed", "rejected"] == post.states(), "both are final")
    assert 1 == len(list(post.site.drop.glob("*.zip")))
    assert [{"sent": "in the response to the delivery"}] == proofs(post.site, "rejected")


def test_a_kill_between_take_and_answer_loses_nothing_and_doubles_nothing(post: Post) -> None:
    """The refusal is durable but waits for its tick when the daemon dies; the repetition is told the same (G1, G13)."""
    broken = letter(3, is_broken=True)
    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(post.deliver, broken)
        wait_until(lambda: count(post.site) == 1, "the commit")
        post.daemon.kill()
        with pytest.raises((OSError, http.client.HTTPException)):
            asking.result(30)
    post.start()

    assert (200, ("9805",)) == post.deliver(broken) == post.deliver(broken)
    wait_until(lambda: ["rejected"] == post.states(), "the note that its answer has gone out")


def test_a_repetition_is_one_nachricht(post: Post) -> None:
    """Each transport is new, the package is the same: one Nachricht, one package, equal answers (G13)."""
    answers = {post.deliver(letter(4)) for _ in range(3)}

    assert {(200, ("0800",))} == answers
    wait_until(lambda: ["completed"] == post.states(), "its delivery")
    assert (200, ("0800",)) == post.deliver(letter(4))
    assert 1 == len(list(post.site.drop.glob("*.zip")))


def test_another_content_under_the_same_id_is_parked(post: Post) -> None:
    """9801, and the second one waits for a person."""
    first = letter(5)
    post.deliver(first)

    assert (200, ("9801",)) == post.deliver(replace(letter(6), message_id=first.message_id))
    assert "intake.conflict" in {code for _id, _state, code in rows(post.site)}


def test_a_store_that_is_away_takes_nothing(post: Post) -> None:
    """503 and 9000 while nothing can be written; the repetition is taken when it can, and nothing was lost (G8)."""
    incoming = post.site.folder / "data" / "blobs" / "incoming"
    incoming.rmdir()
    said = post.intermediary.deliver(post.intermediary.seal(letter(7), NOW))

    assert (503, ("9000",)) == post.read(said)
    assert int(said.headers["retry-after"]) > 0
    assert 0 == count(post.site)
    post.daemon.stop()
    post.start()
    assert (200, ("0800",)) == post.deliver(letter(7))


def test_what_the_operator_has_to_heal_is_told_when_it_is_healed(post: Post) -> None:
    """No route: a temporary error at once, although it is taken; after the route came the repetition is accepted."""
    lost = replace(sample_letter(8, now=NOW, service=SERVICE_WITHOUT_ROUTE), content_cipher=None)
    assert (503, ("9000",)) == post.deliver(lost)
    assert ["received"] == post.states()

    post.site.add_missing_route(golden_settings())
    ((own, _state, _code),) = rows(post.site)
    assert 0 == call("replay", own, "-c", post.site.config, "--reason", "Route ergänzt").code
    wait_until(lambda: ["completed"] == post.states(), "its delivery")

    assert (200, ("0800",)) == post.deliver(lost)


def test_fifty_at_once(post: Post) -> None:
    """Fifty parallel deliveries, each with its own connection: all judged, none lost, none doubled."""
    letters = [sample_letter(100 + number, now=NOW) for number in range(50)]
    bodies = [post.intermediary.seal(one, NOW) for one in letters]
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda body: post.read(post.intermediary.deliver(body)), bodies))

    late = [body for body, (status, _codes) in zip(bodies, answers, strict=True) if status != 200]
    answers += [post.read(post.intermediary.deliver(body)) for body in late]
    assert {(200, ("0800",))} == set(answers) - {(503, ("9000",))}
    wait_until(lambda: ["completed"] * 50 == post.states(), "all deliveries")
    assert 50 == len(list(post.site.drop.glob("*.zip")))


def test_tls_is_new_enough(post: Post) -> None:
    """Nothing below TLS 1.2, and there no cipher without forward secrecy and AEAD."""
    tls = post.intermediary.tls
    tls.maximum_version = ssl.TLSVersion.TLSv1_2
    tls.set_ciphers("ECDHE+AESGCM:AES128-SHA256:ECDHE-ECDSA-AES128-SHA256")
    connection = post.intermediary.connect()
    connection.connect()
    assert isinstance(connection.sock, ssl.SSLSocket)
    assert connection.sock.cipher()[0].startswith("ECDHE-ECDSA-AES")  # type: ignore[index]
    assert "GCM" in connection.sock.cipher()[0]  # type: ignore[index]
    connection.close()

    tls.set_ciphers("AES128-SHA256:ECDHE-ECDSA-AES128-SHA256")
    with pytest.raises(ssl.SSLError):
        post.intermediary.connect().connect()


def test_a_stop_is_quick(post: Post) -> None:
    """An open connection does not hold up the end."""
    connection = post.intermediary.connect()
    connection.connect()
    started = datetime.now(UTC)

    assert 0 == post.daemon.stop()
    assert (datetime.now(UTC) - started).total_seconds() < 10
    connection.close()


def count(site: Site) -> int:
    """How many Nachrichten there are, looked at from outside."""
    return len(rows(site))


def rows(site: Site) -> list[tuple[str, str, str]]:
    """Id, state and code of every Nachricht, looked at from outside."""
    with closing(sqlite3.connect(f"file:{site.folder}/data/store.db?mode=ro", uri=True)) as db:
        return db.execute("SELECT id, state, code FROM nachrichten").fetchall()


def proofs(site: Site, state: str) -> list[dict[str, str]]:
    """The proofs of the answers that ended Nachrichten in this state."""
    exported = call("audit", "export", "-c", site.config)
    assert 0 == exported.code
    events = [row["event"] for row in exported.rows if row.get("event", {}).get("name") == "answer.sent"]
    return [event["fields"]["proof"] for event in events if event["fields"]["state"] == state]
