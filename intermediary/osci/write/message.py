"""What is to be written: one message of any type, and how its transport is protected."""

from __future__ import annotations

from dataclasses import dataclass

from cryptography import x509

from intermediary.keys.identity import SignatureKey
from intermediary.osci.write.algorithms import Cipher, SignatureMethod
from intermediary.osci.write.block import Block
from intermediary.osci.write.certificates import CertificateList
from intermediary.osci.write.orders import Order, check_order
from intermediary.osci.write.package import Package
from intermediary.unseal.osci.names import KINDS, Kind
from intermediary.unseal.osci.partial import Features

OWN_FEATURES = Features(
    versions={
        "DisableBase64": "1.2.0",
        "OAEPEncryption": "1.6.0",
        "SHA3HashAlgo": "1.6.3",
        "GCMPaddingModus": "1.7.0",
        "PartialMessageTransmission": "1.8.0",
        "Support96Bit12ByteIV": "1.9.0",
    }
)
"""What this implementation can do, without limits."""

_CONTROL = (
    ("response", "Response"),
    ("challenge", "Challenge"),
    ("conversation_id", "ConversationId"),
    ("sequence_number", "SequenceNumber"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """The control block (§7). What must and must not stand there depends on the kind of message.

    Challenge and Response are opaque: bytes are written as Base64, text as it is, so that the partner's challenge comes
    back the way it was written. `conversation_id` consists of digits.
    """

    response: bytes | str | None = None
    challenge: bytes | str | None = None
    conversation_id: str | None = None
    sequence_number: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One message before protection; `kind` is its name in digest §7 (`AcceptDelivery`, `ResponseToInitDialog`, …).

    `package` stands in the body of those that carry one; None there is an empty ContentPackage. `features` None leaves
    the FeatureDescription out. `languages` counts in requests. `custom` blocks (made by `custom_block` or
    `metadata_block`) are written as they are. ValueError for what the digest forbids.
    """

    kind: str
    control: Control
    order: Order
    certificates: CertificateList = CertificateList()  # noqa: RUF009  a constant
    package: Package | None = None
    features: Features | None = OWN_FEATURES
    custom: tuple[Block, ...] = ()
    languages: str = "de"

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError("OSCI 1.2 has no such kind of message")
        check_order(self.kind, self.order)
        if self.package is not None and self.spec.body != "package":
            raise ValueError(f"{self.kind} carries no content")
        for rule, (name, element) in zip(self.spec.control, _CONTROL, strict=True):
            value = getattr(self.control, name)
            if (rule == "r" and value in (None, "", b"")) or (rule == "-" and value is not None):
                raise ValueError(f"{element} {'is required' if rule == 'r' else 'is forbidden'} in {self.kind}")

    @property
    def spec(self) -> Kind:
        """What the digest says of this kind of message."""
        return KINDS[self.kind]


@dataclass(frozen=True, slots=True, kw_only=True)
class Protection:
    """How the transport is protected; the default leaves it unsigned and in the open.

    `signer` must own the signature certificate that the message lists for the role that sends this kind (§12.2); `method`
    fits its key. `recipient` is the supplier's cipher certificate for a request, the client's for an answer.
    """

    signer: SignatureKey | None = None
    method: SignatureMethod = SignatureMethod.RSA_SHA256
    recipient: x509.Certificate | None = None
    cipher: Cipher = Cipher()  # noqa: RUF009  a constant


OPEN = Protection()
"""Unsigned and in the open."""
