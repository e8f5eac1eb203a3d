"""Every vector that an intermediary could deliver, delivered over HTTP: answered with a code its sidecar allows."""

from __future__ import annotations

import http.client
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from intermediary.core.states import NachrichtState as N
from intermediary.core.values import MemoryContent
from intermediary.ingress.doors import OSCI_MIME, DoorRules
from intermediary.keys.spool import Spool
from intermediary.osci.passive import PassiveDoor, PassiveSettings
from intermediary.osci.passive.verdict import OSCI_CODE
from intermediary.store.records import NachrichtRecord
from intermediary.unseal import NotOpened, profile, unseal
from intermediary.unseal.osci.message import open_message
from tests.unit.osci.passive.conftest import MANDANT, NOW, FakeHouse, Served
from tests.vectors import cases as c

FOLDER = (
    Path(os.environ.get("INTERMEDIARY_SHARED", Path(__file__).resolve().parents[3] / "shared")) / "vectors" / "osci"
)
KINDS = ("AcceptDelivery", "ProcessDelivery")
GOOD = [
    one
    for kind in ("positive", "variants")
    for one in c.cases(FOLDER, kind)
    if (one.sidecar | one.sidecar.get("parsed", {}))["messageType"] in KINDS
]
BAD = c.cases(FOLDER, "negative")
NOT_OPENED = ("content not decryptable with the keys given", "content not decryptable: no matching key")
FAMILIES = {
    "transport padding": "Padding-Orakel-Familie Transport",
    "content padding": "Padding-Orakel-Familie Inhalt",
    "rsa 1.5": "Bleichenbacher-Familie",
}


@dataclass(frozen=True)
class Answer:
    """What came back: the status, the codes it carries, and its bytes without what is drawn by chance."""

    status: int
    codes: tuple[str, ...]
    body: bytes


class Delivering:
    """An endpoint with the vectors' keys, which judges by opening alone; each vector is new to it."""

    def __init__(self, folder: Path) -> None:
        self.fake = FakeHouse(c.keyring_of(FOLDER), Spool(folder))
        self.fake.verdict = self._judge
        settings = PassiveSettings(
            host="127.0.0.1", port=0, tick_seconds=0.05, failures_per_hour=1_000_000, judged_seconds=30
        )
        self.served = Served(PassiveDoor(settings, DoorRules("osci", (MANDANT,)), self.fake.house()))

    def deliver(self, case: c.Case, require: tuple[str, ...] = ()) -> Answer:
        available = case.sidecar.get("keysAvailable", "all")
        names = c.OWN_KEYS if available == "all" else tuple(available)
        self.fake.keyring = c.keyring_of(FOLDER, names, require)
        self.fake.taken.clear()
        self.fake.records.clear()
        connection = http.client.HTTPConnection("127.0.0.1", self.served.port, timeout=60)
        connection.request("POST", "/osci", case.message)
        response = connection.getresponse()
        body = response.read()
        connection.close()
        return Answer(response.status, self._codes(body), body)

    def _codes(self, body: bytes) -> tuple[str, ...]:
        if found := re.search(rb"<detail><osci:Code>([0-9]+)</osci:Code>", body):
            return (found[1].decode(),)
        ring = c.keyring_of(FOLDER, ("intermediary-cipher", "originator-cipher"))
        return open_message(
            MemoryContent(body), keyring=ring, policy=profile("legacy"), at=c.AT, role="client"
        ).order.feedback

    def _judge(self, nachricht: NachrichtRecord) -> NachrichtRecord:
        body = self.fake.taken[nachricht.id].body
        try:
            unseal(body, content_type=OSCI_MIME, keyring=self.fake.keyring, policy=profile("legacy"), at=c.AT)
        except NotOpened as refusal:
            if refusal.code == "osci.content.no-key":
                return replace(nachricht, own_due_at=NOW + timedelta(minutes=5), wait_reason="key.reader.missing")
            plan: dict[str, Any] = {OSCI_CODE: refusal.osci_code} if refusal.osci_code else {}
            return replace(nachricht, state=N.REJECTED, verdict="rejected", verdict_code=refusal.code, plan=plan)
        return replace(nachricht, state=N.PLANNED, route="r")


@pytest.fixture(scope="module")
def delivering(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Delivering]:
    made = Delivering(tmp_path_factory.mktemp("spool"))
    with made.served:
        yield made


@pytest.mark.parametrize("case", GOOD, ids=lambda case: case.name)
def test_a_good_delivery(delivering: Delivering, case: c.Case, shared: Path) -> None:
    """0800, whatever its form; what nobody here can open waits for the operator, and is to be repeated."""
    answer = delivering.deliver(case)

    if case.sidecar["expected"].get("category") in NOT_OPENED:
        assert (503, ("9000",)) == (answer.status, answer.codes)
    else:
        assert (200, "0800") == (answer.status, answer.codes[0])
        assert not [code for code in answer.codes if code.startswith("9")]


def test_certificates_out_of_date_are_told(delivering: Delivering, shared: Path) -> None:
    """Accepted with warnings: the author's and the reader's certificates have expired (digest §15)."""
    (case,) = (one for one in GOOD if one.name == "accept-23-expired-reader")

    assert {"0800", "3701", "3706"} <= set(delivering.deliver(case).codes)


@pytest.mark.parametrize("case", BAD, ids=lambda case: case.name)
def test_a_bad_delivery(delivering: Delivering, case: c.Case, shared: Path) -> None:
    """Never 0800; at transport level a code of the sidecar, for content 9805 or what the sidecar allows."""
    expected = case.sidecar["expected"]
    answer = delivering.deliver(case, c.demands(expected))

    if expected["category"] in NOT_OPENED:
        assert (503, ("9000",)) == (answer.status, answer.codes)
        return
    acceptable = {expected.get("osciCode"), *(expected.get("acceptableAlternatives") or ())} - {None}
    if expected.get("osciCode") is None:
        acceptable.add("9805")
    assert 200 == answer.status
    assert answer.codes[0] in acceptable


@pytest.mark.parametrize("name", FAMILIES)
def test_a_family_is_answered_alike(delivering: Delivering, name: str, shared: Path) -> None:
    """Same status, codes, text and length; faults to the byte, sealed answers but for what is drawn by chance (R3)."""
    note = FAMILIES[name]
    family = [one for one in BAD if note in one.sidecar["expected"].get("policyNote", "")]
    answers = [delivering.deliver(one) for one in family]

    assert len(family) >= 2
    assert 1 == len({(one.status, one.codes, len(one.body)) for one in answers})
    if name == "transport padding":
        assert 1 == len({one.body for one in answers})


def test_every_decryption_failure_of_the_transport_is_one_answer(delivering: Delivering, shared: Path) -> None:
    """Whatever was wrong with envelope, key, cipher or padding: 9202 is the same bytes each time (R3)."""
    faults = {
        answer.body
        for case in BAD
        if "9202" in {case.sidecar["expected"].get("osciCode")}
        and (answer := delivering.deliver(case)).codes == ("9202",)
    }

    assert 1 == len(faults)
