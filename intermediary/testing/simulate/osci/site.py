"""The simulator's folder: throw-away keys of everybody who takes part, and the files a client needs to use it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from intermediary.keys.entries import PURPOSES, Anchor
from intermediary.keys.private import DecryptionKey
from intermediary.keys.ring import Keyring
from intermediary.testing.pki import CA_FILE, Pki, make_pki, read_pki, write_pki
from intermediary.testing.simulate.osci.protecting import Own
from intermediary.testing.simulate.osci.reading import Reader
from intermediary.unseal.policy import profile

KENNUNG = "test:osci-intermediaer"
KEYS = "keys"
_MARK = "test-ca.cert.pem"
_VALID_DAYS = 3650

_PARTNERS = """\
# The simulated intermediary as a partner: for `[installation] partners = …`; written at every start.
[[partner]]
kennung = "{kennung}"
name = "Simulierter OSCI-Intermediaer"
endpoint = "{url}"
cipher = ["{keys}/intermediary-cipher.cert.pem"]
signature = ["{keys}/intermediary-signature.cert.pem"]
"""

_KEYRING = """\
# The client's keyring: its post box is that of recipient-cipher. Throw-away keys.
policy = "osci"
require = []

[[key]]
p12 = "{keys}/recipient-cipher.p12"
password_file = "{keys}/recipient-cipher.pass"

[[key]]
p12 = "{keys}/reader-cipher.p12"
password_file = "{keys}/reader-cipher.pass"

[[sign]]
p12 = "{keys}/recipient-signature.p12"
password_file = "{keys}/recipient-signature.pass"

[[trust]]
pem = "{keys}/{ca}"
purpose = ["transport", "content"]
"""


@dataclass(frozen=True, slots=True)
class Site:
    """The folder of one simulator and the keys in it."""

    folder: Path
    pki: Pki

    @property
    def keyring(self) -> Path:
        """The keyring of the client that fetches."""
        return self.folder / "keyring.toml"

    @property
    def partners(self) -> Path:
        """The partner directory that names this simulator."""
        return self.folder / "partners.toml"

    @property
    def tls(self) -> tuple[Path, Path]:
        """Certificate and key of the HTTPS server; the certificate is its own anchor."""
        return self.folder / KEYS / "tls.cert.pem", self.folder / KEYS / "tls.key.pem"

    def own(self) -> Own:
        """The intermediary's keys for its answers."""
        signer = self.pki.members["intermediary-signature"].key
        if signer is None:
            raise ValueError("the intermediary has no signature key")
        return Own(signer, self.pki.members["intermediary-cipher"].certificate)

    def reader(self) -> Reader:
        """Reads what clients send, with everything the legacy profile allows."""
        cipher = self.pki.members["intermediary-cipher"]
        anchors = [Anchor(self.pki.ca, frozenset(PURPOSES))]
        keyring = Keyring([DecryptionKey(cipher.private, cipher.certificate)], anchors, policy="legacy")
        return Reader(keyring, profile("legacy"))

    def tell(self, url: str) -> None:
        """Writes what a client needs: where the simulator listens now, and its keys. Untouched if nothing changed."""
        _write_anew(self.partners, _PARTNERS.format(kennung=KENNUNG, url=url, keys=KEYS))
        _write_anew(self.keyring, _KEYRING.format(keys=KEYS, ca=CA_FILE))


def make_site(folder: Path, *, now: datetime, pki: Pki | None = None) -> Site:
    """The simulator's folder: made anew, or found as an earlier start left it.

    Without `pki` new keys are made the first time, which takes a second or two. ValueError if something else is in there.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    keys = folder / KEYS
    if (keys / _MARK).exists() and (keys / "tls.key.pem").exists():
        return Site(folder, read_pki(keys))
    if any(folder.iterdir()) and not keys.exists():
        raise ValueError(f"{folder} is not empty and not a simulator's; name another folder with --dir")
    pki = pki or make_pki(valid_from=now - timedelta(days=1), valid_until=now + timedelta(days=_VALID_DAYS))
    write_pki(pki, keys, random=secrets.token_bytes)
    _write_tls(keys, now)
    return Site(folder, pki)


def _write_anew(path: Path, text: str) -> None:
    """A daemon may be watching the file: it never sees half of it, and nothing at all if it stays the same."""
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    unfinished = path.with_suffix(".new")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.rename(path)


def _write_tls(keys: Path, now: datetime) -> None:
    """A certificate for this machine alone; the key is written last: with it the folder is complete."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder(subject_name=name, issuer_name=name, public_key=key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now.astimezone(UTC) - timedelta(days=1))
        .not_valid_after(now.astimezone(UTC) + timedelta(days=_VALID_DAYS))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    (keys / "tls.cert.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    path = keys / "tls.key.pem"
    path.touch(mode=0o600)
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
