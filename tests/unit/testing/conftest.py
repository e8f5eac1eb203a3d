"""The cast of the writer's tests: throw-away keys, a moment, a usual letter."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from intermediary.keys.identity import HeldKey
from intermediary.osci.write import Attachment, Identity, Letter, MetaData, Random
from intermediary.testing.pki import Pki, make_pki

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)


@pytest.fixture(scope="session")
def now() -> datetime:
    """The moment of sealing."""
    return NOW


@pytest.fixture(scope="session")
def pki() -> Pki:
    """Keys made once per test process."""
    return make_pki(valid_from=NOW - timedelta(days=1), valid_until=NOW + timedelta(days=365))


@pytest.fixture(scope="session")
def ec_author() -> Identity:
    """An author who signs with an elliptic curve, under a certificate of its own making."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Autorin auf der Kurve")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(NOW - timedelta(days=1)).not_valid_after(NOW + timedelta(days=1))
    certificate = builder.sign(key, hashes.SHA256())
    return Identity(certificate, HeldKey(key, certificate))


@pytest.fixture
def randomness() -> Random:
    """The same random bytes in every test."""
    return random.Random(20261121).randbytes


@pytest.fixture
def letter() -> Letter:
    """A usual application: one content, two attachments, everything protected."""
    return Letter(
        message_id="urn:osci:beispiel:musterland:4711",
        subject="Bewohnerparkausweis für Ömer & Käthe <Müller>",
        contents=(b"<antrag>Stra\xc3\x9fe</antrag>" * 40,),
        attachments=(
            Attachment("Fahrzeugschein ä & ö/1.pdf", "application/pdf", b"%PDF-1.4\r\n--MIME_boundary" * 9),
            Attachment("foto.png", "image/png", b"\x89PNG\r\n", base64=True),
        ),
        metadata=MetaData(
            service="urn:example:musterland:bewohnerparken:1.0",
            author="ags:05999000",
            reader="ags:05999044",
            origin=NOW,
            message_id="urn:de:xta:messageid:beispiel:1",
            subject="Antrag von Käthe & Co",
        ),
    )
