"""Simulated intermediary and real daemon together: what is forwarded arrives, is judged, and the sender is told."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import pytest

from intermediary.core.values import MemoryContent
from intermediary.keys.private import DecryptionKey
from intermediary.keys.ring import Keyring
from intermediary.osci.write import Letter, seal
from intermediary.testing.pki import Pki
from intermediary.testing.samples import sample_letter
from intermediary.testing.simulate.osci.filling import Filler
from intermediary.testing.simulate.osci.simulator import Simulator
from intermediary.testing.simulate.osci.site import make_site as make_partner
from intermediary.unseal.osci.message import OsciMessage, open_message
from intermediary.unseal.policy import profile
from tests.acceptance.command import call
from tests.acceptance.daemon import Daemon, wait_until
from tests.acceptance.osci_endpoint import furnish

NOW = datetime.now(UTC)


class Chain:
    """An online service, the simulated intermediary, and a daemon with an OSCI endpoint at its end."""

    def __init__(self, folder: Path, pki: Pki) -> None:
        self._pki = pki
        self.site, port = furnish(folder / "site", pki, now=NOW)
        self.receiver = f"https://127.0.0.1:{port}/osci"
        (folder / "tmp").mkdir()
        self.daemon = Daemon(self.site.config, log=folder / "daemon.log", temporary=folder / "tmp")
        self.daemon.wait_for("osci.listening")
        self.simulator = Simulator(make_partner(folder / "partner", now=NOW, pki=pki))

    def forward(self, letter: Letter) -> OsciMessage:
        """One letter as ForwardDelivery under a new id; the answer as the online service reads it."""
        ask = lambda body: httpx2.post(self.simulator.url, content=body, timeout=60).content  # noqa: E731
        filler = Filler(self._pki, ask, random=secrets.token_bytes, clock=lambda: datetime.now(UTC))
        sent = replace(
            letter, message_type="ForwardDelivery", message_id=filler.new_id(), content_receiver=self.receiver
        )
        body = seal(sent, parties=self._pki.parties, random=secrets.token_bytes, now=NOW)
        own = self._pki.members["originator-cipher"]
        keyring = Keyring([DecryptionKey(own.private, own.certificate)])
        return open_message(MemoryContent(ask(body)), keyring=keyring, policy=profile("osci"), at=NOW, role="client")

    def states(self) -> list[str]:
        return sorted(str(one["state"]) for one in call("state", "--all", "--json", "-c", self.site.config).rows)


@pytest.fixture
def chain(tmp_path: Path, pki: Pki) -> Iterator[Chain]:
    """Everything running; the daemon is stopped at the end."""
    made = Chain(tmp_path, pki)
    with made.simulator:
        yield made
    made.daemon.stop()


def test_a_forwarded_application_goes_all_the_way(chain: Chain) -> None:
    """The good one: 0800 with Reception and a package; the broken one: 9805 without; both final in the store."""
    good = chain.forward(sample_letter(1, now=NOW))
    bad = chain.forward(sample_letter(2, now=NOW, is_broken=True))

    assert (("0800",), ("9805",)) == (good.order.feedback, bad.order.feedback)
    assert good.order.cards[0].reception
    assert "" == bad.order.cards[0].reception
    wait_until(lambda: ["completed", "rejected"] == chain.states(), "both are final")
    assert 1 == len(list(chain.site.drop.glob("*.zip")))


def test_without_the_daemon_it_is_not_delivered(chain: Chain) -> None:
    """9809 when nobody listens; nothing is in the store."""
    chain.daemon.stop()

    assert ("9809",) == chain.forward(sample_letter(3, now=NOW)).order.feedback
    assert [] == chain.states()


def test_samples_are_forwarded_on_command(chain: Chain) -> None:
    """What the manual tells an operator to type: a sample goes to the endpoint, the answer's codes come back."""
    command = chain.simulator.url.replace("/osci", "/simulator/forward")

    assert {"feedback": ["0800"]} == httpx2.post(command, json={"receiver": chain.receiver}, timeout=60).json()
    wait_until(lambda: ["completed"] == chain.states(), "the sample is delivered")
    assert {"feedback": ["9809"]} == httpx2.post(command, json={"receiver": f"{chain.receiver}/nowhere"}).json()
