"""A second, plain way to open what the writer seals: `cryptography` for ciphers, libxmlsec for signatures.

It shares no code with the writer or with `intermediary.unseal`, so that a common mistake shows.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import xmlsec
from cryptography import x509
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.padding import PKCS7
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

NS = {
    "ds": "http://www.w3.org/2000/09/xmldsig#",
    "osci": "http://www.osci.de/2002/04/osci",
    "osci128": "http://xoev.de/transport/osci12/8",
    "soap": "http://schemas.xmlsoap.org/soap/envelope/",
    "xenc": "http://www.w3.org/2001/04/xmlenc#",
    "xenc11": "http://www.w3.org/2009/xmlenc11#",
}
SCHEMA_LOCATION = "{http://www.w3.org/2001/XMLSchema-instance}schemaLocation"
_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True)


@dataclass(frozen=True)
class PlainPart:
    """One MIME part: headers in order, body before the transfer coding is undone."""

    headers: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def name(self) -> str:
        return dict(self.headers)["Content-ID"].removeprefix("<").removesuffix(">")

    @property
    def data(self) -> bytes:
        coding = dict(self.headers)["Content-Transfer-Encoding"]
        return base64.b64decode(self.body) if coding in ("base64", "7bit") else self.body


def split(message: bytes) -> list[PlainPart]:
    """The parts of a message in order; AssertionError if the MIME frame is not as §3 has it."""
    head, _, rest = message.partition(b"\r\n\r\n")
    boundary = head.partition(b"boundary=")[2].partition(b";")[0]
    pieces = (b"\r\n" + rest).split(b"\r\n--" + boundary)
    assert [b"", b"--\r\n"] == [pieces[0], pieces[-1]]
    parts = []
    for piece in pieces[1:-1]:
        lines, _, body = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        headers = (line.partition(": ")[::2] for line in lines.decode("utf-8").split("\r\n"))
        parts.append(PlainPart(tuple((name, value) for name, value in headers), body))
    return parts


def envelope(message: bytes) -> etree._Element:
    """The SOAP envelope of a message in the open."""
    return etree.fromstring(split(message)[0].body, _PARSER)


def open_transport(message: bytes, key: RSAPrivateKey) -> bytes:
    """The inner message of a transport envelope."""
    first, second = split(message)
    return decrypt(first_xml(first).find(".//xenc:EncryptedData", NS), key, ciphertext=second.data)


def first_xml(part: PlainPart) -> etree._Element:
    """The XML document in a part."""
    return etree.fromstring(part.body, _PARSER)


def decrypt(encrypted: etree._Element, *keys: RSAPrivateKey, ciphertext: bytes | None = None) -> bytes:
    """The plaintext of an EncryptedData: with a private key through its EncryptedKeys, or by its MgmtData."""
    iv_length = encrypted.find("xenc:EncryptionMethod/osci128:IvLength", NS)
    method = encrypted.find("xenc:EncryptionMethod", NS).get("Algorithm")
    if ciphertext is None:
        ciphertext = base64.b64decode(encrypted.findtext("xenc:CipherData/xenc:CipherValue", namespaces=NS))
    managed = encrypted.findtext("ds:KeyInfo/ds:MgmtData", namespaces=NS)
    key = base64.b64decode(managed) if managed is not None else _unwrap(encrypted, keys)
    if method.endswith("gcm"):
        size = 16 if iv_length is None else int(iv_length.get("Value"))
        return AESGCM(key).decrypt(ciphertext[:size], ciphertext[size:], None)
    algorithm = TripleDES(key) if "tripledes" in method else AES(key)
    size = algorithm.block_size // 8
    decryptor = Cipher(algorithm, modes.CBC(ciphertext[:size])).decryptor()
    unpadder = PKCS7(algorithm.block_size).unpadder()
    return unpadder.update(decryptor.update(ciphertext[size:]) + decryptor.finalize()) + unpadder.finalize()


def container(message: bytes, *keys: RSAPrivateKey) -> etree._Element:
    """The one ContentContainer, decrypted if it was not open."""
    package = envelope(message).find(".//osci:ContentPackage", NS)
    encrypted = package.find("xenc:EncryptedData", NS)
    if encrypted is None:
        return package.find("osci:ContentContainer", NS)
    return etree.fromstring(decrypt(encrypted, *keys), _PARSER)


def contents(box: etree._Element) -> list[bytes]:
    """The data contents of a container in order."""
    found = box.findall("osci:Content/osci:Base64Content", NS)
    return [base64.b64decode(element.text or "", validate=False) for element in found]


def attachments(message: bytes, box: etree._Element) -> dict[str, bytes]:
    """The readable attachments by name, for every reference in the container."""
    parts = {part.name: part.data for part in split(message)[1:]}
    keys = {
        element.find(".//xenc:CipherReference", NS).get("URI"): element
        for element in box.findall("xenc:EncryptedData", NS)
    }
    names = [element.get("href") for element in box.findall("osci:Content[@href]", NS)]
    return {
        href.removeprefix("cid:"): (
            decrypt(keys[href], ciphertext=parts[href.removeprefix("cid:")])
            if href in keys
            else parts[href.removeprefix("cid:")]
        )
        for href in names
    }


def is_signature_good(signature: etree._Element, certificate: x509.Certificate, parts: Mapping[str, bytes]) -> bool:
    """Whether libxmlsec verifies every reference and the value; `parts` are the bytes behind `cid:` references.

    The signature must be part of the tree its references point into.
    """
    xmlsec.tree.add_ids(signature.getroottree().getroot(), ["Id"])
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(certificate.public_bytes(Encoding.PEM), xmlsec.KeyFormat.CERT_PEM)
    with served(parts):
        try:
            context.verify(signature)
        except xmlsec.Error:
            return False
    return True


@contextmanager
def served(parts: Mapping[str, bytes]) -> Iterator[None]:
    """Lets libxmlsec find these bytes behind `cid:` references, for as long as it is asked."""
    found = {f"cid:{name}".encode(): data for name, data in parts.items()}
    xmlsec.cleanup_callbacks()
    xmlsec.register_callbacks(found.__contains__, lambda uri: [found[uri]], _read, lambda _: None)
    try:
        yield
    finally:
        xmlsec.cleanup_callbacks()
        xmlsec.register_default_callbacks()


def _read(handle: list[bytes], buffer: memoryview) -> int:
    count = min(len(buffer), len(handle[0]))
    buffer[:count] = handle[0][:count]
    handle[0] = handle[0][count:]
    return count


def _unwrap(encrypted: etree._Element, keys: tuple[RSAPrivateKey, ...]) -> bytes:
    for element in encrypted.findall("ds:KeyInfo/xenc:EncryptedKey", NS):
        wrapped = base64.b64decode(element.findtext("xenc:CipherData/xenc:CipherValue", namespaces=NS))
        for key in keys:
            if key.key_size // 8 == len(wrapped):
                try:
                    return key.decrypt(wrapped, _padding(element))
                except ValueError:
                    continue
    raise LookupError("no key of ours opens this")


def _padding(element: etree._Element) -> padding.AsymmetricPadding:
    digest = element.find("xenc:EncryptionMethod/ds:DigestMethod", NS)
    if digest is None:
        return padding.PKCS1v15()
    named: dict[str, hashes.HashAlgorithm] = {"sha256": hashes.SHA256(), "sha512": hashes.SHA512()}
    mask = element.find("xenc:EncryptionMethod/xenc11:MGF", NS).get("Algorithm").rpartition("mgf1")[2]
    return padding.OAEP(padding.MGF1(named[mask]), named[digest.get("Algorithm").rpartition("#")[2]], None)
