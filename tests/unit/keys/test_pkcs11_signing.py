"""A signer's key on a token (SoftHSM): its signatures verify as those of a file do, and no wrong one leaves."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, pkcs12

from intermediary.core.faults import Misconfigured, Transient
from intermediary.keys.identity import Family, SignatureKey, SignatureScheme
from intermediary.keys.ring import Keyring
from intermediary.testing.tokens import SoftToken, store_key
from tests.unit.keys.certificates import PrivateKey, certificate_of

HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
    "sha3-256": hashes.SHA3_256(),
}
SHA2 = ("sha256", "sha384", "sha512")


def on_token(
    token: SoftToken, folder: Path, key: PrivateKey, certificate: x509.Certificate | None = None
) -> SignatureKey:
    """The signing key of a keyring that names this key on the token."""
    certificate = certificate or certificate_of(key)
    (folder / "signer.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    store_key(token, "signer", key)
    (folder / "ring.toml").write_text(
        f"[[sign]]\npkcs11 = '{token.uri('signer')}'\nmodule = '{token.module}'\n"
        "password_file = 'hsm/pin.txt'\npem = 'signer.pem'\n"
    )
    found = Keyring.load(folder / "ring.toml").signature_key()
    assert found is not None
    return found


def verify(key: SignatureKey, data: bytes, value: bytes, family: Family, digest: str) -> None:
    """Raises when the value is not this certificate's over the data."""
    public, hasher = key.certificate.public_key(), HASHES[digest]
    if isinstance(public, rsa.RSAPublicKey):
        pss = padding.PSS(padding.MGF1(hasher), hasher.digest_size)
        public.verify(value, data, pss if family == "rsa-pss" else padding.PKCS1v15(), hasher)
        return
    assert isinstance(public, ec.EllipticCurvePublicKey)
    half = (public.key_size + 7) // 8
    assert 2 * half == len(value)
    der = utils.encode_dss_signature(int.from_bytes(value[:half], "big"), int.from_bytes(value[half:], "big"))
    public.verify(der, data, ec.ECDSA(hasher))


@pytest.mark.parametrize("digest", SHA2)
@pytest.mark.parametrize("family", ["rsa-pkcs1", "rsa-pss"])
def test_rsa(token: SoftToken, tmp_path: Path, reader_key: rsa.RSAPrivateKey, family: Family, digest: str) -> None:
    """Both paddings with every SHA-2 hash."""
    key = on_token(token, tmp_path, reader_key)

    verify(key, b"data", key.sign(b"data", SignatureScheme(family, digest)), family, digest)


def test_pkcs1_with_sha3(token: SoftToken, tmp_path: Path, reader_key: rsa.RSAPrivateKey) -> None:
    """The hash is made here, so that a token need not know it."""
    key = on_token(token, tmp_path, reader_key)

    verify(key, b"data", key.sign(b"data", SignatureScheme("rsa-pkcs1", "sha3-256")), "rsa-pkcs1", "sha3-256")


@pytest.mark.parametrize("digest", SHA2)
@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()], ids=lambda c: str(c.name))
def test_ecdsa(token: SoftToken, tmp_path: Path, curve: ec.EllipticCurve, digest: str) -> None:
    """r‖s in fixed length, also where the hash is longer than the curve."""
    key = on_token(token, tmp_path, ec.generate_private_key(curve))

    verify(key, b"data", key.sign(b"data", SignatureScheme("ecdsa", digest)), "ecdsa", digest)


def test_a_scheme_of_the_other_kind(token: SoftToken, tmp_path: Path, reader_key: rsa.RSAPrivateKey) -> None:
    """An RSA key makes no ECDSA signature: the caller's mistake, before the token is asked."""
    key = on_token(token, tmp_path, reader_key)
    token.pull_out()

    with pytest.raises(ValueError, match="no key for ecdsa"):
        key.sign(b"data", SignatureScheme("ecdsa"))


def test_what_the_token_cannot_do(token: SoftToken, tmp_path: Path, reader_key: rsa.RSAPrivateKey) -> None:
    """PSS with SHA-3 is beyond this token: the operator has to choose another method."""
    key = on_token(token, tmp_path, reader_key)
    with pytest.raises(Misconfigured) as fault:
        key.sign(b"data", SignatureScheme("rsa-pss", "sha3-256"))

    assert "cannot do rsa-pss" in fault.value.where


def test_a_signature_of_another_key_does_not_leave(
    token: SoftToken, tmp_path: Path, reader_key: rsa.RSAPrivateKey, other_key: rsa.RSAPrivateKey
) -> None:
    """A certificate that is not the key's is found here and not by the receiver."""
    key = on_token(token, tmp_path, other_key, certificate_of(reader_key))
    with pytest.raises(Misconfigured) as fault:
        key.sign(b"data", SignatureScheme("rsa-pss"))

    assert "not that of the certificate's key" in fault.value.where


def test_a_token_that_goes_and_comes(token: SoftToken, tmp_path: Path, reader_key: rsa.RSAPrivateKey) -> None:
    """While it is gone a fault says so; afterwards it signs again."""
    key, scheme = on_token(token, tmp_path, reader_key), SignatureScheme("rsa-pss")
    key.sign(b"data", scheme)
    token.pull_out()
    with pytest.raises((Misconfigured, Transient)):
        key.sign(b"data", scheme)
    token.put_back()

    verify(key, b"data", key.sign(b"data", scheme), "rsa-pss", "sha256")


def test_two_keys_of_one_token(
    token: SoftToken, tmp_path: Path, reader_key: rsa.RSAPrivateKey, other_key: rsa.RSAPrivateKey
) -> None:
    """They share its session; after the token was away each finds its own key again."""
    keys = []
    for name, key, identifier in (("eins", reader_key, b"\1"), ("zwei", other_key, b"\2")):
        (tmp_path / f"{name}.pem").write_bytes(certificate_of(key).public_bytes(Encoding.PEM))
        store_key(token, name, key, identifier=identifier)
        (tmp_path / f"{name}.toml").write_text(
            f"[[sign]]\npkcs11 = '{token.uri(name)}'\nmodule = '{token.module}'\n"
            f"password_file = 'hsm/pin.txt'\npem = '{name}.pem'\n"
        )
        found = Keyring.load(tmp_path / f"{name}.toml").signature_key()
        assert found is not None
        keys.append(found)
    scheme = SignatureScheme("rsa-pss")
    for is_back in (False, True):
        if is_back:
            token.pull_out()
            with pytest.raises((Misconfigured, Transient)):
                keys[1].sign(b"data", scheme)
            token.put_back()
        for one in keys:
            verify(one, b"data", one.sign(b"data", scheme), "rsa-pss", "sha256")


def test_signing_keys_in_files(tmp_path: Path, reader_key: rsa.RSAPrivateKey) -> None:
    """`[[sign]]` takes the same files as `[[key]]`; the first is the one that signs, and none of them opens anything."""
    certificate = certificate_of(reader_key)
    store = pkcs12.serialize_key_and_certificates(b"x", reader_key, certificate, None, BestAvailableEncryption(b"pw"))
    (tmp_path / "signer.p12").write_bytes(store)
    (tmp_path / "signer.pass").write_text("pw\n")
    (tmp_path / "ring.toml").write_text("[[sign]]\np12 = 'signer.p12'\npassword_file = 'signer.pass'\n")
    ring = Keyring.load(tmp_path / "ring.toml")
    key = ring.signature_key()

    assert key is not None
    assert certificate == key.certificate
    assert () == ring.certificates()
    assert not ring.has_key(certificate.public_bytes(Encoding.DER))
    verify(key, b"data", key.sign(b"data", SignatureScheme("rsa-pss")), "rsa-pss", "sha256")


def test_no_signing_key() -> None:
    """A keyring without `[[sign]]` signs nothing."""
    assert Keyring().signature_key() is None
