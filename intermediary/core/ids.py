"""Identities: parsed once at the border, derived where they must repeat."""

from __future__ import annotations

import re
import uuid
from typing import Self

_LEIKA = re.compile(r"99[0-9]{12}")
_KENNUNG = re.compile(r"[a-z][a-z0-9]{1,9}:[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?")
_AGS = re.compile(r"ags:[0-9]{8}")
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


class LeikaId(str):
    """Key of a public service in the Leistungskatalog: 14 digits, beginning with 99."""

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        if not _LEIKA.fullmatch(text):
            raise ValueError("a LeikaId has 14 digits and begins with 99")
        return super().__new__(cls, text)


class Behoerdenkennung(str):
    """Key of an authority as in the DVDV: prefix, colon, key (`ags:05513000`, `dbs:010070010000`).

    The prefix is lower case; an `ags` has 8 digits. Other prefixes are the lists of their owners and not looked into.
    """

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        if not _KENNUNG.fullmatch(text) or (text.startswith("ags:") and not _AGS.fullmatch(text)):
            raise ValueError('a Behoerdenkennung is a prefix, a colon and a key, as "ags:05513000" (8 digits)')
        return super().__new__(cls, text)


class Name(str):
    """Name of something configured (Mandant, channel, route, target): lower case, digits, `-` and `_`, at most 63."""

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        if not _NAME.fullmatch(text):
            raise ValueError("a name has 1 to 63 of a-z, 0-9, - and _, and begins with a letter or digit")
        return super().__new__(cls, text)


def nachricht_id(installation: uuid.UUID, *, mandant: str, message_id: str, body_sha256: str, account: str = "") -> str:
    """Id of a Nachricht: the same submission of the same sender taken twice has the same id (promise G13)."""
    sender = f"\n{account}" if account else ""
    return str(uuid.uuid5(installation, f"nachricht\n{mandant}\n{message_id}\n{body_sha256}{sender}"))


def zustellung_key(installation: uuid.UUID, *, nachricht_id: str, target: str, redelivery: int) -> str:
    """Idempotency key of a Zustellung (promise G3): independent of content, mapping and attempt."""
    return str(uuid.uuid5(installation, f"zustellung\n{nachricht_id}\n{target}\n{redelivery}"))


def derived_id(key: str, path: str) -> str:
    """Id of something inside an output: UUIDv5 of the Nachricht's key and the place, so that a retry repeats it."""
    return str(uuid.uuid5(uuid.UUID(key), path))
