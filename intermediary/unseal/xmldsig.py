"""XML signatures: reads a ds:Signature in its strict shape, compares digests, verifies the value.

What a reference may point to is the protocol's matter: the caller resolves it to octets. No id is looked up here.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from intermediary.core.faults import Rejected
from intermediary.core.section import digest_of
from intermediary.core.values import Content
from intermediary.unseal import algorithms as a
from intermediary.unseal.algorithms import SignatureScheme
from intermediary.unseal.encoding import from_base64
from intermediary.unseal.nodes import attribute, broken, by_name, children, only, optional, single, text
from intermediary.unseal.policy import Policy
from intermediary.xml import canonical
from intermediary.xml.parser import Element

DS = "{" + a.XMLDSIG + "}"
SIGNATURE = DS + "Signature"

_TRANSFORMS, _DIGEST_METHOD, _DIGEST_VALUE = _IN_REFERENCE = (
    DS + "Transforms",
    DS + "DigestMethod",
    DS + "DigestValue",
)

_HASHES: dict[str, type[hashes.HashAlgorithm]] = {
    "sha1": hashes.SHA1,
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
    "sha3_256": hashes.SHA3_256,
    "sha3_384": hashes.SHA3_384,
    "sha3_512": hashes.SHA3_512,
}


@dataclass(frozen=True, slots=True)
class Reference:
    """One ds:Reference: what it covers, by which transforms, with which digest."""

    uri: str
    transforms: tuple[str, ...]
    digest_uri: str
    digest_name: str
    digest: bytes = field(repr=False)

    def matches(self, octets: Iterable[bytes]) -> bool:
        """Whether the digest is that of these octets, in pieces."""
        digest = hashlib.sha256() if self.digest_name == "sha256" else hashlib.new(self.digest_name)
        for piece in octets:
            digest.update(piece)
        return hmac.compare_digest(digest.digest(), self.digest)

    def matches_content(self, content: Content) -> bool:
        """Whether the digest is that of this content; nothing is hashed twice."""
        if self.digest_name == "sha256":
            return hmac.compare_digest(bytes.fromhex(content.sha256), self.digest)
        return hmac.compare_digest(digest_of(content, self.digest_name), self.digest)


@dataclass(frozen=True, slots=True)
class Signature:
    """A ds:Signature as read; `signed_info` is the canonical form its value was made over."""

    algorithm: str
    scheme: SignatureScheme
    references: tuple[Reference, ...]
    signed_info: bytes = field(repr=False)
    value: bytes = field(repr=False)
    key_info: Element | None = field(repr=False)
    objects: tuple[Element, ...] = field(repr=False)

    @property
    def uris(self) -> tuple[str, ...]:
        """What is covered, in the order of the document."""
        return tuple(reference.uri for reference in self.references)

    @property
    def algorithms(self) -> tuple[str, ...]:
        """The signature's URI and those of its digests."""
        return tuple(dict.fromkeys((self.algorithm, *(reference.digest_uri for reference in self.references))))


def read_signature(
    element: Element, policy: Policy, *, canonical_form: str, max_references: int, where: str
) -> Signature:
    """Reads a ds:Signature; everything unexpected in it is an error, every algorithm is checked first.

    `canonical_form` is the only CanonicalizationMethod the protocol allows (`canonical.INCLUSIVE` or `EXCLUSIVE`). An
    empty reference list, a doubled reference or a part that occurs twice is refused (rules R1, R5).
    """
    only(element, DS + "SignedInfo", DS + "SignatureValue", DS + "KeyInfo", DS + "Object")
    info = single(element, DS + "SignedInfo")
    only(info, DS + "CanonicalizationMethod", DS + "SignatureMethod", DS + "Reference")
    form = single(info, DS + "CanonicalizationMethod")
    if len(form) or attribute(form, "Algorithm") != canonical_form:
        raise Rejected("policy.algorithm", where=where)
    method = single(info, DS + "SignatureMethod")
    algorithm = attribute(method, "Algorithm")
    scheme = policy.check_signature(algorithm, where)
    if len(method):
        raise Rejected("policy.parameter", where=where)
    entries = children(info, DS + "Reference")
    if not entries:
        raise broken("Reference")
    if len(entries) > max_references:
        raise Rejected("osci.limit", where="Reference")
    references = tuple(_reference(entry, policy, where) for entry in entries)
    if len({reference.uri for reference in references}) != len(references):
        raise Rejected("osci.signature.duplicate-reference", where=where)
    octets = canonical.inclusive(info) if canonical_form == canonical.INCLUSIVE else canonical.exclusive(info)
    value = from_base64(text(single(element, DS + "SignatureValue")), where="SignatureValue")
    objects = tuple(children(element, DS + "Object"))
    return Signature(algorithm, scheme, references, octets, value, optional(element, DS + "KeyInfo"), objects)


def retrieval_uri(signature: Signature) -> str:
    """The `#id` of the signer's certificate in KeyInfo: a hint, to be compared with the role's certificate."""
    if signature.key_info is None:
        raise broken("KeyInfo")
    only(signature.key_info, DS + "RetrievalMethod")
    retrieval = single(signature.key_info, DS + "RetrievalMethod")
    if len(retrieval):
        raise broken("RetrievalMethod")
    return attribute(retrieval, "URI")


def verifies(signature: Signature, certificate: x509.Certificate, policy: Policy, where: str) -> bool:
    """Whether the value over SignedInfo is this certificate's; its key is checked against the policy before."""
    key = certificate.public_key()
    digest = _HASHES[signature.scheme.digest]()
    try:
        if isinstance(key, rsa.RSAPublicKey) and signature.scheme.kind != "ecdsa":
            policy.check_signer(key.key_size, _exponent(certificate), where)
            key.verify(signature.value, signature.signed_info, _rsa_padding(signature.scheme, digest), digest)
        elif isinstance(key, ec.EllipticCurvePublicKey) and signature.scheme.kind == "ecdsa":
            if key.curve.name not in policy.curves:
                raise Rejected("policy.key-length", where=where)
            key.verify(_der(signature.value, key), signature.signed_info, ec.ECDSA(digest))
        else:
            return False
    except (InvalidSignature, ValueError):
        return False
    return True


def is_weak(signature: Signature, certificate: x509.Certificate, policy: Policy) -> bool:
    """Whether an algorithm or key verifies but is reported as weak."""
    key = certificate.public_key()
    short = isinstance(key, rsa.RSAPublicKey) and key.key_size < policy.weak_signer_bits
    return short or any(uri in policy.weak for uri in signature.algorithms)


def _reference(entry: Element, policy: Policy, where: str) -> Reference:
    inside = by_name(entry, *_IN_REFERENCE)
    uri = attribute(entry, "URI")
    transforms: tuple[str, ...] = ()
    listed = inside.get(_TRANSFORMS)
    if listed is not None:
        only(listed, DS + "Transform")
        transforms = tuple(attribute(one, "Algorithm") for one in listed)
        if not transforms:
            raise broken("Transforms")
    if len(transforms) > policy.max_transforms:
        raise Rejected("osci.limit", where="Transform")
    method, value = inside.get(_DIGEST_METHOD), inside.get(_DIGEST_VALUE)
    if method is None or len(method):
        raise broken("DigestMethod")
    if value is None:
        raise broken("DigestValue")
    digest_uri = attribute(method, "Algorithm")
    digest_name = policy.check_digest(digest_uri, where)
    return Reference(uri, transforms, digest_uri, digest_name, from_base64(text(value), where="DigestValue"))


@lru_cache(maxsize=1024)
def _exponent(certificate: x509.Certificate) -> int:
    key = certificate.public_key()
    return key.public_numbers().e if isinstance(key, rsa.RSAPublicKey) else 0


def _rsa_padding(scheme: SignatureScheme, digest: hashes.HashAlgorithm) -> padding.AsymmetricPadding:
    if scheme.kind == "rsa-pkcs1":
        return padding.PKCS1v15()
    return padding.PSS(padding.MGF1(digest), digest.digest_size)


def _der(value: bytes, key: ec.EllipticCurvePublicKey) -> bytes:
    """XML signatures carry r‖s in fixed length; the library wants the ASN.1 form."""
    half = (key.curve.key_size + 7) // 8
    if len(value) != 2 * half:
        raise ValueError("length")
    return encode_dss_signature(int.from_bytes(value[:half], "big"), int.from_bytes(value[half:], "big"))
