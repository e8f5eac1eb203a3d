"""XML signatures as OSCI 1.2 writes them: references, SignedInfo with significant line feeds, value (§11)."""

from __future__ import annotations

from collections.abc import Sequence

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from intermediary.osci.write.algorithms import C14N, Digest, SignatureMethod
from intermediary.osci.write.letter import Identity
from intermediary.osci.write.markup import FIVE, attribute, base64_lines, element


def digest_of(data: bytes, digest: Digest) -> bytes:
    """The digest of what a reference covers."""
    hasher = hashes.Hash(digest.hash)
    hasher.update(data)
    return hasher.finalize()


def reference(uri: str, data: bytes, *, digest: Digest, transform: str = "") -> str:
    """A ds:Reference; `data` is the digest input, after the named transform."""
    transforms = (
        f'<ds:Transforms>\n<ds:Transform Algorithm="{transform}"></ds:Transform>\n</ds:Transforms>\n'
        if transform
        else ""
    )
    return (
        f'<ds:Reference URI="{attribute(uri)}">\n{transforms}'
        f'<ds:DigestMethod Algorithm="{digest}"></ds:DigestMethod>\n'
        f"<ds:DigestValue>{base64_lines(digest_of(data, digest))}</ds:DigestValue>\n</ds:Reference>\n"
    )


def signature(
    references: Sequence[str], *, method: SignatureMethod, signer: Identity, retrieval_id: str, object_xml: str = ""
) -> str:
    """A ds:Signature for where the five namespaces are in scope; `retrieval_id` names the certificate element."""
    inside = (
        f'\n<ds:CanonicalizationMethod Algorithm="{C14N}"></ds:CanonicalizationMethod>\n'
        f'<ds:SignatureMethod Algorithm="{method}"></ds:SignatureMethod>\n{"".join(references)}'
    )
    value = signature_value(f"<ds:SignedInfo{FIVE}>{inside}</ds:SignedInfo>".encode(), method=method, signer=signer)
    retrieval = element("ds:RetrievalMethod", attributes=f' URI="#{retrieval_id}"')
    return element(
        "ds:Signature",
        element("ds:SignedInfo", inside)
        + element("ds:SignatureValue", base64_lines(value))
        + element("ds:KeyInfo", retrieval)
        + object_xml,
    )


def signature_value(data: bytes, *, method: SignatureMethod, signer: Identity) -> bytes:
    """Signs the canonical SignedInfo. ECDSA is deterministic (RFC 6979) and comes out as r‖s; PSS salts are random."""
    hasher, key = method.digest.hash, signer.key
    if isinstance(key, rsa.RSAPrivateKey) and method.family == "RSA":
        return key.sign(data, padding.PKCS1v15(), hasher)
    if isinstance(key, rsa.RSAPrivateKey) and method.family == "PSS":
        return key.sign(data, padding.PSS(padding.MGF1(hasher), hasher.digest_size), hasher)
    if isinstance(key, ec.EllipticCurvePrivateKey) and method.family == "ECDSA":
        r, s = decode_dss_signature(key.sign(data, ec.ECDSA(hasher, deterministic_signing=True)))
        size = (key.key_size + 7) // 8
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")
    raise ValueError(f"the signer has no key for {method.name}")
