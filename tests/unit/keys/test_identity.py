"""Own signature keys: every scheme verifies with plain library calls, and nothing but the certificate comes out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from cryptography.x509.oid import NameOID

from intermediary.core.faults import Misconfigured
from intermediary.keys.identity import HeldKey, SignatureScheme, from_p12, from_pem

NOW = datetime(2026, 11, 21, tzinfo=UTC)
DIGESTS = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
    "sha3-256": hashes.SHA3_256(),
    "sha3-384": hashes.SHA3_384(),
    "sha3-512": hashes.SHA3_512(),
}


def _certificate(private) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Signaturstelle Musterstadt")])
    builder = x509.CertificateBuilder(name, name, private.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(NOW).not_valid_after(NOW + timedelta(days=1))
    algorithm = None if isinstance(private, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return builder.sign(private, algorithm)


@pytest.fixture(scope="module")
def rsa_key() -> rsa.RSAPrivateKey:
    """An RSA key made once."""
    return rsa.generate_private_key(65537, 2048)


@pytest.mark.parametrize("digest", sorted(DIGESTS))
def test_rsa_signatures_verify(rsa_key, digest):
    """PKCS#1 v1.5 and PSS with the same hash and a salt of its length, for every digest."""
    key, hasher = HeldKey(rsa_key, _certificate(rsa_key)), DIGESTS[digest]
    pss = padding.PSS(padding.MGF1(hasher), hasher.digest_size)
    public = rsa_key.public_key()

    public.verify(key.sign(b"data", SignatureScheme("rsa-pkcs1", digest)), b"data", padding.PKCS1v15(), hasher)
    public.verify(key.sign(b"data", SignatureScheme("rsa-pss", digest)), b"data", pss, hasher)
    assert key.sign(b"a", SignatureScheme("rsa-pkcs1", digest)) == key.sign(b"a", SignatureScheme("rsa-pkcs1", digest))


@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1(), ec.BrainpoolP256R1()])
def test_curve_signatures_have_a_fixed_length(curve):
    """The value is r and s side by side, each as long as the field, and verifies."""
    private = ec.generate_private_key(curve)
    key, size = HeldKey(private, _certificate(private)), (curve.key_size + 7) // 8
    value = key.sign(b"data", SignatureScheme("ecdsa", "sha256"))
    r, s = (int.from_bytes(half, "big") for half in (value[:size], value[size:]))

    assert 2 * size == len(value)
    private.public_key().verify(encode_dss_signature(r, s), b"data", ec.ECDSA(hashes.SHA256()))


def test_a_scheme_must_fit_the_key(rsa_key):
    """An RSA key makes no ECDSA value, a curve no RSA block."""
    private = ec.generate_private_key(ec.SECP256R1())

    with pytest.raises(ValueError, match="no key for ecdsa"):
        HeldKey(rsa_key, _certificate(rsa_key)).sign(b"", SignatureScheme("ecdsa"))
    for family in ("rsa-pkcs1", "rsa-pss"):
        with pytest.raises(ValueError, match=f"no key for {family}"):
            HeldKey(private, _certificate(private)).sign(b"", SignatureScheme(family))


def test_keys_are_read_from_files(rsa_key, tmp_path):
    """PKCS#12 with a password and PEM with key and certificate give the same signer."""
    certificate = _certificate(rsa_key)
    store = pkcs12.serialize_key_and_certificates(b"a", rsa_key, certificate, None, BestAvailableEncryption(b"geheim"))
    pem = rsa_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "a.p12").write_bytes(store)
    (tmp_path / "a.pem").write_bytes(pem + certificate.public_bytes(Encoding.PEM))
    scheme = SignatureScheme("rsa-pkcs1")
    keys = [from_p12(tmp_path / "a.p12", b"geheim", "a.p12"), from_pem(tmp_path / "a.pem", None, "a.pem")]

    assert [certificate] * 2 == [key.certificate for key in keys]
    assert keys[0].sign(b"data", scheme) == keys[1].sign(b"data", scheme)
    assert ["<signature key>"] * 2 == [repr(key) for key in keys]


def test_what_is_no_signature_key_is_unavailable(rsa_key, tmp_path):
    """A missing file, a wrong password, a foreign certificate and a key that cannot sign for OSCI name the file."""
    other = ed25519.Ed25519PrivateKey.generate()
    foreign = rsa.generate_private_key(65537, 2048)
    store = pkcs12.serialize_key_and_certificates(b"a", rsa_key, None, None, BestAvailableEncryption(b"geheim"))
    (tmp_path / "a.p12").write_bytes(store)
    for name, private, certificate in (("b", other, _certificate(other)), ("c", rsa_key, _certificate(foreign))):
        pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (tmp_path / f"{name}.pem").write_bytes(pem + certificate.public_bytes(Encoding.PEM))

    for read, name, password in (
        (from_p12, "missing.p12", None),
        (from_p12, "a.p12", b"falsch"),
        (from_p12, "a.p12", b"geheim"),
        (from_pem, "a.p12", None),
        (from_pem, "b.pem", None),
        (from_pem, "c.pem", None),
    ):
        with pytest.raises(Misconfigured) as caught:
            read(tmp_path / name, password, name)
        assert ("key.unavailable", name) == (caught.value.code, caught.value.where)
