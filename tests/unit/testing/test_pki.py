"""The throw-away PKI is complete, well-formed and readable by its owner only."""

from __future__ import annotations

import stat
import tomllib
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key, pkcs12
from cryptography.x509 import KeyUsage

from intermediary.osci.write import Letter, seal
from intermediary.testing.pki import KEYRING, OWN_KEYS, make_pki, read_pki, write_pki
from tests.unit.osci.write import plain


def test_certificates_fit_their_roles(pki, now):
    """All are issued by the CA, none is weaker than RSA-3072, and each may be used for its role only."""
    sizes = {name: identity.private.key_size for name, identity in pki.members.items()}
    for name, identity in pki.members.items():
        identity.certificate.verify_directly_issued_by(pki.ca)
        usage = identity.certificate.extensions.get_extension_for_class(KeyUsage).value

        assert (usage.digital_signature, usage.key_encipherment) == (
            name.endswith("-signature"),
            name.endswith("-cipher"),
        )
        assert identity.certificate.not_valid_before_utc < now < identity.certificate.not_valid_after_utc

    assert 4096 == sizes.pop("reader-cipher")
    assert {3072} == set(sizes.values())


def test_the_keyring_names_what_the_receiver_holds(pki, tmp_path, randomness):
    """Keys and anchors of the keyring are files beside it, and the passwords open them."""
    keyring = write_pki(pki, tmp_path / "schluessel", random=randomness)
    ring = tomllib.loads(keyring.read_text(encoding="utf-8"))

    assert KEYRING == keyring.name
    assert [f"{name}.p12" for name in OWN_KEYS] == [key["p12"] for key in ring["key"]]
    for key in ring["key"]:
        password = (keyring.parent / key["password_file"]).read_bytes()
        stored = pkcs12.load_key_and_certificates((keyring.parent / key["p12"]).read_bytes(), password)
        assert stored[1] == pki.members[Path(key["p12"]).stem].certificate
    for anchor in ring["trust"]:
        assert (keyring.parent / anchor["pem"]).is_file()
        assert ["transport", "content"] == anchor["purpose"]


def test_private_files_are_private(pki, tmp_path, randomness):
    """Key stores and passwords are readable by their owner only, and no key lies in the open."""
    folder = write_pki(pki, tmp_path / "schluessel", random=randomness).parent
    modes = {path.suffix: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir() if path.suffix != ".pem"}

    assert {0o600} == {modes[".p12"], modes[".pass"]}
    for path in folder.glob("*.pem"):
        with pytest.raises(ValueError):
            load_pem_private_key(path.read_bytes(), None)


def test_what_was_written_can_be_read_again(pki, tmp_path, randomness, now):
    """A letter sealed with keys from files opens with the keys that were made."""
    again = read_pki(write_pki(pki, tmp_path, random=randomness).parent)
    letter = Letter(message_id="urn:1", contents=(b"<a/>",))
    message = seal(letter, parties=again.parties, random=randomness, now=now)
    inner = plain.open_transport(message, pki.members["recipient-cipher"].private)

    assert [b"<a/>"] == plain.contents(plain.container(inner, pki.members["reader-cipher"].private))


def test_a_naive_validity_is_refused(now):
    """The validity needs a time zone."""
    with pytest.raises(ValueError, match="aware"):
        make_pki(valid_from=now.replace(tzinfo=None), valid_until=now + timedelta(days=1))
