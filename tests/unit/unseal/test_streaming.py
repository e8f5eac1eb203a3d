"""Parts read in pieces and held in spool files: the same bytes, the same refusals, nothing before it is verified."""

from __future__ import annotations

import binascii
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intermediary.core.faults import Rejected
from intermediary.core.section import Section
from intermediary.core.values import Content, MemoryContent
from intermediary.keys.ring import Keyring
from intermediary.keys.spool import Arriving, Spool
from intermediary.osci.write import Letter, Random, seal
from intermediary.testing.pki import Pki
from intermediary.testing.tamper import Damage, tampered
from intermediary.unseal import NotOpened, profile
from intermediary.unseal.algorithms import CIPHERS, Cipher
from intermediary.unseal.cipher import Undecryptable, decrypt_content
from intermediary.unseal.encoding import decode_base64, from_base64
from intermediary.unseal.mime import LIMITS, MimeMessage, read
from intermediary.unseal.osci.message import open_message, open_transport
from tests.unit.core.test_section import Crumbs
from tests.unit.unseal.conftest import NOW
from tests.unit.unseal.test_cipher import CASES, PLAIN, key, sealed
from tests.unit.unseal.test_mime import BOUNDARY, message

MEMORY = Spool(None)


class Watched(Spool):
    """A spool of one byte that tells how many contents it has given out."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, memory_bytes=1)
        self.given: list[Content] = []

    def receive(self, *, hashed: bool = True) -> Arriving:
        arriving = super().receive(hashed=hashed)
        finish = arriving.finish

        def noted() -> Content:
            self.given.append(finish())
            return self.given[-1]

        arriving.finish = noted  # type: ignore[method-assign]
        return arriving


@pytest.mark.parametrize(("cipher", "iv_bytes"), CASES)
@pytest.mark.parametrize("size", [1, 7, 16, 1000])
def test_decrypting_in_pieces(cipher: Cipher, iv_bytes: int, size: int, tmp_path: Path) -> None:
    """Wherever the pieces end, the plaintext is that of the whole."""
    octets = Crumbs(sealed(cipher, iv_bytes), size)

    content = decrypt_content(octets, key(cipher), cipher, iv_bytes, Spool(tmp_path, memory_bytes=1))

    assert (PLAIN, len(PLAIN)) == (content.read(), content.length)


@pytest.mark.parametrize(("cipher", "iv_bytes"), CASES)
def test_nothing_is_given_out_before_it_is_verified(cipher: Cipher, iv_bytes: int, tmp_path: Path) -> None:
    """Cut, a wrong key, a last bit flipped: one failure without a reason, no content, no file."""
    good, spool = sealed(cipher, iv_bytes), Watched(tmp_path)
    for octets in (b"", good[:5], good[:-1], good[: cipher.block_bytes], good[:-1] + bytes([good[-1] ^ 1])):
        with pytest.raises(Undecryptable) as failure:
            decrypt_content(Crumbs(octets, 16), key(cipher), cipher, iv_bytes, spool)
        assert "" == str(failure.value)
    with pytest.raises(Undecryptable):
        decrypt_content(Crumbs(good, 16), key(cipher)[:-1], cipher, iv_bytes, spool)

    assert [] == spool.given
    assert [] == _spool_files(tmp_path)


def test_a_flipped_bit_in_a_large_part(tmp_path: Path) -> None:
    """Megabytes are written before the tag is seen, and none of them can be read when it does not fit."""
    cipher = CIPHERS["http://www.w3.org/2009/xmlenc11#aes256-gcm"]
    octets = bytearray(os.urandom(3_000_000))
    spool = Watched(tmp_path)
    with pytest.raises(Undecryptable):
        decrypt_content(MemoryContent(bytes(octets)), key(cipher), cipher, 12, spool)

    assert [] == spool.given
    assert [] == _spool_files(tmp_path)


ALPHABET = st.sampled_from([b"QUJD", b"QQ==", b"QUI=", b"Q", b"=", b"\n", b"\r\n", b" ", b"-", b"\xff", b"+/"])


@given(pieces=st.lists(st.lists(ALPHABET, max_size=4).map(b"".join), max_size=8))
def test_base64_in_pieces(pieces: list[bytes]) -> None:
    """The octets of the whole text, or the same refusal."""
    expected = _result(lambda: from_base64(b"".join(pieces)))

    assert expected == _result(lambda: decode_base64(pieces, MEMORY).read())


QUOTED = st.lists(st.sampled_from([b"=3D", b"=", b"=\r\n", b"\n", b"a ", b"=C3=A4", b"=\r", b"==", b"\r\n", b"=G"]))


@given(text=QUOTED.map(b"".join), size=st.integers(1, 9))
def test_quoted_printable_in_pieces(text: bytes, size: int) -> None:
    """As the whole text would be."""
    head = b"Content-ID: <a>\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    whole = message("%s").replace(b"%s", head + text)

    assert binascii.a2b_qp(text) == read(Crumbs(whole, size), spool=MEMORY).others[0].data


def test_a_quoted_printable_line_is_limited() -> None:
    """What has no end of line would have to be held."""
    head = b"Content-ID: <a>\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    whole = message("%s").replace(b"%s", head + b"a" * (2 * LIMITS.max_quoted_line))
    with pytest.raises(Rejected) as refusal:
        read(Crumbs(whole, 1000))
    assert ("mime.limit", "quoted-printable") == (refusal.value.code, refusal.value.where)


PARTS = st.sampled_from(
    [
        *(f"--{BOUNDARY}", f"--{BOUNDARY}--", f"--{BOUNDARY} \t", f"--{BOUNDARY}x", "\r\n", "\r", "\n", "--", "a", " "),
        *("Content-ID: <a>", "Content-ID: <b>", "Content-Transfer-Encoding: base64", "\r\n\r\n", "QUJD", "="),
    ]
)


@settings(max_examples=400)
@given(inside=st.lists(PARTS, max_size=12).map("".join), size=st.integers(1, 40))
def test_mime_in_pieces(inside: str, size: int) -> None:
    """The same parts, or the same refusal, wherever the pieces end."""
    for whole in (message(inside), message(f"Content-ID: <c>\r\n\r\n{inside}")):
        expected = _result(lambda: _parts_of(read(whole)))  # noqa: B023  # called at once

        assert expected == _result(lambda: _parts_of(read(Crumbs(whole, size), spool=MEMORY)))  # noqa: B023


def test_parts_are_windows() -> None:
    """A part that is not coded is not copied."""
    found = read(message("Content-ID: <a>\r\n\r\nabc"))

    assert isinstance(found.others[0].content, Section)


@pytest.mark.parametrize("damage", [None, *Damage], ids=lambda damage: damage.name if damage else "whole")
def test_letters_through_spool_files(
    damage: Damage | None, letter: Letter, pki: Pki, keyring: Keyring, randomness: Random, tmp_path: Path
) -> None:
    """A letter is opened, or refused, in the same words; what comes out lies in spool files of which no name is left."""
    protection: dict[str, Any] = {"parties": pki.parties, "random": randomness, "now": NOW}
    octets = tampered(damage, letter, **protection) if damage else seal(letter, **protection)
    spool = Spool(tmp_path, memory_bytes=50)

    expected = _opened(MemoryContent(octets), keyring, None)

    assert expected == _opened(spool.keep(octets), keyring, spool)
    assert expected == _opened(_Changing(octets, 1000), keyring, spool)
    assert [] == _spool_files(tmp_path)


def test_the_transport_alone(letter: Letter, pki: Pki, keyring: Keyring, randomness: Random, tmp_path: Path) -> None:
    """Id, subject, certificates and the transport signature, without a content key."""
    octets = seal(letter, parties=pki.parties, random=randomness, now=NOW)
    spool = Spool(tmp_path, memory_bytes=50)

    found = open_transport(spool.keep(octets), keyring=keyring, policy=profile("osci"), at=NOW, spool=spool)

    assert (letter.message_id, letter.subject) == (found.opened.message_id, found.opened.subject)
    assert [("transport", True)] == [(one.layer, one.valid) for one in found.opened.signatures]
    assert () == found.opened.contents == found.opened.attachments
    assert found.encrypted
    assert "CipherCertificateIntermediary" in found.certificates


class _Changing(Crumbs):
    """Content that gives its bytes once and then others, as a file may that somebody else can write."""

    _is_read = False

    def read(self) -> bytes:
        data, self._data = self._data, bytes(len(self._data))
        return data

    def open(self) -> Any:
        stream = super().open()
        self.read()
        return stream


def _opened(raw: Content, keyring: Keyring, spool: Spool | None) -> object:
    try:
        found = open_message(raw, keyring=keyring, policy=profile("osci"), at=NOW, spool=spool).opened
    except NotOpened as fault:
        return fault.code, fault.where, fault.osci_code, fault.findings
    parts = (*found.contents, *found.attachments)
    return found.signatures, found.facts, [(one.name, one.content.read(), one.covered_by) for one in parts]


def _result(call: Callable[[], Any]) -> object:
    try:
        return call()
    except Rejected as fault:
        return fault.code, fault.where


def _parts_of(found: MimeMessage) -> list[tuple[str, str, bytes]]:
    return [(part.content_id, part.media_type, part.data) for part in (found.root, *found.others)]


def _spool_files(folder: Path) -> list[str]:
    """Those with a name and those that only an open descriptor holds."""
    held = [Path("/proc/self/fd") / fd for fd in os.listdir("/proc/self/fd")]
    targets = [str(one.readlink()) for one in held if one.is_symlink()]
    return [*os.listdir(folder), *(target for target in targets if str(folder) in target)]
