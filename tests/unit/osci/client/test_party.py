"""Who talks to whom: which keys have a post box, what a partner must have, and how requests are signed."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from intermediary.core.faults import Misconfigured
from intermediary.keys.partners import Partner, Partners
from intermediary.keys.private import DecryptionKey
from intermediary.keys.ring import Keyring
from intermediary.keys.spool import Spool
from intermediary.osci.client.party import Party, intermediary_of, parties_of
from intermediary.osci.write import SignatureMethod
from intermediary.testing.pki import Pki
from intermediary.unseal.circumstances import NOBODY
from intermediary.unseal.mandant import Mandantenschluessel
from intermediary.unseal.policy import profile
from intermediary.wiring.lines import Keys, Lines, Partnership
from tests.unit.osci.client.partner import NOW

OSCI = profile("osci")


def ring_of(pki: Pki, *names: str) -> Keyring:
    return Keyring([DecryptionKey(pki.members[one].private, pki.members[one].certificate) for one in names])


def partner_of(pki: Pki, *, endpoint: str = "https://osci.example.org/entry", ciphers: int = 1) -> Partner:
    certificate = pki.members["intermediary-cipher"].certificate
    return Partner(kennung="test:osci", name="Intermediaer", endpoint=endpoint, cipher=(certificate,) * ciphers)


def test_each_decrypting_key_has_a_post_box(pki: Pki) -> None:
    """In the order of the keyring, the first being the current one; a key to sign with has none."""
    ring = ring_of(pki, "recipient-cipher", "recipient-signature", "reader-cipher")
    parties = parties_of(ring, OSCI, NOBODY, where="mandant musterstadt")

    expected = [pki.members[name].certificate for name in ("recipient-cipher", "reader-cipher")]
    assert expected == [party.cipher for party in parties]


def test_without_a_decrypting_key_there_is_no_dialog(pki: Pki) -> None:
    """The operator is told whose keyring it is."""
    with pytest.raises(Misconfigured) as caught:
        parties_of(ring_of(pki, "recipient-signature"), OSCI, NOBODY, where="mandant musterstadt")

    assert ("dialog.key.missing", "mandant musterstadt") == (caught.value.code, caught.value.where)


@pytest.mark.parametrize("lacking", [{"endpoint": ""}, {"ciphers": 0}])
def test_a_partner_without_address_or_certificate(lacking: dict[str, object], pki: Pki) -> None:
    """Neither can be guessed."""
    with pytest.raises(Misconfigured) as caught:
        intermediary_of(partner_of(pki, **lacking))  # type: ignore[arg-type]

    assert "dialog.key.missing" == caught.value.code


def test_the_method_fits_key_and_policy(pki: Pki) -> None:
    """PKCS#1 v1.5 is what every library verifies; a strict policy asks for PSS, an EC key for ECDSA."""
    ring, cipher = ring_of(pki, "recipient-cipher"), pki.members["recipient-cipher"].certificate
    rsa = pki.members["recipient-signature"].key

    class Curve:
        class certificate:  # noqa: N801
            public_key = staticmethod(lambda: ec.generate_private_key(ec.SECP256R1()).public_key())

    assert [SignatureMethod.RSA_SHA256, SignatureMethod.PSS_SHA256, SignatureMethod.ECDSA_SHA256] == [
        Party(keyring=ring, policy=profile(name), cipher=cipher, signer=signer).method
        for name, signer in (("osci", rsa), ("strict", rsa), ("osci", Curve()))
    ]


def test_lines_follow_keys_and_addresses(pki: Pki, tmp_path: Path) -> None:
    """A new key or address counts with the next visit; a key that the ring does not have has no post box."""
    ring = ring_of(pki, "recipient-cipher")
    own = {"musterstadt": Mandantenschluessel(name="musterstadt", keyring=ring, policy=OSCI)}
    now = [Keys(own, Partners([partner_of(pki)]))]
    lines = Lines(Partnership("test:osci"), lambda: now[0], spool=Spool(tmp_path), clock=lambda: NOW)
    first = lines.current("musterstadt")

    assert first.exchange is lines.current("musterstadt").exchange
    assert lines.line("musterstadt", 1) is None
    with pytest.raises(Misconfigured):
        lines.current("beispielhausen")
    with pytest.raises(Misconfigured):
        lines.reader("test:unbekannt")
    assert pki.members["intermediary-cipher"].certificate == lines.reader("test:osci")

    now[0] = Keys(own, Partners([partner_of(pki, endpoint="https://neu.example.org/entry")]))
    assert first.exchange is not lines.current("musterstadt").exchange
    lines.close()
