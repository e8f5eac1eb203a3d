"""What is to be sealed: the letter, the parties and the protection they choose."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from cryptography import x509

from intermediary.keys.identity import SignatureKey
from intermediary.osci.write.algorithms import Cipher, SignatureMethod
from intermediary.osci.write.attachment import Attachment
from intermediary.osci.write.metadata import MetaData

MessageType = Literal[
    "AcceptDelivery", "ProcessDelivery", "StoreDelivery", "ForwardDelivery", "ResponseToFetchDelivery"
]
TO_INTERMEDIARY = frozenset({"StoreDelivery", "ForwardDelivery"})

USUAL_CIPHER = Cipher()


@dataclass(frozen=True, slots=True)
class Identity:
    """A certificate, with its signature key where the writer acts for its owner; readers need none."""

    certificate: x509.Certificate
    key: SignatureKey | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parties:
    """Who takes part (§1). The first authors sign, all readers can open; either may be another role as well."""

    originator_cipher: Identity
    originator_signature: Identity
    intermediary_cipher: Identity
    intermediary_signature: Identity
    addressee_cipher: Identity
    authors: tuple[Identity, ...]
    readers: tuple[Identity, ...]


@dataclass(frozen=True, slots=True)
class ProcessCard:
    """Time stamps of the Laufzettel (§14); `inspected_at` is when the intermediary checked the certificates."""

    created_at: datetime
    forwarded_at: datetime
    inspected_at: datetime


@dataclass(frozen=True, slots=True)
class Dialog:
    """Where a message stands in a dialog (§7): `response` is the partner's challenge, `conversation_id` all digits."""

    conversation_id: str
    sequence_number: int
    response: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One message with one content container.

    The defaults are the usual EfA application: everything AES-256-GCM and OAEP-SHA-256, signed by author and transport.
    `None` or an empty tuple switches a protection off. `content_signatures` are made by the parties' authors in order.
    `attachment_cipher` counts only where the container is encrypted. `process_card` defaults to moments before `now`.
    `features` writes the FeatureDescription. Responses need a `dialog`; `feedback` are code and text.
    """

    message_id: str
    contents: tuple[bytes, ...] = field(repr=False)
    subject: str = field(default="", repr=False)
    attachments: tuple[Attachment, ...] = ()
    message_type: MessageType = "AcceptDelivery"
    content_cipher: Cipher | None = USUAL_CIPHER
    attachment_cipher: Cipher = USUAL_CIPHER
    content_signatures: tuple[SignatureMethod, ...] = (SignatureMethod.RSA_SHA256,)
    signing_time: datetime | None = None
    transport_cipher: Cipher | None = USUAL_CIPHER
    transport_signature: SignatureMethod | None = SignatureMethod.RSA_SHA256
    metadata: MetaData | None = None
    process_card: ProcessCard | None = None
    features: bool = True
    dialog: Dialog | None = None
    feedback: tuple[tuple[str, str], ...] = (("0801", "Auftrag ausgeführt, Dialog weiterhin geöffnet"),)
    content_receiver: str = "https://postfach.example/osci"
    message_id_response: str = ""

    def __post_init__(self) -> None:
        names = [attachment.name for attachment in self.attachments]
        if len(set(names)) != len(names):
            raise ValueError("two attachments with the same name")
        if self.message_type.startswith("ResponseTo") and self.dialog is None:
            raise ValueError("a response stands in a dialog")
