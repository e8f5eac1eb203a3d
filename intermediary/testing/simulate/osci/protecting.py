"""The intermediary's own keys, and how its messages are protected: as the request was (digest §5, §12)."""

from __future__ import annotations

from dataclasses import dataclass, field

from cryptography import x509

from intermediary.keys.identity import SignatureKey
from intermediary.osci.write import Cipher, KeyTransport, Listed, Protection, Symmetric, list_certificates
from intermediary.osci.write.algorithms import RSA_1_5
from intermediary.testing.simulate.osci.reading import Request


@dataclass(frozen=True, slots=True)
class Own:
    """The intermediary as signer and as recipient."""

    signer: SignatureKey = field(repr=False)
    cipher: x509.Certificate

    def listed(self, *, with_cipher: bool, with_signature: bool) -> tuple[Listed, ...]:
        """The entries of the block IntermediaryCertificates."""
        return list_certificates(
            intermediary_cipher=self.cipher if with_cipher else None,
            intermediary_signature=self.signer.certificate if with_signature else None,
        ).intermediary

    def protection(self, request: Request, recipient: x509.Certificate | None) -> Protection:
        """Signed if the request was signed, encrypted for the recipient if the request was encrypted."""
        return Protection(
            signer=self.signer if request.is_signed else None,
            recipient=recipient if request.ciphers else None,
            cipher=_like(request),
        )


def _like(request: Request) -> Cipher:
    """The request's own algorithms; CBC becomes AES-256-GCM for who announces it, and the IV has what it can read."""
    features = {} if request.order.features is None else request.order.features.versions
    found = [Symmetric(uri) for uri in request.ciphers if uri in set(Symmetric)]
    symmetric = found[0] if found else Symmetric.AES256_GCM
    if not symmetric.is_gcm and "GCMPaddingModus" in features:
        symmetric = Symmetric.AES256_GCM
    is_old = RSA_1_5 in request.ciphers and "OAEPEncryption" not in features
    return Cipher(
        symmetric=symmetric,
        iv_bytes=12 if not features or "Support96Bit12ByteIV" in features else 16,
        key_transport=KeyTransport.RSA_1_5 if is_old else KeyTransport.OAEP_SHA256,
    )
