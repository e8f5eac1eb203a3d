"""Forged content packages: what no trusted author signed never counts as signed, whatever it is called (threat T5)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from intermediary.core.values import Opened
from intermediary.osci.write import Attachment, Letter, Parties
from intermediary.osci.write.content import Content
from intermediary.testing.pki import Pki
from intermediary.unseal import NotOpened
from intermediary.unseal.require import missing
from tests.evil.forger import PSS, Forger, Holder, Loose, Several, Written, box, delivered

DEMAND = ("content-signature", "trusted")
PDF = Attachment("anlage.pdf", "application/pdf", b"%PDF-1.4")
GOOD = Content("content0", b"<antrag>GOOD</antrag>")
EVIL = Content("content9", b"<antrag>EVIL</antrag>")
REFERENCE = Content("content1", attachment=PDF.name)
BORROWED = Content("content8", attachment=PDF.name)

SEALED = Letter(message_id="urn:osci:beispiel:4711", contents=(b"x",), content_signatures=(PSS, PSS))
BARE = replace(SEALED, content_cipher=None)
"""Two authors are listed: the first one is trusted, the second one is the forger's own."""

Forgery = Callable[[Forger], Written]


def opened(
    forgery: Forgery, letter: Letter, pki: Pki, parties: Parties, require: tuple[str, ...] = ()
) -> tuple[Opened, tuple[bytes, ...]]:
    """The forged message through unseal, and the octets of its contents."""
    result = delivered(forgery(Forger(letter, parties)), letter, pki, parties, require)
    return result, tuple(part.content.read() for part in result.contents)


def container_beside(forger: Forger) -> Written:
    """An unsigned container in front of the signed one."""
    good = forger.pack(forger.sign(box("contentcontainer0", GOOD)))
    return Written(Several((box("other", EVIL), good.container)), good)


def sealed_without_id(forger: Forger) -> Written:
    """Two EncryptedData without Id hold containers of the same Id, the unsigned one first."""
    evil = forger.pack(box("contentcontainer0", EVIL))
    good = forger.pack(forger.sign(box("contentcontainer0", GOOD)))
    return Written(Several((Loose(evil.container), Loose(good.container))), good)


def same_id_sealed(forger: Forger) -> Written:
    """An EncryptedData without Id beside one whose Id is what the first would be called."""
    evil = forger.pack(box("contentcontainer0", EVIL)).container
    good = forger.pack(forger.sign(box("contentcontainer0", GOOD)))
    named = replace(good.container, id="encdata")
    return Written(Several((Loose(evil), named)), good)


def bare_without_id(forger: Forger) -> Written:
    """Two open containers without Id, the unsigned one first."""
    good = forger.pack(forger.sign(box("contentcontainer0", GOOD)))
    return Written(Several((Loose(box("other", EVIL)), Loose(good.container))), good)


def signed_inside(forger: Forger) -> Written:
    """The signed container wrapped into an unsigned one that has a content of its own."""
    good = forger.sign(box("contentcontainer0", GOOD))
    outer = box("outer", EVIL, Holder("content7", good))
    return Written(outer, forger.pack(outer))


def sealed_inside(forger: Forger) -> Written:
    """The signed container, encrypted, inside an unsigned open one that has a content of its own."""
    good = forger.pack(forger.sign(box("contentcontainer0", GOOD)))
    return Written(replace(box("outer", EVIL), keys=(good.container.xml(""),)), good)


def borrowed_attachment(forger: Forger) -> Written:
    """An unsigned container refers to the attachment that the author signed in hers."""
    good = forger.pack(forger.sign(replace(box("contentcontainer0", GOOD, REFERENCE), attachments=(PDF,))), PDF)
    return Written(Several((good.container, box("other", BORROWED))), good)


def attachment_under_ciphertext(forger: Forger) -> Written:
    """The author signs ciphertext; the attachment referred to inside has its digest in no signature."""
    sealed = forger.pack(box("inner", GOOD, REFERENCE), PDF)
    return Written(forger.sign_ciphertext(sealed), sealed)


def signed_by_a_stranger(forger: Forger) -> Written:
    """The forger signs a container of his own, beside the author's."""
    good = forger.pack(forger.sign(box("contentcontainer0", GOOD)))
    evil = forger.sign(box("other", EVIL), author=1)
    return Written(Several((evil, good.container)), good)


UNCOVERED: list[tuple[Forgery, Letter]] = [
    (container_beside, SEALED),
    (container_beside, BARE),
    (sealed_without_id, SEALED),
    (same_id_sealed, SEALED),
    (bare_without_id, BARE),
    (signed_inside, BARE),
    (signed_inside, SEALED),
    (sealed_inside, SEALED),
    (borrowed_attachment, BARE),
    (attachment_under_ciphertext, SEALED),
    (signed_by_a_stranger, BARE),
]


@pytest.mark.parametrize(("forgery", "letter"), UNCOVERED)
def test_unsigned_parts_count_as_unsigned(forgery: Forgery, letter: Letter, pki: Pki, parties: Parties) -> None:
    """Such a package opens, its author's signature holds, and yet the demand for signatures is not met."""
    result, contents = opened(forgery, letter, pki, parties)

    assert any(fact.layer == "content" and fact.valid and fact.trusted for fact in result.signatures)
    assert GOOD.data in contents
    assert missing(result, DEMAND) == ("content-signature",)
    with pytest.raises(NotOpened) as refusal:
        opened(forgery, letter, pki, parties, require=DEMAND)
    assert (refusal.value.code, refusal.value.where) == ("signature.required", "content-signature")


@pytest.mark.parametrize(("forgery", "letter"), UNCOVERED)
def test_places_are_unique(forgery: Forgery, letter: Letter, pki: Pki, parties: Parties) -> None:
    """No two parts stand at the same place, so that people and extracted files tell them apart."""
    result, _contents = opened(forgery, letter, pki, parties)
    places = [part.place for part in (*result.contents, *result.attachments)]

    assert len(places) >= 2
    assert len(set(places)) == len(places)


def slash_in_container(forger: Forger) -> Written:
    """An unsigned container whose Id is a path into the signed one."""
    good = forger.pack(forger.sign(box("contentcontainer0", GOOD)))
    return Written(Several((box("contentcontainer0/x", EVIL), good.container)), good)


def slash_in_ciphertext(forger: Forger) -> Written:
    """An EncryptedData whose Id is a path into the signed container."""
    evil = forger.pack(box("y", EVIL)).container
    good = forger.pack(forger.sign(box("contentcontainer0", GOOD)))
    named = replace(evil, id="encdata_0/contentcontainer0/")
    return Written(Several((named, good.container)), good)


def slash_in_content(forger: Forger) -> Written:
    """A content whose Id is a path."""
    bad = box("other", replace(EVIL, id="../contentcontainer0/content9"))
    return Written(bad, forger.pack(bad))


def bracket(forger: Forger) -> Written:
    """An Id that looks like a place made unique."""
    good = forger.pack(forger.sign(box("contentcontainer0", GOOD)))
    return Written(Several((box("contentcontainer0[2]", EVIL), good.container)), good)


@pytest.mark.parametrize(
    ("forgery", "letter"),
    [(slash_in_container, BARE), (slash_in_ciphertext, SEALED), (slash_in_content, BARE), (bracket, BARE)],
)
def test_ids_are_no_paths(forgery: Forgery, letter: Letter, pki: Pki, parties: Parties) -> None:
    """An Id with a mark of a path is refused in whatever would take its place in the tree from it."""
    with pytest.raises(NotOpened) as refusal:
        opened(forgery, letter, pki, parties)

    assert (refusal.value.code, refusal.value.where) == ("osci.structure", "Id")


def nested(forger: Forger) -> Written:
    """An unsigned container inside a signed one."""
    inner = box("inner", Content("content5", b"<more/>"), REFERENCE)
    outer = forger.sign(replace(box("outer", GOOD, Holder("content7", inner)), attachments=(PDF,)))
    return Written(outer, forger.pack(outer, PDF))


def ciphertext_signed(forger: Forger) -> Written:
    """An encrypted part that the author signed as such."""
    sealed = forger.pack(box("inner", GOOD))
    return Written(forger.sign_ciphertext(sealed), sealed)


def attachment_signed_twice(forger: Forger) -> Written:
    """Two signed containers that refer to the same attachment."""
    first = forger.sign(replace(box("first", GOOD, REFERENCE), attachments=(PDF,)))
    second = forger.sign(replace(box("second", BORROWED), attachments=(PDF,)))
    return Written(Several((first, second)), forger.pack(first, PDF))


def whole(forger: Forger) -> Written:
    """What an author's letter looks like."""
    good = forger.pack(forger.sign(replace(box("contentcontainer0", GOOD, REFERENCE), attachments=(PDF,))), PDF)
    return Written(good.container, good)


@pytest.mark.parametrize(
    ("package", "letter"),
    [(nested, BARE), (ciphertext_signed, SEALED), (attachment_signed_twice, BARE), (whole, SEALED), (whole, BARE)],
)
def test_signed_parts_count_as_signed(package: Forgery, letter: Letter, pki: Pki, parties: Parties) -> None:
    """Control: whatever a trusted author's signature encloses meets the demand."""
    result, contents = opened(package, letter, pki, parties, require=DEMAND)

    assert GOOD.data in contents
    assert {fact.valid for fact in result.signatures} == {True}
    assert missing(result, DEMAND) == ()


def test_a_strangers_signature_is_a_signature(pki: Pki, parties: Parties) -> None:
    """Without a demand for trust the stranger's container is covered: only `trusted` says whose signature counts."""
    result, _contents = opened(signed_by_a_stranger, BARE, pki, parties)

    assert missing(result, ("content-signature",)) == ()
    assert [(part.covered_by, part.content.read()) for part in result.contents] == [
        (((1,),), EVIL.data),
        (((2,),), GOOD.data),
    ]
