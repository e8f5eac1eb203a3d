"""The cast of the client's tests: keys, a line to an intermediary in memory, and what was logged."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import structlog
from cryptography.hazmat.primitives.serialization import Encoding

from intermediary.keys.private import DecryptionKey
from intermediary.keys.ring import Anchor, Keyring
from intermediary.keys.spool import Spool
from intermediary.osci.client.line import Line
from intermediary.osci.client.party import Intermediary, Party
from intermediary.testing.pki import Pki
from intermediary.unseal.policy import profile
from tests.unit.osci.client.partner import NOW, FakeIntermediary, Lying, new_pki

MakeLine = Callable[..., tuple[Line, FakeIntermediary]]


@pytest.fixture(scope="session")
def pki() -> Pki:
    """Keys made once per test process."""
    return new_pki()


@pytest.fixture
def keyring(pki: Pki) -> Keyring:
    """The Mandant's keys: its post box and its reader."""
    own = [pki.members[name] for name in ("recipient-cipher", "reader-cipher")]
    anchor = Anchor(pki.ca, frozenset({"transport", "content"}))
    return Keyring([DecryptionKey(one.private, one.certificate) for one in own], [anchor])


@pytest.fixture
def make_line(pki: Pki, keyring: Keyring, tmp_path: Path) -> MakeLine:
    """A line to a new intermediary in memory with these deliveries; `signer=None` sends unsigned requests."""

    def make(lying: Sequence[Lying] = (), **features: Any) -> tuple[Line, FakeIntermediary]:
        fake = FakeIntermediary(pki, lying, **features)
        members = pki.members
        line = Line(
            exchange=fake,
            party=Party(
                keyring=keyring,
                policy=profile("osci"),
                cipher=members["recipient-cipher"].certificate,
                signer=members["recipient-signature"].key,
            ),
            intermediary=Intermediary(
                kennung="05999001",
                cipher=members["intermediary-cipher"].certificate,
                signatures=frozenset({members["intermediary-signature"].certificate.public_bytes(Encoding.DER)}),
            ),
            spool=Spool(tmp_path / "spool"),
            random=secrets.token_bytes,
            clock=lambda: NOW,
        )
        return line, fake

    return make


@pytest.fixture
def logged() -> Iterator[list[dict[str, Any]]]:
    """Everything that is logged during the test."""
    with structlog.testing.capture_logs() as entries:
        yield entries
