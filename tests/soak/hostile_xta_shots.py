"""The requests that `hostile_xta` shoots: large, wide, deep, without end; all are refused before anything is taken.

The large cases of the hostile corpus that name an XTA door; MTOM parts and Base64 beyond the rule of 40 MB; bodies without
end, in large chunks and in chunks of one byte; parts, elements, attributes and ids by the hundred thousand; depth a million.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import repeat

from bench.noise import Noise
from intermediary.testing.xta import sample_container, sample_order
from intermediary.testing.xta_site import OWN, XTA_SERVICE
from intermediary.unseal.xta.container import ContentContainer, Piece
from intermediary.unseal.xta.names import MAX_ENTITY_BYTES
from intermediary.unseal.xta.values import Party
from intermediary.wiring import utc_now
from intermediary.xta.wire.entity import OutgoingMessage, request_addressing, write_entity
from intermediary.xta.wire.metadata import write_metadata
from intermediary.xta.wire.operations import GET_STATUS_LIST, SEND_MESSAGE
from tests.evil.corpus import attacks

MEBIBYTE = 1024 * 1024
HOSTILE = "prt:0000000009"
SOAP = "application/soap+xml; charset=utf-8"
XOP = 'multipart/related; type="application/xop+xml"; start="<r@x>"; start-info="application/soap+xml"; boundary="B"'
_HEAD = b'<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body>'
_TAIL = b"</e:Body></e:Envelope>"
_ROOT = b'--B\r\nContent-Type: application/xop+xml; type="application/soap+xml"\r\nContent-ID: <r@x>\r\n\r\n'


@dataclass(frozen=True)
class Shot:
    """One request: `body` is made anew for each; without `length` it travels in chunks, as they come."""

    name: str
    body: Callable[[], Iterable[bytes]]
    kind: str = SOAP
    action: str = SEND_MESSAGE.action
    port: str = "send"
    length: int | None = None
    ends: frozenset[str] = frozenset({"Sender", "9023"})
    seconds: float = 60.0
    mebibytes: float = 160.0


def _pieces(*contents: bytes | Iterable[bytes]) -> Iterator[bytes]:
    for one in contents:
        yield from ([one] if isinstance(one, bytes) else one)


def _many(piece: bytes, count: int) -> Iterator[bytes]:
    """So many of these, some thousand in one piece."""
    block = max(1, 65536 // len(piece))
    yield from repeat(piece * block, count // block)
    yield piece * (count % block)


def _numbered(template: bytes, count: int) -> Iterator[bytes]:
    """So many of these, each with its number."""
    for begin in range(0, count, 2000):
        yield b"".join(template % number for number in range(begin, min(count, begin + 2000)))


def large(mebibytes: int, *, mtom: bool) -> tuple[Callable[[], Iterable[bytes]], str]:
    """A well-formed order with an attachment of this size, and the type it travels under."""
    piece = Piece(Noise(mebibytes * MEBIBYTE), "application/pdf", "gross.pdf")
    order = replace(sample_order(1, now=utc_now(), service=XTA_SERVICE), author=Party(HOSTILE), reader=Party(OWN))
    made = sample_container(1, now=utc_now())
    message = OutgoingMessage(
        request_addressing(action=SEND_MESSAGE.action, to="", message_id="urn:uuid:1"),
        (write_metadata(order),),
        container=ContentContainer(made.message, (*made.attachments, piece)),
    )
    entity = write_entity(message, random=secrets.token_bytes, mtom=mtom)

    def body() -> Iterator[bytes]:
        with entity.content.open() as stream:
            while block := stream.read(MEBIBYTE):
                yield block

    return body, entity.content_type


def shots() -> Iterator[Shot]:
    """What is sent one after the other."""
    for mebibytes, mtom in ((41, True), (60, True), (90, True), (41, False), (90, False)):
        body, kind = large(mebibytes, mtom=mtom)
        name = f"{mebibytes} MiB {'beside' if mtom else 'inside'}"
        yield Shot(name, body, kind, ends=frozenset({"9023"}))
    text = repeat(b"A" * MEBIBYTE)
    yield Shot("no end", lambda: _pieces(_HEAD, b"<a>", text), ends=frozenset({"9023"}))
    yield Shot("no end of a part", lambda: _pieces(_ROOT, text), XOP, ends=frozenset({"9023"}))
    yield Shot("announced 1 TiB", lambda: repeat(b"A" * 1024, 4), length=1 << 40, ends=frozenset({"9023"}), seconds=10)
    yield Shot("chunks of one byte", lambda: _pieces(_HEAD, repeat(b"A", 300_000), _TAIL), seconds=240)
    yield Shot("two million parts", lambda: _pieces(_ROOT, _HEAD, _TAIL, _many(b"\r\n--B\r\n\r\n", 2_000_000)), XOP)
    named = b"\r\n--B\r\nContent-ID: <p%d@x>\r\n\r\nAAAA"
    yield Shot("many named parts", lambda: _pieces(_ROOT, _HEAD, _TAIL, _numbered(named, 400_000), b"\r\n--B--"), XOP)
    yield Shot("no delimiter", lambda: _pieces(_ROOT, _HEAD, _TAIL, _many(b"\r\n--C\r\n", 6_000_000)), XOP)
    yield Shot("a million deep", lambda: _pieces(_HEAD, _many(b"<a>", 10**6), _many(b"</a>", 10**6), _TAIL))
    yield Shot("a million deep, header", lambda: _pieces(_HEAD.replace(b"Body", b"Header"), _many(b"<a>", 10**6)))
    yield Shot("fourteen million wide", lambda: _pieces(_HEAD, b"<b>", _many(b"<a/>", 14 * 10**6), b"</b>", _TAIL))
    yield Shot("a million attributes", lambda: _pieces(_HEAD, b"<b", _numbered(b' a%d=""', 10**6), b"/>", _TAIL))
    yield Shot("a million namespaces", lambda: _pieces(_HEAD, b"<b", _numbered(b' xmlns:a%d="u"', 10**6), b"/>", _TAIL))
    yield Shot("one name of 60 MiB", lambda: _pieces(_HEAD, b"<", _many(b"a" * MEBIBYTE, 60), b"/>", _TAIL))
    yield Shot("a comment of 60 MiB", lambda: _pieces(_HEAD, b"<!--", _many(b"a" * MEBIBYTE, 60), b"-->", _TAIL))
    yield Shot("references", lambda: _pieces(_HEAD, b"<b>", _many(b"&#65;", 12 * 10**6), b"</b>", _TAIL))
    box = b'<o:MsgBoxStatusListRequest xmlns:o="http://www.osci.eu/ws/2008/05/transport"><o:MsgSelector>'
    wsa = b'<w:MessageID xmlns:w="http://www.w3.org/2005/08/addressing">urn:%d</w:MessageID>'
    end = b"</o:MsgSelector></o:MsgBoxStatusListRequest>"
    yield Shot(
        "a selector of half a million",
        lambda: _pieces(_HEAD, box, _numbered(wsa, 500_000), end, _TAIL),
        action=GET_STATUS_LIST.action,
        port="msgbox",
    )


def corpus() -> Iterator[Shot]:
    """The large cases of the hostile corpus that name this door."""
    for attack in attacks("XC", "XB", "XD", "XE", "EN", "IC", "NS", "XS", "XT", "SA", "SK", "SC", "ED", "EC"):
        if any(one.startswith("xta.") for one in attack.entry["entry"]) and MEBIBYTE < attack.size <= MAX_ENTITY_BYTES:
            data = attack.data
            ends = frozenset({"Sender", "VersionMismatch", "MustUnderstand", "9023"})
            yield Shot(attack.id, lambda data=data: [data], length=len(data), ends=ends, seconds=attack.seconds + 10)
