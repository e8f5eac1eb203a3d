"""MessageIDs and iterator ids of ours: made without a memory, recognised by a mark that only this installation can make."""

from __future__ import annotations

import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from collections.abc import Callable
from uuid import UUID

Marks = Callable[[str], tuple[str, ...]]
"""Keyed hashes of a text (hex), under the current key first; the same on every host and after every restart."""

_RANDOM_BYTES = 9
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ITERATOR = "urn:xta:iterator:"


class Ids:
    """The ids of one server; `name` stands in them and must never change."""

    def __init__(self, name: str, marks: Marks) -> None:
        self._prefix = f"urn:de:xta:messageid:{name}:"
        self._marks = marks

    def create(self, account: str, random: Callable[[int], bytes]) -> str:
        """A MessageID that only this account may use. Nothing is kept: that it is ours, and whose, is in the id."""
        octets = bytearray(random(_RANDOM_BYTES))
        octets[6] = octets[6] & 0x0F | 0x80
        octets[8] = octets[8] & 0x3F | 0x80
        head = bytes(octets)
        return self._prefix + str(UUID(bytes=head + _tails(self._marks(_created(account, head)))[0]))

    def is_usable(self, message_id: str, account: str) -> bool:
        """Whether the account may send under this id: one it was given here, or one that is not in our name."""
        key = self.key_of(message_id)
        if key is None:
            return not message_id.startswith(self._prefix)
        octets = UUID(key).bytes
        head, tail = octets[:_RANDOM_BYTES], octets[_RANDOM_BYTES:]
        return any(hmac.compare_digest(tail, one) for one in _tails(self._marks(_created(account, head))))

    def of_zustellung(self, key: str) -> str:
        """The MessageID under which a Zustellung lies in a box: always the same."""
        return self._prefix + key

    def key_of(self, message_id: str) -> str | None:
        """The key in a MessageID of ours."""
        key = message_id.removeprefix(self._prefix)
        return key if key != message_id and _UUID.fullmatch(key) else None

    def iterator(self, account: str, random: Callable[[int], bytes]) -> str:
        """A new MsgBoxRequestID of this account."""
        head = random(_RANDOM_BYTES)
        return _ITERATOR + urlsafe_b64encode(head + _tails(self._marks(_iterated(account, head)))[0]).decode().rstrip(
            "="
        )

    def is_iterator(self, request_id: str, account: str) -> bool:
        """Whether this account was given the id here, be its iterator alive or not."""
        text = request_id.removeprefix(_ITERATOR)
        try:
            octets = urlsafe_b64decode(text + "=" * (-len(text) % 4))
        except (ValueError, Error):
            return False
        head, tail = octets[:_RANDOM_BYTES], octets[_RANDOM_BYTES:]
        if text == request_id or len(octets) != 16:
            return False
        return any(hmac.compare_digest(tail, one) for one in _tails(self._marks(_iterated(account, head))))


def _created(account: str, head: bytes) -> str:
    return f"xta/message-id/1\n{account}\n{head.hex()}"


def _iterated(account: str, head: bytes) -> str:
    return f"xta/iterator/1\n{account}\n{head.hex()}"


def _tails(marks: tuple[str, ...]) -> list[bytes]:
    return [bytes.fromhex(mark)[: 16 - _RANDOM_BYTES] for mark in marks]
