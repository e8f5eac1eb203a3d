"""Opens a container that was encrypted for us end to end; what comes out is as untrusted as what came in (digest §4)."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from intermediary.core.faults import Rejected
from intermediary.core.values import Content
from intermediary.keys.ring import Keyring
from intermediary.keys.spool import Spool
from intermediary.unseal import xmlenc
from intermediary.unseal.cipher import Undecryptable
from intermediary.unseal.encoding import from_base64
from intermediary.unseal.policy import Policy
from intermediary.unseal.xmlenc import DS, XENC, OwnKey
from intermediary.unseal.xta.container import ContentContainer, Sealed, read_content_container
from intermediary.unseal.xta.entity import Octets, read_xta_xml
from intermediary.unseal.xta.reading import broken, token
from intermediary.xml.long import LongTexts
from intermediary.xml.parser import Element

_WHERE = "content"
_LONGEST_KEY = 4096
_IV_BYTES = 12


def open_sealed(
    sealed: Sealed, texts: LongTexts, *, keyring: Keyring, policy: Policy, spool: Spool
) -> tuple[ContentContainer, tuple[str, ...]]:
    """The container inside, and the algorithms it was sealed with.

    Raises `Rejected`: what the policy says, `xta.content.no-key` if none of ours is named, `xta.content.undecryptable`
    for every failure to decrypt (rule R3), and of the plaintext what is said of any container.
    """
    own = _own_key(sealed, texts, keyring, policy)
    method = xmlenc.read_method(sealed.element, policy, _WHERE, undeclared_iv_bytes=_IV_BYTES)
    octets = sealed.octets.of(xmlenc.value_holder(sealed.element))
    sealed.octets.check_all_used()
    try:
        plain = xmlenc.decrypt(octets, own, method, keyring, spool)
        return _container(plain, spool), (method.uri, own.uri)
    except Undecryptable:
        raise Rejected("xta.content.undecryptable") from None
    except Rejected:
        if method.cipher.authenticated:
            raise
        # Without authentication every later failure may be the attacker's question: one answer (rule R3).
        raise Rejected("xta.content.undecryptable") from None


def _own_key(sealed: Sealed, texts: LongTexts, keyring: Keyring, policy: Policy) -> OwnKey:
    for key in sealed.element.iter(XENC + "EncryptedKey"):
        _put_inside(xmlenc.value_holder(key), sealed.octets)
    certificates = keyring.certificates()
    keys = xmlenc.read_keys(sealed.element, _no_reference, policy, texts, find=lambda data: _named(data, certificates))
    own = xmlenc.own_key(keys, keyring, policy, _WHERE)
    if own is None:
        raise Rejected("xta.content.no-key")
    return own


def _put_inside(holder: Element, octets: Octets) -> None:
    """A wrapped key that travels as a MIME part is put back where it is read."""
    if not len(holder):
        return
    wrapped = octets.of(holder)
    if wrapped.length > _LONGEST_KEY:
        raise broken("CipherValue")
    del holder[:]
    holder.text = b64encode(wrapped.read()).decode()


def _container(plain: Content, spool: Spool) -> ContentContainer:
    document = read_xta_xml(plain, spool)
    return read_content_container(document.root, Octets(document.texts, {}, spool))


def _named(data: Element, certificates: Iterable[x509.Certificate]) -> bytes:
    """Ours that is named by serial number or key identifier. Who issued it is not compared, as there are many ways to
    write that: a certificate is only proposed here, and the wrong one opens nothing.
    """
    serials = {token(one) for one in data.iter(DS + "X509SerialNumber")}
    identifiers = {from_base64(token(one), code="xta.structure", where="X509SKI") for one in data.iter(DS + "X509SKI")}
    for certificate in certificates:
        if str(certificate.serial_number) in serials or _key_identifier(certificate) in identifiers:
            return certificate.public_bytes(Encoding.DER)
    return b""


def _key_identifier(certificate: x509.Certificate) -> bytes | None:
    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    except (x509.ExtensionNotFound, ValueError):
        return None


def _no_reference(_uri: str) -> bytes:
    raise Rejected("xta.reference", where="RetrievalMethod")
