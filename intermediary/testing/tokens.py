"""A private SoftHSM2 with one token in a folder: a stand-in for an HSM in tests, with a switch to pull it out."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pkcs11
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pkcs11.constants import Attribute, CertificateType, ObjectClass
from pkcs11.util.ec import decode_ec_private_key
from pkcs11.util.rsa import decode_rsa_private_key

from intermediary.keys.tokens import forget_sessions

MODULES = (Path("/usr/lib/softhsm/libsofthsm2.so"), Path("/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so"))
CONFIGURATION = "SOFTHSM2_CONF"
"""The variable by which SoftHSM finds its configuration; it reads it when the module is initialised."""

PIN = "2468"
_OFFICER = "13579246"


@dataclass(frozen=True, slots=True)
class SoftToken:
    """One token; `folder` holds its configuration, its objects and its PIN (`pin.txt`)."""

    folder: Path
    label: str

    @property
    def module(self) -> Path:
        """The shared library of SoftHSM."""
        return soft_hsm()

    @property
    def configuration(self) -> Path:
        """The value that `SOFTHSM2_CONF` must have in every process that uses the token."""
        return self.folder / "softhsm2.conf"

    @property
    def pin_file(self) -> Path:
        """The PIN as its only line."""
        return self.folder / "pin.txt"

    def uri(self, label: str) -> str:
        """The URI of a key on it."""
        return f"pkcs11:token={self.label};object={label}"

    def pull_out(self) -> None:
        """The token is gone for every process, at once."""
        (self.folder / "tokens").rename(self.folder / "pulled")

    def put_back(self) -> None:
        """It is there again."""
        (self.folder / "pulled").rename(self.folder / "tokens")


def soft_hsm() -> Path:
    """The module of SoftHSM; FileNotFoundError where the Debian package softhsm2 is missing."""
    for path in MODULES:
        if path.is_file():
            return path
    raise FileNotFoundError("no SoftHSM module: install the Debian package softhsm2")


def make_token(folder: Path, label: str = "Musterstadt") -> SoftToken:
    """A new, empty token in a folder that is made for it."""
    token = SoftToken(folder, label)
    (folder / "tokens").mkdir(parents=True)
    token.configuration.write_text(
        f"directories.tokendir = {folder / 'tokens'}\nobjectstore.backend = file\nlog.level = ERROR\n"
    )
    token.pin_file.write_text(PIN + "\n")
    command = ["softhsm2-util", "--init-token", "--free", "--label", label, "--so-pin", _OFFICER, "--pin", PIN]
    subprocess.run(command, check=True, capture_output=True, env=os.environ | {CONFIGURATION: str(token.configuration)})
    return token


def store_key(
    token: SoftToken,
    label: str,
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey,
    certificate: x509.Certificate | None = None,
    *,
    identifier: bytes = b"\1",
) -> None:
    """Puts a key on the token that cannot leave it, and its certificate beside it if one is given.

    Uses the module in this process, which must not use it otherwise meanwhile; `SOFTHSM2_CONF` must name the token.
    """
    forget_sessions()
    library = pkcs11.lib(str(token.module))
    library.reinitialize()
    with library.get_token(token_label=token.label).open(rw=True, user_pin=PIN) as session:
        session.create_object(_private(key) | _named(label, identifier) | {
            Attribute.PRIVATE: True, Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False, Attribute.SIGN: True,
        })  # fmt: skip
        if certificate is not None:
            session.create_object(_named(label, identifier) | {
                Attribute.CLASS: ObjectClass.CERTIFICATE,
                Attribute.CERTIFICATE_TYPE: CertificateType.X_509,
                Attribute.SUBJECT: certificate.subject.public_bytes(),
                Attribute.VALUE: certificate.public_bytes(Encoding.DER),
            })  # fmt: skip
    library.finalize()


def _private(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> dict[Attribute, object]:
    der = key.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    if isinstance(key, rsa.RSAPrivateKey):
        return {**decode_rsa_private_key(der), Attribute.DECRYPT: True}
    return dict(decode_ec_private_key(der))


def _named(label: str, identifier: bytes) -> dict[Attribute, object]:
    return {Attribute.TOKEN: True, Attribute.LABEL: label, Attribute.ID: identifier}
