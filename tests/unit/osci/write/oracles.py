"""Two more independent implementations that judge what the writer made: signxml for signatures, libxmlsec for ciphers."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy

import xmlsec
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from lxml import etree
from signxml import SignatureConfiguration, XMLVerifier
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureMethod
from signxml.exceptions import InvalidDigest, InvalidSignature

from tests.unit.osci.write import plain


def signxml_verifies(signature: etree._Element, certificate: x509.Certificate, parts: Mapping[str, bytes]) -> bool:
    """Whether signxml verifies every reference and the value in the signature's document.

    `parts` are the bytes behind `cid:` references.
    """
    root = signature.getroottree().getroot()
    place = signature.getparent().index(signature)
    path = root.getroottree().getelementpath(signature.getparent())
    whole = deepcopy(root)
    holder = whole if path == "." else whole.find(path)
    for sibling in holder.findall("ds:Signature", plain.NS):
        if holder.index(sibling) != place:
            sibling.tag = "set-aside"
    covered = len(signature.findall("ds:SignedInfo/ds:Reference", plain.NS))
    config = SignatureConfiguration(
        require_x509=False,
        location=".//",
        expect_references=covered,
        signature_methods=frozenset(SignatureMethod),
        digest_algorithms=frozenset(DigestAlgorithm),
        ignore_ambiguous_key_info=True,
        default_reference_c14n_method=CanonicalizationMethod.CANONICAL_XML_1_0,
    )
    try:
        XMLVerifier().verify(
            whole,
            x509_cert=certificate,
            validate_schema=False,  # it has names of attachments be URIs
            uri_resolver=lambda uri: parts[uri.removeprefix("cid:")],
            id_attribute="Id",
            expect_config=config,
        )
    except (InvalidDigest, InvalidSignature):
        return False
    return True


def xmlsec_decrypts(encrypted: etree._Element, private: RSAPrivateKey, parts: Mapping[str, bytes]) -> bytes:
    """What libxmlsec makes of an EncryptedData with this key; it takes GCM with IVs of 12 bytes only."""
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    manager = xmlsec.KeysManager()
    manager.add_key(xmlsec.Key.from_memory(pem, xmlsec.KeyFormat.PEM))
    alone = etree.fromstring(etree.tostring(encrypted))
    for hint in alone.findall(".//ds:RetrievalMethod", plain.NS):
        hint.getparent().remove(hint)
    with plain.served(parts):
        return xmlsec.EncryptionContext(manager).decrypt(alone)
