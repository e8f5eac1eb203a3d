"""An installation whose door is an OSCI endpoint with TLS, and an intermediary that delivers to it and reads the answers."""

from __future__ import annotations

import http.client
import secrets
import socket
import ssl
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from intermediary.core.values import MemoryContent
from intermediary.keys.private import DecryptionKey
from intermediary.keys.ring import Anchor, Keyring
from intermediary.osci.write.letter import Letter
from intermediary.osci.write.seal import seal
from intermediary.testing.demo_proof import golden_settings
from intermediary.testing.demo_site import Site, make_site
from intermediary.testing.pki import Pki
from intermediary.unseal.osci.message import OsciMessage, open_message
from intermediary.unseal.policy import profile

CHANNEL = """
[[channel]]
name = "osci"
type = "osci_passive"
mandanten = ["musterstadt"]
[channel.osci_passive]
listen = "127.0.0.1:{port}"
tls_cert = "secrets/tls.cert.pem"
tls_key = "secrets/tls.key.pem"
judged_seconds = {judged_seconds}
"""
SIGN = '\n[[sign]]\np12 = "recipient-signature.p12"\npassword_file = "recipient-signature.pass"\n'


@dataclass(frozen=True)
class Said:
    """What came back over HTTP."""

    status: int
    headers: dict[str, str]
    body: bytes = field(repr=False)


class Intermediary:
    """Seals letters as the intermediary of this cast, delivers them, and opens the answers as a client."""

    def __init__(self, pki: Pki, port: int, certificate: Path, path: str = "/osci") -> None:
        self._pki = pki
        self.port = port
        self._path = path
        self.tls = ssl.create_default_context(cafile=str(certificate))
        own = pki.members["intermediary-cipher"]
        author = pki.members["originator-cipher"]
        keys = [DecryptionKey(one.private, one.certificate) for one in (own, author)]
        self._keyring = Keyring(keys, [Anchor(pki.ca, frozenset({"transport", "content"}))])

    def seal(self, letter: Letter, now: datetime) -> bytes:
        return seal(letter, parties=self._pki.parties, random=secrets.token_bytes, now=now)

    def connect(self, seconds: float = 120) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=seconds, context=self.tls)

    def deliver(self, body: bytes, path: str = "") -> Said:
        connection = self.connect()
        try:
            connection.request("POST", path or self._path, body, {"Content-Type": "text/xml"})
            response = connection.getresponse()
            headers = {name.lower(): value for name, value in response.getheaders()}
            return Said(response.status, headers, response.read())
        finally:
            connection.close()

    def opened(self, said: Said, at: datetime) -> OsciMessage:
        """The answer as a client reads it; raises what a client would refuse it with."""
        raw = MemoryContent(said.body)
        return open_message(raw, keyring=self._keyring, policy=profile("legacy"), at=at, role="client")


def furnish(folder: Path, pki: Pki, *, now: datetime, judged_seconds: int = 60, answer: str = "") -> tuple[Site, int]:
    """The demo's site with an endpoint as a second channel; gives the port too. `answer` is its [channel.answer]."""
    site = make_site(folder, now=now, settings=golden_settings(), pki=pki)
    port = free_port()
    write_tls(folder / "secrets" / "tls.cert.pem", folder / "secrets" / "tls.key.pem")
    with site.config.open("a", encoding="utf-8") as file:
        file.write(CHANNEL.format(port=port, judged_seconds=judged_seconds) + answer)
    ring = folder / "keys" / "keyring.toml"
    if "[[sign]]" not in ring.read_text(encoding="utf-8"):
        with ring.open("a", encoding="utf-8") as file:
            file.write(SIGN)
    return site, port


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def write_tls(certificate: Path, key: Path, *, name: str = "localhost") -> None:
    """A throw-away certificate for 127.0.0.1."""
    private = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))])
    today = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(subject_name=subject, issuer_name=subject, public_key=private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=30))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(private, hashes.SHA256())
    )
    certificate.write_bytes(signed.public_bytes(Encoding.PEM))
    key.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    key.chmod(0o600)
