"""A tiny client written by hand, for the simulator's own tests: it says exactly what a test wants, right or wrong."""

from __future__ import annotations

import base64
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from intermediary.core.values import MemoryContent
from intermediary.keys.entries import Anchor
from intermediary.keys.private import DecryptionKey
from intermediary.keys.ring import Keyring
from intermediary.osci.write import (
    Chunk,
    Control,
    Deposit,
    DialogRequest,
    Fetch,
    Order,
    Outgoing,
    Package,
    Protection,
    Random,
    list_certificates,
    write,
)
from intermediary.testing.pki import Pki
from intermediary.unseal.osci.message import OsciMessage, open_message
from intermediary.unseal.osci.partial import ChunkInformation
from intermediary.unseal.osci.selection import SelectionRule
from intermediary.unseal.policy import profile

DIALOG = DialogRequest()


@dataclass
class SmallClient:
    """One client in at most one dialog. `ask` is the way to the desk; the last answer's bytes are in `raw`."""

    pki: Pki
    send: Callable[[bytes], bytes]
    random: Random
    now: datetime
    role: str = "recipient"
    is_signed: bool = True
    is_encrypted: bool = True
    conversation: str | None = None
    sequence: int = 0
    partner_challenge: str | None = None
    raw: bytes = b""
    asked: Control = field(default_factory=Control)
    _numbers: Any = field(default_factory=itertools.count)

    @property
    def keyring(self) -> Keyring:
        keys = [self.pki.members[name] for name in (f"{self.role}-cipher", "reader-cipher")]
        anchor = Anchor(self.pki.ca, frozenset({"transport", "content"}))
        return Keyring([DecryptionKey(key.private, key.certificate) for key in keys], [anchor])

    def init(self) -> OsciMessage:
        """InitDialog; afterwards the client stands in the dialog."""
        self.conversation, self.sequence, self.partner_challenge = None, 0, None
        answer = self.ask("InitDialog", DIALOG)
        self.conversation = answer.control.conversation_id
        return answer

    def exit(self) -> OsciMessage:
        return self.ask("ExitDialog", DIALOG)

    def new_id(self) -> str:
        return self.ask("GetMessageId", DIALOG).order.message_id

    def fetch(self, *message_ids: str, since: str = "") -> OsciMessage:
        rule = SelectionRule(message_ids=message_ids, received_since=since) if message_ids or since else None
        return self.ask("FetchDelivery", Fetch(selection=rule))

    def cards(self, rule: SelectionRule | None = None, limit: int | None = None) -> OsciMessage:
        return self.ask("FetchProcessCard", Fetch(selection=rule, limit=limit))

    def store_chunk(self, message_id: str, chunk: ChunkInformation | None, package: Package | None) -> OsciMessage:
        return self.ask("PartialStoreDelivery", Chunk(message_id=f"{message_id}_Partial", chunk=chunk), package=package)

    def fetch_chunk(self, number: int, chunk_bytes: int, *received: int, message_id: str = "") -> OsciMessage:
        rule = SelectionRule(message_ids=(message_id,)) if message_id else None
        chunk = ChunkInformation(number=number, chunk_bytes=chunk_bytes, received=received, none_received=not received)
        return self.ask("PartialFetchDelivery", Fetch(selection=rule, chunk=chunk))

    def deposit(self, kind: str, message_id: str, package: Package | None, receiver: str = "") -> OsciMessage:
        return self.ask(kind, Deposit(message_id=message_id, receiver=receiver), package=package)

    def ask(self, kind: str, order: Order, *, package: Package | None = None, **wrong: Any) -> OsciMessage:
        """One request; `wrong` replaces fields of its control block. The answer, read strictly."""
        self.raw = self.send(self.request(kind, order, package=package, **wrong))
        answer = open_message(
            MemoryContent(self.raw), keyring=self.keyring, policy=profile("osci"), at=self.now, role="client"
        )
        self.sequence += 1 if self.conversation is not None else 0
        self.partner_challenge = answer.control.challenge
        return answer

    def request(self, kind: str, order: Order, *, package: Package | None = None, **wrong: Any) -> bytes:
        """The bytes of a request at the client's place in its dialog."""
        cipher, signer = self.pki.members[f"{self.role}-cipher"], self.pki.members[f"{self.role}-signature"]
        challenge = base64.b64encode(self.random(10)).decode("ascii")
        self.asked = Control(challenge=challenge)
        if kind != "InitDialog":
            self.asked = Control(
                challenge=challenge,
                response=self.partner_challenge if self.conversation else None,
                conversation_id=self.conversation,
                sequence_number=self.sequence if self.conversation else 0,
            )
        self.asked = replace(self.asked, **wrong)
        in_dialog = self.conversation is not None
        message = Outgoing(
            kind=kind,
            control=self.asked,
            order=order,
            certificates=list_certificates(
                originator_cipher=None if in_dialog else cipher.certificate,
                originator_signature=signer.certificate if self.is_signed else None,
                addressee_cipher=self.pki.members["recipient-cipher"].certificate if package else None,
                readers=[self.pki.members["reader-cipher"].certificate] if package else [],
                authors=[self.pki.members["author-signature"].certificate] if package else [],
            ),
            package=package,
        )
        intermediary = self.pki.members["intermediary-cipher"].certificate
        protection = Protection(
            signer=signer.key if self.is_signed else None, recipient=intermediary if self.is_encrypted else None
        )
        return write(message, protection, random=self.random)
