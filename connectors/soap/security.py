"""WS-Security in an envelope: a UsernameToken, and a signature with an X.509 token over Body and Timestamp.

The signature is made with lxml's canonical form and `cryptography`: exclusive C14N, SHA-256, RSA PKCS#1 v1.5 or ECDSA with
the curve of the key (OASIS WSS 1.1, X.509 Certificate Token Profile). Contents are hashed as they are streamed, as base64.
"""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from lxml import etree
from zeep.wsse.username import UsernameToken

from connectors.soap.envelope import Envelope
from connectors.soap.settings import Security
from intermediary.connect.api import Body, Misconfigured, read_secret

_OASIS = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss"
WSSE = f"{_OASIS}-wssecurity-secext-1.0.xsd"
WSU = f"{_OASIS}-wssecurity-utility-1.0.xsd"
_DS = "http://www.w3.org/2000/09/xmldsig#"
_C14N = "http://www.w3.org/2001/10/xml-exc-c14n#"
_SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
_RSA = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
_ECDSA = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"
_X509 = f"{_OASIS}-x509-token-profile-1.0#X509v3"
_BASE64 = f"{_OASIS}-soap-message-security-1.0#Base64Binary"


def secure(envelope: Envelope, security: Security, *, now: datetime, nonce: str) -> None:
    """Add what the settings ask for; nothing else may be changed in the envelope afterwards.

    `nonce` is a fresh random text. Raises `Misconfigured` for a secret or certificate that cannot be used.
    """
    if security.username and security.password_file is not None:
        token: Any = UsernameToken(  # type: ignore[no-untyped-call]
            security.username,
            read_secret(security.password_file),
            use_digest=security.digest,
            nonce=nonce,
            created=now.astimezone(UTC).replace(tzinfo=None),
            zulu_timestamp=True,
        )
        token.apply(envelope.root, {})
    if security.certificate is not None and security.key is not None:
        _sign(envelope, security.certificate, read_secret(security.key), now, timedelta(seconds=security.valid_seconds))


def _sign(envelope: Envelope, certificate_file: Path, key_text: str, now: datetime, valid: timedelta) -> None:
    certificate, key = _certificate(certificate_file), _key(key_text)
    header = _header(envelope.root)
    security = header.find(f"{{{WSSE}}}Security")
    if security is None:
        security = etree.SubElement(header, f"{{{WSSE}}}Security", nsmap={"wsse": WSSE})
    soap = etree.QName(envelope.root).namespace
    security.set(f"{{{soap}}}mustUnderstand", "1")
    timestamp = _timestamp(security, now, valid)
    token = etree.SubElement(security, f"{{{WSSE}}}BinarySecurityToken", ValueType=_X509, EncodingType=_BASE64)
    token.set(f"{{{WSU}}}Id", "token")
    token.text = base64.b64encode(certificate.public_bytes(Encoding.DER)).decode()
    body = envelope.root.find(f"{{{soap}}}Body")
    body.set(f"{{{WSU}}}Id", "body")

    signature = etree.SubElement(security, f"{{{_DS}}}Signature", nsmap={"ds": _DS})
    info = etree.SubElement(signature, f"{{{_DS}}}SignedInfo")
    etree.SubElement(info, f"{{{_DS}}}CanonicalizationMethod", Algorithm=_C14N)
    algorithm = _RSA if isinstance(key, rsa.RSAPrivateKey) else _ECDSA
    etree.SubElement(info, f"{{{_DS}}}SignatureMethod", Algorithm=algorithm)
    for name, element in (("body", body), ("timestamp", timestamp)):
        reference = etree.SubElement(info, f"{{{_DS}}}Reference", URI=f"#{name}")
        transforms = etree.SubElement(reference, f"{{{_DS}}}Transforms")
        etree.SubElement(transforms, f"{{{_DS}}}Transform", Algorithm=_C14N)
        etree.SubElement(reference, f"{{{_DS}}}DigestMethod", Algorithm=_SHA256)
        digest = hashlib.sha256()
        for piece in Body(envelope.infoset(element)).pieces():
            digest.update(piece)
        etree.SubElement(reference, f"{{{_DS}}}DigestValue").text = base64.b64encode(digest.digest()).decode()
    value = etree.SubElement(signature, f"{{{_DS}}}SignatureValue")
    value.text = base64.b64encode(_signed(key, etree.tostring(info, method="c14n", exclusive=True))).decode()
    key_info = etree.SubElement(signature, f"{{{_DS}}}KeyInfo")
    reference = etree.SubElement(key_info, f"{{{WSSE}}}SecurityTokenReference")
    etree.SubElement(reference, f"{{{WSSE}}}Reference", URI="#token", ValueType=_X509)


def _header(root: Any) -> Any:
    soap = etree.QName(root).namespace
    header = root.find(f"{{{soap}}}Header")
    if header is None:
        header = etree.Element(f"{{{soap}}}Header")
        root.insert(0, header)
    return header


def _timestamp(security: Any, now: datetime, valid: timedelta) -> Any:
    timestamp = etree.SubElement(security, f"{{{WSU}}}Timestamp", nsmap={"wsu": WSU})
    timestamp.set(f"{{{WSU}}}Id", "timestamp")
    for name, moment in (("Created", now), ("Expires", now + valid)):
        etree.SubElement(timestamp, f"{{{WSU}}}{name}").text = moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return timestamp


def _signed(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, data: bytes) -> bytes:
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(data, padding.PKCS1v15(), hashes.SHA256())
    size = (key.curve.key_size + 7) // 8
    return b"".join(
        part.to_bytes(size, "big") for part in decode_dss_signature(key.sign(data, ec.ECDSA(hashes.SHA256())))
    )


def _certificate(file: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(file.read_bytes())
    except (OSError, ValueError) as error:
        raise Misconfigured("target.secret.unreadable", where=file.name) from error


def _key(text: str) -> rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey:
    try:
        key = load_pem_private_key(text.encode(), None)
    except (ValueError, TypeError):  # not chained: the library may quote what it could not read
        key = None
    if isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        return key
    raise Misconfigured("target.secret.unreadable", where="security.key")
