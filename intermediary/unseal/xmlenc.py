"""XML encryption: reads an EncryptedData under the policy, and opens it with a key of the keyring."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from intermediary.core.faults import Rejected
from intermediary.core.values import Content, MemoryContent
from intermediary.keys.private import KeyTransport
from intermediary.keys.ring import Keyring
from intermediary.keys.spool import Spool
from intermediary.unseal import algorithms as a
from intermediary.unseal import cipher
from intermediary.unseal.algorithms import Cipher
from intermediary.unseal.encoding import decode_base64, from_base64
from intermediary.unseal.nodes import attribute, broken, by_name, children, local, only, optional, single, text
from intermediary.unseal.policy import Policy, not_allowed
from intermediary.xml.long import NO_TEXTS, LongTexts
from intermediary.xml.parser import Element

XENC = "{" + a.XMLENC + "}"
XENC11 = "{" + a.XMLENC11 + "}"
DS = "{" + a.XMLDSIG + "}"
IV_LENGTH = "{http://xoev.de/transport/osci12/8}IvLength"
OSCI_IV_BYTES = 16

ENCRYPTED_DATA = XENC + "EncryptedData"

_IN_KEY = (DS + "KeyInfo", XENC + "EncryptionMethod", XENC + "CipherData")

_KEY_TRANSPORTS = frozenset({a.RSA_OAEP, a.RSA_15})
"""What OSCI 1.2 knows; the policy may allow fewer, never more."""

_LONGEST_KEY_TEXT = 64 * 1024
"""In characters: RSA of 8192 bits needs less than 1,500."""

CertificateLookup = Callable[[str], bytes]
"""Gives the certificate (DER) that a `#id` in a RetrievalMethod names, or raises `Rejected`."""

CertificateFinder = Callable[[Element], bytes]
"""Gives our certificate (DER) that an X509Data names without holding it; empty if it names none of ours."""


@dataclass(frozen=True, slots=True)
class Method:
    """A content cipher the policy has accepted."""

    uri: str
    cipher: Cipher
    iv_bytes: int


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """One EncryptedKey: the content key for one reader."""

    certificate_der: bytes = field(repr=False)
    method: Element = field(repr=False)
    wrapped: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class OwnKey:
    """An EncryptedKey made for one of our keys, with a key transport the policy has accepted."""

    key: WrappedKey
    uri: str
    transport: KeyTransport


def read_method(encrypted: Element, policy: Policy, where: str, *, undeclared_iv_bytes: int = OSCI_IV_BYTES) -> Method:
    """The cipher of an EncryptedData, checked against the policy before anything is decrypted.

    `undeclared_iv_bytes` is the IV length of GCM where none is declared: 16 in OSCI (digest §5), 12 elsewhere.
    """
    method = single(encrypted, XENC + "EncryptionMethod")
    only(method, IV_LENGTH)
    uri = attribute(method, "Algorithm")
    machine = policy.check_cipher(uri, where)
    declared = optional(method, IV_LENGTH)
    if machine.mode == "cbc":
        # The library writes an IvLength here too; it means nothing (digest §5).
        return Method(uri, machine, machine.block_bytes)
    if declared is None:
        return Method(uri, machine, policy.check_iv(undeclared_iv_bytes, where))
    value = attribute(declared, "Value")
    if not (value.isascii() and value.isdigit() and len(value) <= 4):
        raise broken("IvLength")
    return Method(uri, machine, policy.check_iv(int(value), where))


def read_keys(
    encrypted: Element,
    lookup: CertificateLookup,
    policy: Policy,
    texts: LongTexts = NO_TEXTS,
    *,
    find: CertificateFinder | None = None,
) -> tuple[WrappedKey, ...]:
    """All EncryptedKeys of an EncryptedData, every certificate reference resolved.

    Without `find` each holds its certificate, as OSCI wants it.
    """
    info = single(encrypted, DS + "KeyInfo")
    only(info, XENC + "EncryptedKey")
    entries = children(info, XENC + "EncryptedKey")
    if not entries:
        raise broken("EncryptedKey")
    if len(entries) > policy.max_wrapped_keys:
        raise Rejected("osci.limit", where="EncryptedKey")
    return tuple(_wrapped_key(entry, lookup, texts, find) for entry in entries)


def own_key(keys: tuple[WrappedKey, ...], keyring: Keyring, policy: Policy, where: str) -> OwnKey | None:
    """The EncryptedKey to use: the first one made for us that the policy allows; None if none was made for us.

    How a key was wrapped for others is not our key operation and decides nothing here.
    """
    refusal: Rejected | None = None
    for key in keys:
        if not keyring.has_key(key.certificate_der):
            continue
        try:
            uri, transport = _key_transport(key.method, policy, where)
            policy.check_reader(keyring.key_bits(key.certificate_der), where)
        except Rejected as fault:
            refusal = refusal or fault
            continue
        return OwnKey(key, uri, transport)
    if refusal is not None:
        raise refusal
    return None


def decrypt(
    octets: Content, own: OwnKey, method: Method, keyring: Keyring, spool: Spool, *, hashed: bool = False
) -> Content:
    """The plaintext. A broken EncryptedKey is not told apart from broken octets: both are `Undecryptable`.

    It goes to the spool and is content only once it is verified; `hashed` as in `cipher.decrypt_content`.
    """
    key = keyring.decrypt_key(
        own.key.certificate_der, own.key.wrapped, own.transport, key_bytes=method.cipher.key_bytes
    )
    return cipher.decrypt_content(octets, key, method.cipher, method.iv_bytes, spool, hashed=hashed)


def cipher_value(encrypted: Element, texts: LongTexts, spool: Spool) -> Content:
    """The octets of CipherData/CipherValue; `texts` are those of its document."""
    return base64_octets(value_holder(encrypted), texts, spool)


def base64_octets(holder: Element, texts: LongTexts, spool: Spool) -> Content:
    """The octets that an element without children holds as Base64."""
    long, where = texts.of(holder), local(str(holder.tag))
    if long is None:
        return MemoryContent(from_base64(text(holder), where=where))
    return decode_base64(long.pieces(), spool, where=where)


def cipher_reference(encrypted: Element) -> str | None:
    """The MIME part an EncryptedData points to, or None if it has its octets inside.

    Only `cid:` with the one Transform the protocol writes (Base64, which says nothing); nothing is ever fetched.
    """
    data = single(encrypted, XENC + "CipherData")
    reference = optional(data, XENC + "CipherReference")
    if reference is None:
        return None
    only(data, XENC + "CipherReference")
    only(reference, XENC + "Transforms")
    transforms = optional(reference, XENC + "Transforms")
    if transforms is not None:
        only(transforms, DS + "Transform")
        if any(len(one) or one.get("Algorithm") != a.BASE64 for one in transforms) or len(transforms) > 1:
            raise broken("Transform")
    uri = attribute(reference, "URI")
    if not uri.startswith("cid:"):
        raise Rejected("osci.reference", where="CipherReference")
    return uri[4:]


def value_holder(encrypted: Element) -> Element:
    """The CipherValue of an EncryptedData or EncryptedKey, which must have its octets inside."""
    inside = by_name(single(encrypted, XENC + "CipherData"), XENC + "CipherValue")
    if not inside:
        raise broken("CipherValue")
    return inside[XENC + "CipherValue"]


def _short_value(entry: Element, texts: LongTexts) -> bytes:
    """The octets of an EncryptedKey: never as long as content may be."""
    holder = value_holder(entry)
    long = texts.of(holder)
    if (len(text(holder)) if long is None else long.length) > _LONGEST_KEY_TEXT:
        raise broken("CipherValue")
    return from_base64(text(holder) if long is None else b"".join(long.pieces()), where="CipherValue")


def _wrapped_key(
    entry: Element, lookup: CertificateLookup, texts: LongTexts, find: CertificateFinder | None
) -> WrappedKey:
    inside = by_name(entry, *_IN_KEY)
    for name in _IN_KEY:
        if name not in inside:
            raise broken(local(name))
    certificate = _certificate_der(inside[DS + "KeyInfo"], lookup, find)
    return WrappedKey(certificate, inside[XENC + "EncryptionMethod"], _short_value(entry, texts))


def _key_transport(method: Element, policy: Policy, where: str) -> tuple[str, KeyTransport]:
    uri = policy.check_key_transport(attribute(method, "Algorithm"), where)
    if uri not in _KEY_TRANSPORTS:
        raise not_allowed(uri, where)
    if uri == a.RSA_15:
        only(method)
        return uri, KeyTransport("rsa-1_5")
    only(method, XENC11 + "MGF", DS + "DigestMethod")
    mgf, digest = optional(method, XENC11 + "MGF"), optional(method, DS + "DigestMethod")
    if mgf is None or digest is None:
        raise Rejected("policy.parameter", where=where)
    mgf_name = a.MGFS.get(attribute(mgf, "Algorithm"), "")
    digest_name = a.DIGESTS.get(attribute(digest, "Algorithm"), "")
    policy.check_oaep(digest_name, mgf_name, where)
    return uri, KeyTransport("rsa-oaep", digest_name, mgf_name)


def _certificate_der(info: Element, lookup: CertificateLookup, find: CertificateFinder | None) -> bytes:
    only(info, DS + "X509Data", DS + "RetrievalMethod")
    retrieval = optional(info, DS + "RetrievalMethod")
    if retrieval is not None:
        if len(info) != 1:
            raise broken("KeyInfo")
        return lookup(attribute(retrieval, "URI"))
    data = single(info, DS + "X509Data")
    if find is not None and optional(data, DS + "X509Certificate") is None:
        return find(data)
    return from_base64(text(single(data, DS + "X509Certificate")), where="X509Certificate")
