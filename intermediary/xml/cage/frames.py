"""What the two ends of a cage say to each other: a JSON header and the byte strings it announces."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

HEAD = 4
MAX_HEAD = 1024 * 1024
Read = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Frame:
    """One message: `head` is what is said, `parts` are the bytes that come with it (documents: never shown)."""

    head: dict[str, Any]
    parts: tuple[bytes, ...] = field(default=(), repr=False)


def pack(head: dict[str, Any], parts: Sequence[bytes] = ()) -> bytes:
    """A frame as bytes."""
    text = json.dumps({**head, "parts": [len(part) for part in parts]}).encode()
    return b"".join((len(text).to_bytes(HEAD, "big"), text, *parts))


def unpack(read: Read, *, most: int) -> Frame:
    """The next frame; `read(n)` gives exactly n bytes or raises.

    Raises `ValueError` when the other end announces more than `most` bytes or says something that is no frame.
    """
    length = int.from_bytes(read(HEAD), "big")
    if length > MAX_HEAD:
        raise ValueError("head")
    head = json.loads(read(length))
    if not isinstance(head, dict):
        raise ValueError("head")
    sizes = head.pop("parts", None)
    if not isinstance(sizes, list) or not all(type(size) is int and size >= 0 for size in sizes) or sum(sizes) > most:
        raise ValueError("parts")
    return Frame(head, tuple(read(size) for size in sizes))
