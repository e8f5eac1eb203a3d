"""Certificates as they come out of a header: whole, or not at all."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from intermediary.core.faults import Rejected
from intermediary.testing.pki import Pki
from intermediary.unseal.osci.certificates import parsed


@pytest.mark.parametrize("name", ["issuer", "subject"])
def test_a_name_that_cannot_be_read_is_a_structure_fault(pki: Pki, name: str) -> None:
    """A certificate whose names break only when they are read is refused at once, not somewhere later."""
    certificate = pki.members["reader-cipher"].certificate
    names = getattr(certificate, name).public_bytes()

    assert refused(certificate, names, names[:-1] + b"\xff") == "osci.structure"


def test_a_key_that_cannot_be_read_is_a_structure_fault(pki: Pki) -> None:
    """The same for the public key: what it is made of is looked at here, not where a signature is verified."""
    certificate = pki.members["reader-cipher"].certificate
    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1)

    assert refused(certificate, key, b"\x30\x84" + key[2:]) == "osci.structure"


def refused(certificate: x509.Certificate, part: bytes, instead: bytes) -> str:
    """The code under which a certificate is refused that has something else in the place of a part."""
    der = certificate.public_bytes(Encoding.DER)
    assert part in der
    with pytest.raises(Rejected) as refusal:
        parsed(der.replace(part, instead))
    return refusal.value.code
