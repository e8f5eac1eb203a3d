"""Who talks to whom: one Mandant's keys on our side, one intermediary on the other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from intermediary.core.faults import Misconfigured
from intermediary.keys.identity import SignatureKey
from intermediary.keys.partners import Partner
from intermediary.keys.ring import Keyring
from intermediary.osci.write import CertificateList, Cipher, SignatureMethod, list_certificates
from intermediary.unseal.circumstances import NOBODY, Circle
from intermediary.unseal.policy import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """Our side of a dialog: the keys that open answers, the certificate that names us, the key that signs requests.

    `cipher` is the certificate of the post box. Without `signer` requests are unsigned, and so may answers be. `policy`
    governs the transport of answers, with the exceptions of the partners in `circle`.
    """

    keyring: Keyring = field(repr=False)
    policy: Policy
    circle: Circle = NOBODY
    cipher: x509.Certificate = field(repr=False)
    signer: SignatureKey | None = field(default=None, repr=False)

    @property
    def method(self) -> SignatureMethod:
        """How requests are signed: what every OSCI 1.2 library verifies, PSS where the policy is strict."""
        if self.signer is not None and isinstance(self.signer.certificate.public_key(), ec.EllipticCurvePublicKey):
            return SignatureMethod.ECDSA_SHA256
        return SignatureMethod.PSS_SHA256 if self.policy.name == "strict" else SignatureMethod.RSA_SHA256

    def certificates(
        self, *, addressee: x509.Certificate | None = None, readers: Iterable[x509.Certificate] = ()
    ) -> CertificateList:
        """The certificate blocks of a request: we are its originator, and author of what it carries."""
        return list_certificates(
            originator_cipher=self.cipher,
            originator_signature=None if self.signer is None else self.signer.certificate,
            addressee_cipher=addressee,
            readers=tuple(readers),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Intermediary:
    """The other side: `cipher` is what requests are encrypted for, `signatures` (DER) are those its answers may have.

    `kennung` names it in faults and logs. Without `signatures` any signer counts whom the keyring trusts.
    """

    kennung: str
    cipher: x509.Certificate = field(repr=False)
    signatures: frozenset[bytes] = field(default=frozenset(), repr=False)
    protection: Cipher = field(default=Cipher())


def intermediary_of(partner: Partner) -> Intermediary:
    """The intermediary a partner of the directory is; `Misconfigured("dialog.key.missing")` if it lacks something."""
    if not partner.endpoint or not partner.cipher:
        raise Misconfigured("dialog.key.missing", where=f"partner {partner.kennung}")
    return Intermediary(
        kennung=partner.kennung,
        cipher=partner.cipher[0],
        signatures=frozenset(certificate.public_bytes(Encoding.DER) for certificate in partner.signature),
    )


def parties_of(keyring: Keyring, policy: Policy, circle: Circle, *, where: str) -> tuple[Party, ...]:
    """One party for each key of the ring that decrypts, in its order: the first is the current one.

    All sign with the ring's first signature key. `Misconfigured("dialog.key.missing")` if none decrypts.
    """
    found = tuple(
        Party(keyring=keyring, policy=policy, circle=circle, cipher=certificate, signer=keyring.signature_key())
        for certificate in keyring.certificates()
        if keyring.has_key(certificate.public_bytes(Encoding.DER)) and _is_for_encryption(certificate)
    )
    if not found:
        raise Misconfigured("dialog.key.missing", where=where)
    return found


def _is_for_encryption(certificate: x509.Certificate) -> bool:
    """A key ring may hold keys to sign with too; a certificate that says nothing of its usage is for anything."""
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return True
    return usage.key_encipherment or usage.data_encipherment
