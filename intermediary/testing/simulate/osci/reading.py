"""Requests as the intermediary reads them: strictly, by the product's own reader; and what they carry for others."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from intermediary.core.faults import Rejected
from intermediary.core.values import MemoryContent
from intermediary.keys.ring import Keyring
from intermediary.testing.simulate.osci.opening import without_envelope
from intermediary.unseal import mime
from intermediary.unseal.osci.cards import Order, read_order
from intermediary.unseal.osci.certificates import Certificates, parsed
from intermediary.unseal.osci.control import ControlBlock
from intermediary.unseal.osci.message import OsciMessage, open_transport
from intermediary.unseal.osci.names import KINDS, OSCI
from intermediary.unseal.osci.structure import CONTROL_BLOCK, Structure, message_type, read_structure
from intermediary.unseal.policy import Policy
from intermediary.unseal.refusal import NotOpened
from intermediary.xml.parser import parse

ORDER_LEVEL = frozenset({"9600", "9601", "9602"})
"""What is said in the feedback of an ordinary answer; every other refusal of the reader is a SOAP fault (digest §15)."""
_IN_DIALOG = frozenset({"FetchDelivery", "FetchProcessCard", "MediateDelivery", "ExitDialog"})


class Unreadable(Exception):
    """A request that gets a SOAP fault with this code."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Request:
    """A request that could be read. `refusal` is the code of what is wrong with its signature, empty if nothing is.

    `plain` is the message without transport encryption, `ciphers` are the algorithm URIs of the encryption around it
    (empty: it came in the open). `client` is the certificate to encrypt answers for; in a dialog it may be left out.
    """

    kind: str
    control: ControlBlock
    order: Order
    client: x509.Certificate | None
    certificates: dict[str, tuple[bytes, ...]] = field(repr=False)
    is_signed: bool
    ciphers: tuple[str, ...]
    plain: bytes = field(repr=False)
    refusal: str = ""

    def certificate(self, role: str) -> x509.Certificate | None:
        """The first certificate of a role, by the local name of its element."""
        found = self.certificates.get(role)
        return parsed(found[0]) if found else None


class Reader:
    """Reads requests with the intermediary's own keys. One per simulator; holds no state."""

    def __init__(self, keyring: Keyring, policy: Policy) -> None:
        self._keyring = keyring
        self._policy = policy

    def read(self, raw: bytes, at: datetime) -> Request:
        """Reads and verifies one request to the intermediary. Unreadable for everything that gets a SOAP fault."""
        refusal, lacks_dialog = "", False
        try:
            open_transport(MemoryContent(raw), keyring=self._keyring, policy=self._policy, at=at)
        except NotOpened as fault:
            refusal, lacks_dialog = fault.osci_code or "9100", _lacks_dialog(fault)
            if refusal not in ORDER_LEVEL and not lacks_dialog:
                raise Unreadable(refusal) from fault
        plain, ciphers = without_envelope(raw, self._keyring)
        structure = structure_of(plain)
        if structure.kind.is_response or structure.kind.door == "passive":
            raise Unreadable("9300")
        control = _control(structure)
        if lacks_dialog and control.conversation_id is not None:
            raise Unreadable("9400")
        certificates = Certificates(structure).roles()
        found = certificates.get("CipherCertificateOriginator")
        return Request(
            kind=structure.kind.name,
            control=control,
            order=read_order(structure),
            client=parsed(found[0]) if found else None,
            certificates=certificates,
            is_signed=structure.signature is not None,
            ciphers=ciphers,
            plain=plain,
            refusal=refusal if refusal in ORDER_LEVEL else "",
        )

    def read_answer(self, raw: bytes, at: datetime) -> tuple[OsciMessage, bytes]:
        """A passive recipient's answer, and what it is without transport encryption. Raises `NotOpened`."""
        message = open_transport(MemoryContent(raw), keyring=self._keyring, policy=self._policy, at=at)
        return message, without_envelope(raw, self._keyring)[0]


def box_of(certificate: x509.Certificate) -> str:
    """A post box is named by the SHA-256 of its owner's cipher certificate."""
    return certificate.fingerprint(hashes.SHA256()).hex()


def structure_of(plain: bytes) -> Structure:
    """The frame of a message in the open; Unreadable if it has none."""
    envelope = parse(mime.read(plain).root.data)
    kind = message_type(envelope)
    if kind not in KINDS:
        raise Unreadable("9300")
    try:
        return read_structure(envelope, kind)
    except Rejected as fault:
        raise Unreadable("9100") from fault


def _lacks_dialog(fault: NotOpened) -> bool:
    """Without ConversationId and Response a fetch is refused with 9802 in an ordinary answer, not with a fault."""
    kind = fault.known.message_type if fault.known is not None else ""
    return fault.code == "osci.control-block" and kind in _IN_DIALOG and fault.where in ("Response", "ConversationId")


def _control(structure: Structure) -> ControlBlock:
    """The control block as it is; what its kind demands was judged before, or is judged by the dialog."""
    block = structure.block(CONTROL_BLOCK)
    if block is None:
        raise Unreadable("9400")
    sequence = block.get("SequenceNumber") or ""
    return ControlBlock(
        response=_stripped(block.findtext(OSCI + "Response")),
        challenge=_stripped(block.findtext(OSCI + "Challenge")),
        conversation_id=block.get("ConversationId"),
        sequence_number=int(sequence) if sequence.isascii() and sequence.isdigit() and len(sequence) < 10 else None,
    )


def _stripped(value: str | None) -> str | None:
    return None if value is None else value.strip()
