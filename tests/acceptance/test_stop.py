"""A stop is quick and clean, also while a broker is silent."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from intermediary.core.faults import Transient
from intermediary.core.values import Eingang, MemoryContent
from intermediary.daemon.child import close_after
from intermediary.ingress.amqp import AmqpAnswers
from intermediary.ingress.doors import OSCI_MIME
from intermediary.osci.write.seal import seal
from intermediary.testing.demo_proof import golden_settings
from intermediary.testing.demo_site import MANDANT, make_site
from intermediary.testing.pki import Pki
from intermediary.testing.samples import sample_letter
from intermediary.wiring import open_installation
from tests.acceptance.daemon import Daemon, wait_until

_QUEUE = """
[[channel]]
name = "queue"
type = "amqp"
mandanten = ["musterstadt"]
[channel.amqp]
url_file = "secrets/broker.url"
queue = "eingang"
[channel.answer]
type = "amqp"
queue = "quittungen"
"""


@pytest.fixture
def silent() -> Iterator[str]:
    """The URL of a broker that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"amqp://guest:guest@127.0.0.1:{listener.getsockname()[1]}/"


def test_a_silent_broker_holds_no_answer_after_the_stop(silent: str) -> None:
    """The thread that waits for a confirm is told at once, and its Nachricht waits for the next start."""
    answers = AmqpAnswers(silent, queue="q", confirm_seconds=600, connect_seconds=600)
    stop, told = threading.Event(), threading.Event()
    closer = threading.Thread(target=close_after, args=(stop, [answers]), kwargs={"grace_seconds": 0.0}, daemon=True)

    def answer() -> None:
        try:
            answers.answer(b"{}", quittung_id="q", message_id="m", correlation_id="", reply_to="")
        except Transient:
            told.set()

    for thread in (closer, waiting := threading.Thread(target=answer, daemon=True)):
        thread.start()

    assert not told.is_set()

    wait_until(lambda: answers._publisher._outlet is not None, "the connection")
    stop.set()
    closer.join(60)
    waiting.join(60)

    assert told.is_set()


def test_a_daemon_without_its_broker_stops_by_itself(tmp_path: Path, pki: Pki, silent: str) -> None:
    """Exit code 0, every child ends as asked, nobody has to be killed after the grace; the answer is not lost."""
    now = datetime.now(UTC)
    site = make_site(tmp_path / "site", now=now, settings=golden_settings(), pki=pki)
    url = site.folder / "secrets" / "broker.url"
    url.touch(0o600)
    url.write_text(silent)
    with site.config.open("a") as file:
        file.write(_QUEUE)
    body = seal(sample_letter(1, now=now), parties=pki.parties, random=os.urandom, now=now)
    installation = open_installation(site.config)
    [taken] = installation.store.take([Eingang(MANDANT, "queue", "m-1", OSCI_MIME, now, MemoryContent(body))])
    (tmp_path / "tmp").mkdir()
    daemon = Daemon(site.config, log=tmp_path / "log", temporary=tmp_path / "tmp")
    daemon.wait_for("ingress.started")
    wait_until(lambda: installation.store.get(taken.nachricht_id).state == "answering", "the verdict")
    began = time.monotonic()

    assert 0 == daemon.stop()
    assert time.monotonic() - began < 12, "far less than the grace; 3 seconds on an idle machine"
    assert (1, 1) == (daemon.said("worker.stopped"), daemon.said("ingress.stopped"))
    assert "answering" == installation.store.get(taken.nachricht_id).state
    installation.store.close()
