"""Writes the response to a delivery: signed and sealed as the request was (digest §5, §12, §17)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from intermediary.keys.identity import SignatureKey
from intermediary.osci.passive.reply import Reply
from intermediary.osci.write.algorithms import Cipher, KeyTransport, SignatureMethod, Symmetric
from intermediary.osci.write.certificates import CertificateList, list_certificates
from intermediary.osci.write.content import Signer
from intermediary.osci.write.contents import Contents, pack_contents
from intermediary.osci.write.message import Control, Outgoing, Protection
from intermediary.osci.write.orders import Answer
from intermediary.osci.write.package import Package
from intermediary.osci.write.writing import write
from intermediary.unseal.algorithms import RSA_15
from intermediary.unseal.osci.feedback import Entry, is_success
from intermediary.unseal.osci.message import OsciMessage
from intermediary.unseal.policy import MAX_RSA_BITS

_LEAST_RSA_BITS = 2048
_MOST_EXPONENT = 1 << 32


@dataclass(frozen=True, slots=True)
class Answering:
    """Writes answers in the name of one Mandant.

    `identity` signs; without one every answer is unsigned, which the intermediary reports as 3802. `own_cipher` is listed
    as our cipher certificate in a response with content.
    """

    identity: SignatureKey | None
    own_cipher: x509.Certificate | None
    random: Callable[[int], bytes] = field(repr=False)

    def write(
        self,
        request: OsciMessage,
        entries: tuple[Entry, ...],
        *,
        signed: bool | None = None,
        business: bytes | None = None,
    ) -> Reply:
        """The ResponseTo… with this feedback. `business` is the content of a ResponseToProcessDelivery.

        `signed` says whether the request was, where the reader could not find out. The request must have passed
        `can_be_sealed_for`.
        """
        was_signed = bool(request.opened.signatures) if signed is None else signed
        signer = self.identity if was_signed else None
        is_process = request.opened.message_type == "ProcessDelivery"
        listed = self._process_parties(request, signer) if is_process else self._accept_parties(signer)
        outgoing = Outgoing(
            kind=f"ResponseTo{request.opened.message_type}",
            control=Control(response=request.control.challenge),
            order=_process_order(request, entries) if is_process else Answer(feedback=entries),
            certificates=listed,
            package=self._package(request, business, listed) if is_process and business is not None else None,
        )
        protection = Protection(
            signer=signer,
            method=_method(signer, request),
            recipient=_client(request) if request.encrypted else None,
            cipher=_cipher(request),
        )
        return Reply(write(outgoing, protection, random=self.random), is_refusal=not is_success(entries))

    def _accept_parties(self, signer: SignatureKey | None) -> CertificateList:
        return list_certificates(addressee_signature=signer.certificate if signer else None)

    def _process_parties(self, request: OsciMessage, signer: SignatureKey | None) -> CertificateList:
        """Roles are swapped: we are the originator now, and the original originator is the addressee."""
        author = signer or self.identity
        return list_certificates(
            originator_cipher=self.own_cipher,
            originator_signature=author.certificate if author else None,
            addressee_cipher=_usable(request, "CipherCertificateOriginator"),
            addressee_signature=_certificate(request, "SignatureCertificateOriginator"),
        )

    def _package(self, request: OsciMessage, business: bytes, listed: CertificateList) -> Package:
        """The Quittung, signed by us and sealed for the originator if they gave a certificate to do so."""
        reader = _usable(request, "CipherCertificateOriginator")
        signers = (Signer(self.identity, _method(self.identity, request)),) if self.identity else ()
        contents = Contents(
            data=(business,), signers=signers, readers=(reader,) if reader else (), cipher=_cipher(request)
        )
        return pack_contents(contents, certificates=listed, random=self.random)


def can_be_sealed_for(request: OsciMessage) -> bool:
    """Whether the request carries a cipher certificate of its sender that an answer can be sealed for (fault 9500)."""
    return _client(request) is not None


def _process_order(request: OsciMessage, entries: tuple[Entry, ...]) -> Answer:
    """MessageId := MessageIdResponse, if the request gave one; the subject comes along only with an id."""
    message_id = request.order.message_id_response
    return Answer(feedback=entries, message_id=message_id, subject=request.order.subject if message_id else "")


def _client(request: OsciMessage) -> x509.Certificate | None:
    return _usable(request, "CipherCertificateIntermediary")


def _usable(request: OsciMessage, role: str) -> x509.Certificate | None:
    """The certificate of a role if something can be encrypted for it."""
    found = _certificate(request, role)
    if found is None:
        return None
    try:
        key = found.public_key()
    except (ValueError, TypeError):  # an algorithm the library does not know
        return None
    # Beyond these the library refuses, or takes long.
    is_good = (
        isinstance(key, RSAPublicKey)
        and _LEAST_RSA_BITS <= key.key_size <= MAX_RSA_BITS
        and key.public_numbers().e < _MOST_EXPONENT
    )
    return found if is_good else None


def _certificate(request: OsciMessage, role: str) -> x509.Certificate | None:
    ders = request.certificates.get(role, ())
    try:
        return x509.load_der_x509_certificate(ders[0]) if ders else None
    except ValueError:
        return None


def _method(signer: SignatureKey | None, request: OsciMessage) -> SignatureMethod:
    """The request's own method if our key can do it, otherwise the usual one of the key."""
    is_curve = signer is not None and isinstance(signer.certificate.public_key(), EllipticCurvePublicKey)
    asked = [one.algorithm for one in request.opened.signatures if one.layer == "transport"]
    if asked and asked[0] in set(SignatureMethod):
        method = SignatureMethod(asked[0])
        if (method.family == "ECDSA") is is_curve:
            return method
    return SignatureMethod.ECDSA_SHA256 if is_curve else SignatureMethod.RSA_SHA256


def _cipher(request: OsciMessage) -> Cipher:
    """The request's algorithms, better ones where the partner says that it can read them (digest §5, §6)."""
    uris = request.opened.algorithms if request.encrypted else ()
    can = request.order.features.versions.keys() if request.order.features else frozenset()
    symmetric = Symmetric(uris[0]) if uris and uris[0] in set(Symmetric) else Symmetric.AES256_GCM
    if not symmetric.is_gcm and "GCMPaddingModus" in can:
        symmetric = Symmetric.AES256_GCM
    is_old_transport = RSA_15 in uris[:2] and "OAEPEncryption" not in can
    return Cipher(
        symmetric=symmetric,
        iv_bytes=12 if "Support96Bit12ByteIV" in can else 16,
        key_transport=KeyTransport.RSA_1_5 if is_old_transport else KeyTransport.OAEP_SHA256,
        base64="DisableBase64" not in can,
    )
