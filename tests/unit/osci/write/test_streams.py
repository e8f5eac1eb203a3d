"""Large attachments: read from a Content a piece at a time, to the same message, in little memory."""

from __future__ import annotations

import hashlib
import io
import tracemalloc
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intermediary.core.values import MemoryContent
from intermediary.osci.write import Attachment, Cipher, SignatureMethod, Symmetric, seal, seal_to
from intermediary.osci.write.markup import base64_lines
from intermediary.osci.write.octets import base64_length, base64_pieces, length, pieces
from tests.unit.osci.write import plain

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
MIB = 1024 * 1024


class Zeros(io.RawIOBase):
    """That many zero bytes."""

    def __init__(self, count: int) -> None:
        self.left = count

    def read(self, size: int = -1) -> bytes:
        taken = min(self.left, size)
        self.left -= taken
        return bytes(taken)


class Large:
    """A Content that is nowhere."""

    def __init__(self, count: int) -> None:
        self.length = count
        digest = hashlib.sha256()
        for _ in range(count // MIB):
            digest.update(bytes(MIB))
        self.sha256 = digest.hexdigest()

    def open(self) -> Zeros:
        return Zeros(self.length)

    def read(self) -> bytes:
        raise AssertionError("nobody may hold all of it")


@pytest.mark.parametrize("base64", [True, False], ids=["base64", "raw"])
@pytest.mark.parametrize("symmetric", [*Symmetric, None], ids=lambda one: one.name if one else "open")
def test_a_stream_is_sealed_as_bytes_are(pki, letter, randomness, symmetric, base64):
    """Whatever the cipher, an attachment that is a Content opens to the same, under signatures that verify."""
    cipher = None if symmetric is None else Cipher(symmetric, base64=base64)
    data = bytes(range(256)) * 9001
    letter = replace(
        letter,
        attachments=(Attachment("gross.bin", "application/octet-stream", MemoryContent(data), base64),),
        content_cipher=cipher,
        attachment_cipher=cipher or Cipher(),
        transport_cipher=cipher,
        content_signatures=(SignatureMethod.PSS_SHA512,),
    )
    file = io.BytesIO()
    count = seal_to(file, letter, parties=pki.parties, random=randomness, now=NOW)
    message = file.getvalue()
    private = pki.members["recipient-cipher"].private
    inner = message if cipher is None else plain.open_transport(message, private)
    box = plain.container(inner, pki.members["reader-cipher"].private)
    wire = {part.name: part.data for part in plain.split(inner)[1:]}
    transport = plain.envelope(inner).find("soap:Header/osci:ClientSignature/ds:Signature", plain.NS)
    announced = dict(plain.split(inner)[1].headers)["Content-Length"]

    assert len(message) == count
    assert {"gross.bin": data} == plain.attachments(inner, box)
    assert str(len(plain.split(inner)[1].body)) == announced
    assert plain.is_signature_good(transport, pki.members["intermediary-signature"].certificate, wire)
    author = pki.members["author-signature"].certificate
    assert plain.is_signature_good(box.find("ds:Signature", plain.NS), author, {"gross.bin": data})


def test_in_the_open_the_bytes_are_the_same(pki, letter, now):
    """Without wrapped keys, which draw their own randomness, stream and bytes give one and the same message."""
    letter = replace(letter, content_cipher=None, transport_cipher=None)
    streamed = tuple(replace(one, data=MemoryContent(one.data)) for one in letter.attachments)
    once, again = (
        seal(replace(letter, attachments=attachments), parties=pki.parties, random=bytes, now=now)
        for attachments in (letter.attachments, streamed)
    )

    assert once == again


def test_memory_does_not_grow_with_the_attachment(pki, letter, randomness):
    """64 MiB through both encryptions and both signatures take less than 16 MiB."""
    large = Attachment("gross.bin", "application/octet-stream", Large(64 * MIB))
    letter = replace(letter, attachments=(large,))
    sink = Sink()
    tracemalloc.start()
    try:
        written = seal_to(sink, letter, parties=pki.parties, random=randomness, now=NOW)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert written > 64 * MIB
    assert written == sink.count
    assert sink.largest < 2 * MIB
    assert peak < 16 * MIB


class Sink(io.RawIOBase):
    """Counts what is written to it."""

    def __init__(self) -> None:
        self.count = self.largest = 0

    def write(self, data: bytes) -> int:
        self.count += len(data)
        self.largest = max(self.largest, len(data))
        return len(data)


@given(cuts=st.lists(st.binary(max_size=150), max_size=8))
def test_base64_in_pieces_is_base64_at_once(cuts):
    """However the bytes are cut, the lines are the same and their number of bytes is known before."""
    data = b"".join(cuts)
    written = b"".join(base64_pieces(cuts))

    assert base64_lines(data).encode() == written
    assert base64_length(len(data)) == len(written)


@pytest.mark.parametrize("size", [0, 1, MIB - 1, MIB, 2 * MIB + 1])
def test_octets_are_the_same_in_any_form(size):
    """Bytes and a Content of them have one length and one sequence of bytes."""
    data = b"x" * size

    for octets in (data, MemoryContent(data)):
        assert size == length(octets)
        assert data == b"".join(pieces(octets))
