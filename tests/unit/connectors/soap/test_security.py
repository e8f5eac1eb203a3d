"""The signature of an envelope, checked by libxmlsec, which had no part in making it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import xmlsec
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from lxml import etree

from connectors.soap.envelope import Envelope, make_request
from connectors.soap.pieces import Pieces
from connectors.soap.security import WSU, secure
from connectors.soap.settings import Security
from connectors.soap.wsdl import load_operations
from intermediary.core.faults import Misconfigured
from intermediary.testing.connectors import make_auftrag

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
WSDL = Path(__file__).parents[3] / "acceptance" / "soap" / "antrag.wsdl"
TABLE = {"vorgang.schluessel": "key", "vorgang.mandant": "mandant", "paket._value_1": "package.base64"}


def _identity(folder: Path, key: Any) -> Security:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Intermediaer Musterstadt")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2036, 1, 1, tzinfo=UTC))
        .sign(key, hashes.SHA256())
    )
    (folder / "c.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    (folder / "k.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (folder / "k.pem").chmod(0o600)
    return Security(certificate=folder / "c.pem", key=folder / "k.pem")


def _sealed(security: Security, port: str) -> Any:
    """The envelope as it goes over the line, parsed again."""
    auftrag = make_auftrag(data=b"PK" * 100_000)
    (operation,) = load_operations(WSDL, {}, port=port, names=("einreichen",))
    pieces = Pieces(auftrag)
    root, action = operation.envelope(pieces.arguments(TABLE))
    envelope = Envelope(root, pieces.holes)
    envelope.fill()
    secure(envelope, security, now=NOW, nonce="00" * 16)
    request = make_request(operation, envelope, action, {}, auftrag.key)
    return etree.fromstring(b"".join(request.body.pieces()))


def _verify(envelope: Any, security: Security) -> None:
    xmlsec.tree.add_ids(envelope, [])
    context = xmlsec.SignatureContext()
    assert security.certificate is not None
    context.key = xmlsec.Key.from_file(str(security.certificate), xmlsec.KeyFormat.CERT_PEM)
    for name in ("body", "timestamp"):
        (element,) = envelope.xpath(f'//*[@wsu:Id="{name}"]', namespaces={"wsu": WSU})
        context.register_id(element, "Id", WSU)
    context.verify(envelope.find(".//{http://www.w3.org/2000/09/xmldsig#}Signature"))


@pytest.mark.parametrize("port", ["Soap11", "Soap12"])
@pytest.mark.parametrize("kind", ["rsa", "ec"])
def test_the_signature_covers_body_and_timestamp(tmp_path: Path, kind: str, port: str) -> None:
    """It verifies as it was sent; a changed byte of the streamed content or of the time breaks it."""
    key = rsa.generate_private_key(65537, 2048) if kind == "rsa" else ec.generate_private_key(ec.SECP256R1())
    security = _identity(tmp_path, key)
    envelope = _sealed(security, port)
    paket = envelope.find(".//{*}paket")

    _verify(envelope, security)
    paket.text = "AAAA" + paket.text[4:]
    with pytest.raises(xmlsec.Error):
        _verify(envelope, security)
    envelope = _sealed(security, port)
    envelope.find(f".//{{{WSU}}}Expires").text = "2036-01-01T00:00:00Z"
    with pytest.raises(xmlsec.Error):
        _verify(envelope, security)


def test_a_key_that_cannot_be_used_is_the_operators(tmp_path: Path) -> None:
    """A file that is no key is named by its setting, and nothing of it is told."""
    security = _identity(tmp_path, ec.generate_private_key(ec.SECP256R1()))
    (tmp_path / "k.pem").write_text("geheim, aber kein Schluessel")
    with pytest.raises(Misconfigured, match=r"target\.secret\.unreadable") as caught:
        _sealed(security, "Soap11")

    assert caught.value.__cause__ is None
    assert "geheim" not in str(caught.value)
