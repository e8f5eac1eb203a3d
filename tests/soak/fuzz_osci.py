"""Fuzz targets of the two doors that speak OSCI themselves: who calls us, and whom we call."""

from __future__ import annotations

import secrets
import tempfile
from contextlib import suppress
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding

from intermediary.core.faults import Fault, Rejected
from intermediary.core.values import Content, MemoryContent
from intermediary.ingress.https.failures import Alarm, Failures
from intermediary.keys.private import DecryptionKey
from intermediary.keys.ring import Keyring
from intermediary.keys.spool import Spool
from intermediary.osci.client.emptying import Visiting
from intermediary.osci.client.line import Line
from intermediary.osci.client.party import Intermediary, Party
from intermediary.osci.client.postbox import PostBox
from intermediary.osci.passive.delivery import Arrived, Deliveries, Held
from intermediary.unseal.policy import profile
from tests.soak.mutator import Mutator
from tests.unit.osci.client.partner import NOW as CLIENT_NOW
from tests.unit.osci.client.partner import FakeIntermediary, Lying, new_pki
from tests.unit.osci.passive.conftest import MANDANT, NOW, RULES, FakeHouse


class Passive:
    """A damaged request at the passive recipient: a reply that can be sent, or a delivery that was taken and answered."""

    def __init__(self, keyring: Keyring) -> None:
        self._spool = Spool(Path(tempfile.mkdtemp(prefix="fuzz.")))
        self._keyring = keyring

    def __call__(self, mutator: Mutator) -> object:
        fake = FakeHouse(self._keyring, self._spool)
        failures = Failures("osci", Alarm("e", "c"), per_hour=10**9, ticks=lambda: 0.0)
        deliveries = Deliveries(fake.house(), RULES, failures, on_holding=lambda _code: None)
        arrived = Arrived(MANDANT, MemoryContent(mutator.draw()), "127.0.0.1", NOW)
        # The door turns whatever else comes out of it into a temporary error and a line of log: here it is a finding.
        held = deliveries._take_in(arrived)
        if isinstance(held, Held):
            deliveries.judge(held)
            assert deliveries.answer(held) is not None
        return held


class Client:
    """An intermediary whose answers are damaged: a visit ends with a fault of ours, and nothing is kept that is none."""

    def __init__(self) -> None:
        self._pki = new_pki()
        self._spool = Spool(Path(tempfile.mkdtemp(prefix="fuzz.")))
        own = [self._pki.members[name] for name in ("recipient-cipher", "reader-cipher")]
        self._keyring = Keyring([DecryptionKey(one.private, one.certificate) for one in own])

    def __call__(self, mutator: Mutator) -> object:
        members = self._pki.members
        damaged = _Damaged(FakeIntermediary(self._pki, [Lying("a/1"), Lying("a/2")]), mutator)
        signer = members["intermediary-signature"].certificate.public_bytes(Encoding.DER)
        line = Line(
            exchange=damaged,
            party=Party(
                keyring=self._keyring,
                policy=profile("osci"),
                cipher=members["recipient-cipher"].certificate,
                signer=members["recipient-signature"].key,
            ),
            intermediary=Intermediary(
                kennung="05999001",
                cipher=members["intermediary-cipher"].certificate,
                signatures=frozenset({signer}),
            ),
            spool=self._spool,
            random=secrets.token_bytes,
            clock=lambda: CLIENT_NOW,
        )
        kept: list[object] = []
        try:
            with suppress(Fault):
                PostBox("box", Visiting()).visit(line, lambda one: (kept.append(one), "")[1])
        finally:
            assert len(kept) <= len(damaged.real.lying) + 2
        if damaged.was_hit:
            raise Rejected("dialog.broken")
        return kept


class _Damaged:
    """One answer in three is damaged on its way."""

    def __init__(self, real: FakeIntermediary, mutator: Mutator) -> None:
        self.real = real
        self.was_hit = False
        self._mutator = mutator

    def post(self, content: Content) -> Content:
        answer = self.real.post(content)
        if self._mutator.random.random() > 0.33:
            return answer
        self.was_hit = True
        return MemoryContent(self._mutator.change(answer.read()))

    def close(self) -> None:
        self.real.close()
