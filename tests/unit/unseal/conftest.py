"""The cast of the tests of unseal: throw-away keys of the OSCI writer and the receiver's keyring."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest

from intermediary.keys.private import DecryptionKey
from intermediary.keys.ring import Anchor, Keyring
from intermediary.osci.write import Attachment, Letter, MetaData, Random
from intermediary.testing.pki import Pki, make_pki

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)


@pytest.fixture(scope="session")
def pki() -> Pki:
    """Keys made once per test process."""
    return make_pki(valid_from=NOW - timedelta(days=1), valid_until=NOW + timedelta(days=365))


@pytest.fixture(scope="session")
def keyring(pki: Pki) -> Keyring:
    """The receiver's keys, with the CA as anchor."""
    own = [pki.members[name] for name in ("recipient-cipher", "reader-cipher")]
    anchor = Anchor(pki.ca, frozenset({"transport", "content"}))
    return Keyring([DecryptionKey(one.private, one.certificate) for one in own], [anchor])


@pytest.fixture
def randomness() -> Random:
    """The same random bytes in every test."""
    return random.Random(20261121).randbytes


@pytest.fixture
def letter() -> Letter:
    """A usual application: two contents, two attachments, everything protected."""
    return Letter(
        message_id="urn:osci:beispiel:musterland:4711",
        subject="Bewohnerparkausweis für Ömer & Käthe <Müller>",
        contents=("<antrag>Straße</antrag>".encode() * 40, b""),
        attachments=(
            Attachment("Fahrzeugschein ä & ö/1.pdf", "application/pdf", b"%PDF-1.4\r\n--MIME_boundary" * 9),
            Attachment("../../etc/passwd", "image/png", b"\x89PNG\r\n", base64=True),
        ),
        metadata=MetaData(
            service="urn:example:musterland:bewohnerparken:1.0",
            author="ags:05999000",
            reader="ags:05999044",
            origin=NOW,
            message_id="urn:de:xta:messageid:beispiel:1",
        ),
    )
