"""The cryptography and parsing that one message cannot be opened without, taken from the message itself.

Not a reader: it splits one known message by hand, believes everything, checks nothing, and keeps each step as a call on
the bytes it works on. What the real reader takes longer than these calls is the price of being careful.
"""

from __future__ import annotations

import base64
import hashlib
from collections import defaultdict
from collections.abc import Callable
from functools import partial

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from lxml import etree

Step = Callable[[], object]

_NS = {
    "ds": "http://www.w3.org/2000/09/xmldsig#",
    "osci": "http://www.osci.de/2002/04/osci",
    "soap": "http://schemas.xmlsoap.org/soap/envelope/",
    "xenc": "http://www.w3.org/2001/04/xmlenc#",
}
_OAEP = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
_IV_BYTES = 12


class Primitives:
    """The steps of one message by kind, ready to be called as often as one likes.

    `transport` and `reader` are the private keys, `signers` the public ones of transport and author. Digests that do not
    match or signatures that do not hold raise while the steps are collected: what is measured is right.
    """

    def __init__(
        self,
        message: bytes,
        *,
        transport: rsa.RSAPrivateKey,
        reader: rsa.RSAPrivateKey,
        signers: list[x509.Certificate],
    ) -> None:
        self.steps: dict[str, list[Step]] = defaultdict(list)
        self._signers = {name: one.public_key() for name, one in zip(("transport", "author"), signers, strict=True)}
        inner = self._transport(message, transport)
        self._letter(inner, reader)

    def run(self, kind: str | None = None) -> None:
        """Every step, or those of one kind."""
        for name in (kind,) if kind else tuple(self.steps):
            for step in self.steps[name]:
                step()

    def _transport(self, message: bytes, key: rsa.RSAPrivateKey) -> bytes:
        root, (sealed,) = _split(message)
        envelope = self._parse(root)
        secret = self._unwrap(_one(envelope, ".//xenc:EncryptedKey//xenc:CipherValue"), key)
        return self._decrypt(sealed, secret)

    def _letter(self, entity: bytes, key: rsa.RSAPrivateKey) -> None:
        root, parts = _split(entity)
        envelope = self._parse(root)
        signature = _one(envelope, "soap:Header/osci:ClientSignature/ds:Signature", "soap:Header//ds:Signature")
        octets: dict[str, bytes] = {}
        for block in (*_all(envelope, "soap:Header/*[@Id]"), _one(envelope, "soap:Body")):
            if block is not signature.getparent():
                octets[f"#{block.get('Id')}"] = self._c14n(block)
        octets |= {f"cid:{name}": data for name, data in zip(_cids(entity), parts, strict=True)}
        self._verify(signature, octets, "transport")
        encrypted = _one(envelope, "soap:Body//xenc:EncryptedData")
        secret = self._unwrap(_one(encrypted, "ds:KeyInfo//xenc:CipherValue"), key)
        self._container(
            self._decrypt(self._base64(_one(encrypted, "xenc:CipherData/xenc:CipherValue")), secret), octets
        )

    def _container(self, document: bytes, around: dict[str, bytes]) -> None:
        container = self._parse(document)
        octets: dict[str, bytes] = {}
        for content in _all(container, "osci:Content[osci:Base64Content]"):
            holder = _one(content, "osci:Base64Content")
            octets[f"#{holder.get('Id')}"] = self._base64(holder)
        for entry in _all(container, "xenc:EncryptedData"):
            uri = _one(entry, ".//xenc:CipherReference").get("URI") or ""
            octets[uri] = self._decrypt(around[uri], self._base64(_one(entry, "ds:KeyInfo/ds:MgmtData")))
        for content in _all(container, "osci:Content[@href]"):
            octets[f"#{content.get('Id')}"] = self._c14n(content)
        self._verify(_one(container, "ds:Signature"), octets, "author")

    def _verify(self, signature: etree._Element, octets: dict[str, bytes], signer: str) -> None:
        for reference in _all(signature, "ds:SignedInfo/ds:Reference"):
            data = octets[reference.get("URI") or ""]
            expected = self._base64(_one(reference, "ds:DigestValue"))
            self.steps["SHA-256"].append(partial(hashlib.sha256, data))
            if hashlib.sha256(data).digest() != expected:
                raise AssertionError(reference.get("URI"))
        info = self._c14n(_one(signature, "ds:SignedInfo"))
        value = self._base64(_one(signature, "ds:SignatureValue"))
        key = self._signers[signer]
        assert isinstance(key, rsa.RSAPublicKey)
        self._do("RSA verify", partial(key.verify, value, info, padding.PKCS1v15(), hashes.SHA256()))

    def _parse(self, document: bytes) -> etree._Element:
        return self._do("lxml parse", partial(etree.fromstring, document))

    def _c14n(self, element: etree._Element) -> bytes:
        return self._do("C14N", partial(etree.tostring, element, method="c14n", with_comments=False))

    def _base64(self, element: etree._Element) -> bytes:
        return self._do("base64", partial(base64.b64decode, element.text or ""))

    def _unwrap(self, element: etree._Element, key: rsa.RSAPrivateKey) -> bytes:
        return self._do("RSA decrypt", partial(key.decrypt, self._base64(element), _OAEP))

    def _decrypt(self, sealed: bytes, key: bytes) -> bytes:
        view = memoryview(sealed)
        return self._do("AES-GCM", partial(AESGCM(key).decrypt, view[:_IV_BYTES], view[_IV_BYTES:], None))

    def _do(self, kind: str, step: Callable[[], bytes]) -> bytes:  # any result; the type is that of most
        self.steps[kind].append(step)
        return step()


def _split(entity: bytes) -> tuple[bytes, list[bytes]]:
    """The bodies of the parts of a MIME entity: the document, and the others."""
    sections = _sections(entity)
    root, *others = [section.partition(b"\r\n\r\n")[2] for section in sections]
    return root.partition(b"?>")[2].lstrip() if root.startswith(b"<?xml") else root, others


def _cids(entity: bytes) -> list[str]:
    """The content ids of the parts behind the first."""
    heads = [section.partition(b"\r\n\r\n")[0] for section in _sections(entity)[1:]]
    return [head.partition(b"Content-ID: <")[2].partition(b">")[0].decode() for head in heads]


def _sections(entity: bytes) -> list[bytes]:
    boundary = entity.partition(b"boundary=")[2].partition(b";")[0]
    return entity.split(b"\r\n--" + boundary)[1:-1]


def _one(element: etree._Element, *paths: str) -> etree._Element:
    return next(found for path in paths for found in _all(element, path))


def _all(element: etree._Element, path: str) -> list[etree._Element]:
    return element.xpath(path, namespaces=_NS)  # type: ignore[return-value]  # an XPath of elements gives elements
