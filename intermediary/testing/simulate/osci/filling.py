"""Fills a post box with made-up applications, through the front door: an id for each, then a StoreDelivery."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from intermediary.core.values import MemoryContent
from intermediary.keys.private import DecryptionKey
from intermediary.keys.ring import Keyring
from intermediary.osci.write import (
    Control,
    DialogRequest,
    Letter,
    Outgoing,
    Protection,
    Random,
    list_certificates,
    seal,
    write,
)
from intermediary.testing.pki import Pki
from intermediary.testing.samples import sample_letter
from intermediary.unseal.osci.feedback import is_success
from intermediary.unseal.osci.message import OsciMessage, open_message
from intermediary.unseal.policy import profile

Ask = Callable[[bytes], bytes]
"""Sends a body to the intermediary and gives its answer's."""


class NotStored(Exception):
    """The simulator did not take a sample; the message is its feedback."""


class Filler:
    """The online service of the samples: asks for ids and stores, signed and encrypted, in implicit dialogs."""

    def __init__(self, pki: Pki, ask: Ask, *, random: Random, clock: Callable[[], datetime]) -> None:
        self._pki = pki
        self._ask = ask
        self._random = random
        self._clock = clock
        own = pki.members["originator-cipher"]
        self._keyring = Keyring([DecryptionKey(own.private, own.certificate)])

    def fill(self, count: int, *, first: int = 0) -> tuple[str, ...]:
        """Stores the samples `first`, `first + 1`, … for the keyring's post box; their ids. NotStored if one is not."""
        return tuple(
            self.store(sample_letter(number, now=self._clock())).order.cards[-1].message_id
            for number in range(first, first + count)
        )

    def store(self, letter: Letter) -> OsciMessage:
        """One letter under a new id, as StoreDelivery; the answer to it."""
        stored = replace(letter, message_type="StoreDelivery", message_id=self.new_id())
        body = seal(stored, parties=self._pki.parties, random=self._random, now=self._clock())
        return self._answered(body)

    def forward(self, letter: Letter, receiver: str) -> OsciMessage:
        """One letter under a new id, as ForwardDelivery to a passive recipient; the answer, whatever it says."""
        sent = replace(letter, message_type="ForwardDelivery", message_id=self.new_id(), content_receiver=receiver)
        return self._opened(seal(sent, parties=self._pki.parties, random=self._random, now=self._clock()))

    def new_id(self) -> str:
        """An id from GetMessageId."""
        cipher, signer = self._pki.members["originator-cipher"], self._pki.members["originator-signature"]
        asked = Outgoing(
            kind="GetMessageId",
            control=Control(challenge=self._random(10), sequence_number=0),
            order=DialogRequest(),
            certificates=list_certificates(
                originator_cipher=cipher.certificate, originator_signature=signer.certificate
            ),
        )
        protection = Protection(signer=signer.key, recipient=self._pki.members["intermediary-cipher"].certificate)
        return self._answered(write(asked, protection, random=self._random)).order.message_id

    def _answered(self, body: bytes) -> OsciMessage:
        answer = self._opened(body)
        if not is_success(answer.order.entries):
            raise NotStored(" ".join(answer.order.feedback))
        return answer

    def _opened(self, body: bytes) -> OsciMessage:
        raw = MemoryContent(self._ask(body))
        return open_message(raw, keyring=self._keyring, policy=profile("osci"), at=self._clock(), role="client")
