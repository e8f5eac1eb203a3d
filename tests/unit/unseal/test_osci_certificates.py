"""Certificates as they come out of a header: whole, or not at all."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from intermediary.core.faults import Rejected
from intermediary.testing.pki import Pki
from intermediary.unseal.osci.certificates import parsed


@pytest.mark.parametrize("name", ["issuer", "subject"])
def test_a_name_that_cannot_be_read_is_a_structure_fault(pki: Pki, name: str) -> None:
    """A certificate whose names break only when they are read is refused at once, not somewhere later."""
    der = pki.members["reader-cipher"].certificate.public_bytes(Encoding.DER)
    names = getattr(pki.members["reader-cipher"].certificate, name).public_bytes()
    broken = der.replace(names, names[:-1] + b"\xff")
    assert broken != der

    with pytest.raises(Rejected) as refusal:
        parsed(broken)

    assert refusal.value.code == "osci.structure"
