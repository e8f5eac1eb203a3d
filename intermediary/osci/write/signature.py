"""XML signatures as OSCI 1.2 writes them: references, SignedInfo with significant line feeds, value (§11)."""

from __future__ import annotations

from collections.abc import Sequence

from cryptography.hazmat.primitives import hashes

from intermediary.keys.identity import SignatureKey
from intermediary.osci.write.algorithms import C14N, Digest, SignatureMethod
from intermediary.osci.write.markup import FIVE, attribute, base64_lines, element
from intermediary.osci.write.octets import Octets, Stream, pieces


def digest_of(octets: Octets, digest: Digest) -> bytes:
    """The digest of what a reference covers; a Content knows its SHA-256 already."""
    if digest is Digest.SHA256 and not isinstance(octets, bytes | Stream):
        return bytes.fromhex(octets.sha256)
    hasher = hashes.Hash(digest.hash)
    for piece in pieces(octets):
        hasher.update(piece)
    return hasher.finalize()


def reference(uri: str, data: Octets, *, digest: Digest, transform: str = "") -> str:
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
    references: Sequence[str], *, method: SignatureMethod, signer: SignatureKey, retrieval_id: str, object_xml: str = ""
) -> str:
    """A ds:Signature for where the five namespaces are in scope; `retrieval_id` names the certificate element."""
    inside = (
        f'\n<ds:CanonicalizationMethod Algorithm="{C14N}"></ds:CanonicalizationMethod>\n'
        f'<ds:SignatureMethod Algorithm="{method}"></ds:SignatureMethod>\n{"".join(references)}'
    )
    value = signer.sign(f"<ds:SignedInfo{FIVE}>{inside}</ds:SignedInfo>".encode(), method.scheme)
    retrieval = element("ds:RetrievalMethod", attributes=f' URI="#{retrieval_id}"')
    return element(
        "ds:Signature",
        element("ds:SignedInfo", inside)
        + element("ds:SignatureValue", base64_lines(value))
        + element("ds:KeyInfo", retrieval)
        + object_xml,
    )
