"""Throw-away certificates in files, as servers and clients of the tests want them."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from intermediary.testing.authority import Authority, root

START, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2036, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Certificates:
    """A CA, a server for localhost and 127.0.0.1, and a client; PEM files."""

    ca: Path
    server: Path
    server_key: Path
    client: Path
    client_key: Path


def make_certificates(folder: Path) -> Certificates:
    """All of them in a folder."""
    folder.mkdir(exist_ok=True)
    ca = root("Test-CA Musterland", start=START, end=END)
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    server = ca.issue("localhost", start=START, end=END, extensions=[(names, False)])
    client = ca.issue("intermediary", start=START, end=END)
    (folder / "ca.pem").write_bytes(ca.certificate.public_bytes(Encoding.PEM))
    return Certificates(folder / "ca.pem", *_write(folder, "server", server), *_write(folder, "client", client))


def _write(folder: Path, name: str, holder: Authority) -> tuple[Path, Path]:
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
    certificate.write_bytes(holder.certificate.public_bytes(Encoding.PEM))
    key.write_bytes(holder.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    key.chmod(0o600)
    return certificate, key
