"""A throw-away PKI for demo and tests: one CA and the keys of everybody who takes part in an OSCI exchange."""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, pkcs12
from cryptography.x509.oid import NameOID

from intermediary.keys.identity import HeldKey
from intermediary.osci.write import Identity, Parties, Random

ORGANISATION = "Wegwerfschluessel Musterland"
KEYRING = "keyring.toml"
CA_FILE = "test-ca.cert.pem"
OWN_KEYS = ("recipient-cipher", "recipient-signature", "reader-cipher")
"""The key pairs the receiving side holds: these stand in the keyring."""


@dataclass(frozen=True, slots=True)
class _Role:
    name: str
    common_name: str
    bits: int = 3072

    @property
    def is_signer(self) -> bool:
        return self.name.endswith("-signature")


_ROLES = (
    _Role("reader-cipher", "Fachverfahren Musterstadt (Leser)", 4096),
    _Role("originator-cipher", "Online-Dienst Musterland (Verschluesselung)"),
    _Role("originator-signature", "Online-Dienst Musterland (Signatur)"),
    _Role("author-signature", "Antragsmanagement Musterland (Signatur)"),
    _Role("intermediary-cipher", "OSCI-Intermediaer Musterland (Verschluesselung)"),
    _Role("intermediary-signature", "OSCI-Intermediaer Musterland (Signatur)"),
    _Role("recipient-cipher", "Behoerdenpostfach Musterstadt (Verschluesselung)"),
    _Role("recipient-signature", "Behoerdenpostfach Musterstadt (Signatur)"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Member(Identity):
    """A member of the PKI: what the writer may have of it, and the private key itself, for tests that open."""

    private: rsa.RSAPrivateKey = field(repr=False)


@dataclass(frozen=True, slots=True)
class Pki:
    """The CA's certificate and every member by name (`reader-cipher`, `author-signature`, …)."""

    ca: x509.Certificate
    members: Mapping[str, Member] = field(repr=False)

    @property
    def parties(self) -> Parties:
        """The usual cast: one author, one reader."""
        return Parties(
            originator_cipher=self.members["originator-cipher"],
            originator_signature=self.members["originator-signature"],
            intermediary_cipher=self.members["intermediary-cipher"],
            intermediary_signature=self.members["intermediary-signature"],
            addressee_cipher=self.members["recipient-cipher"],
            authors=(self.members["author-signature"],),
            readers=(self.members["reader-cipher"],),
        )


def make_pki(*, valid_from: datetime, valid_until: datetime) -> Pki:
    """New keys and certificates, all valid for the same aware span; RSA-3072, the reader's RSA-4096.

    Takes about a second of both cores of a small machine. Keys and serial numbers come from the system's randomness.
    """
    if valid_from.tzinfo is None or valid_until.tzinfo is None:
        raise ValueError("the validity must be aware")
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        ca_key, *keys = pool.map(_new_key, [3072, *(role.bits for role in _ROLES)])
    ca_name = _name("Test-CA Musterland")
    ca = _certificate(ca_name, ca_key, ca_name, ca_key, (valid_from, valid_until), _CA_USAGE, is_ca=True)
    members = {
        role.name: _member(
            _certificate(
                _name(role.common_name),
                key,
                ca_name,
                ca_key,
                (valid_from, valid_until),
                _SIGNER_USAGE if role.is_signer else _CIPHER_USAGE,
            ),
            key,
        )
        for role, key in zip(_ROLES, keys, strict=True)
    }
    return Pki(ca, members)


def write_pki(pki: Pki, folder: Path, *, random: Random) -> Path:
    """Writes `<name>.p12`, `<name>.pass` and `<name>.cert.pem` for every member, the CA and the receiver's keyring.

    The folder is created if needed; private files are readable by their owner only. Returns the keyring's path.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    (folder / CA_FILE).write_bytes(pki.ca.public_bytes(Encoding.PEM))
    for name, member in pki.members.items():
        password = random(18).hex().encode("ascii")
        store = pkcs12.serialize_key_and_certificates(
            name.encode("ascii"), member.private, member.certificate, [pki.ca], BestAvailableEncryption(password)
        )
        _write_private(folder / f"{name}.p12", store)
        _write_private(folder / f"{name}.pass", password)
        (folder / f"{name}.cert.pem").write_bytes(member.certificate.public_bytes(Encoding.PEM))
    keyring = folder / KEYRING
    keyring.write_text(keyring_toml(), encoding="utf-8")
    return keyring


def read_pki(folder: Path) -> Pki:
    """What `write_pki` wrote, so that more can be sealed for the same receiver."""
    ca = x509.load_pem_x509_certificate((folder / CA_FILE).read_bytes())
    return Pki(ca, {role.name: _read_member(folder, role.name) for role in _ROLES})


def keyring_toml() -> str:
    """The receiving side's keyring: its key pairs and the CA as anchor, paths relative to the file."""
    keys = "".join(f'\n[[key]]\np12 = "{name}.p12"\npassword_file = "{name}.pass"\n' for name in OWN_KEYS)
    return f'policy = "osci"\nrequire = []\n{keys}\n[[trust]]\npem = "{CA_FILE}"\npurpose = ["transport", "content"]\n'


def _usage(*names: str) -> x509.KeyUsage:
    kinds = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(**{kind: kind in names for kind in kinds})


_CA_USAGE = _usage("key_cert_sign", "crl_sign")
_SIGNER_USAGE = _usage("digital_signature", "content_commitment")
_CIPHER_USAGE = _usage("key_encipherment", "data_encipherment")


def _new_key(bits: int) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "DE"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, ORGANISATION),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _certificate(
    subject: x509.Name,
    key: rsa.RSAPrivateKey,
    issuer: x509.Name,
    issuer_key: rsa.RSAPrivateKey,
    validity: tuple[datetime, datetime],
    usage: x509.KeyUsage,
    *,
    is_ca: bool = False,
) -> x509.Certificate:
    return (
        x509.CertificateBuilder(subject_name=subject, issuer_name=issuer, public_key=key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(validity[0])
        .not_valid_after(validity[1])
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=0 if is_ca else None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
        .sign(issuer_key, hashes.SHA256())
    )


def _member(certificate: x509.Certificate, private: rsa.RSAPrivateKey) -> Member:
    return Member(certificate=certificate, key=HeldKey(private, certificate), private=private)


def _write_private(path: Path, data: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)


def _read_member(folder: Path, name: str) -> Member:
    password = (folder / f"{name}.pass").read_bytes()
    key, certificate, _ = pkcs12.load_key_and_certificates((folder / f"{name}.p12").read_bytes(), password)
    if certificate is None or not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError(f"{name}.p12 holds no RSA key with its certificate")
    return _member(certificate, key)
