"""Whatever a letter says and however it is protected: what was put in comes out."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intermediary.osci.write import Attachment, seal
from intermediary.osci.write.markup import attribute, text
from tests.unit.osci.write import plain
from tests.unit.osci.write.letters import letters

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
EXAMPLES = 300


@settings(max_examples=EXAMPLES)
@given(letter=letters, seed=st.integers(0, 1000))
def test_every_letter_opens_to_what_it_was(pki, letter, seed):
    """Contents and attachments are equal, and every signature there is verifies in the eyes of libxmlsec."""
    message = seal(letter, parties=pki.parties, random=random.Random(seed).randbytes, now=NOW)
    if letter.transport_cipher is not None:
        message = plain.open_transport(message, pki.members["recipient-cipher"].private)
    box = plain.container(message, pki.members["reader-cipher"].private)
    attached = plain.attachments(message, box)
    transport = plain.envelope(message).find("soap:Header/osci:ClientSignature/ds:Signature", plain.NS)
    content = box.find("ds:Signature", plain.NS)

    assert list(letter.contents) == plain.contents(box)
    assert {attachment.name: attachment.data for attachment in letter.attachments} == attached
    assert (transport is not None, content is not None) == (
        letter.transport_signature is not None,
        bool(letter.content_signatures),
    )
    if transport is not None:
        wire = {part.name: part.data for part in plain.split(message)[1:]}
        assert plain.is_signature_good(transport, pki.members["intermediary-signature"].certificate, wire)
    if content is not None:
        assert plain.is_signature_good(content, pki.members["author-signature"].certificate, attached)


@pytest.mark.parametrize("escape", [text, attribute])
@pytest.mark.parametrize("wrong", ["\x00", "\x1b", "\ud800", "\ufffe"])
def test_what_xml_cannot_carry_is_refused(escape, wrong):
    """Characters outside XML 1.0 are a ValueError, never a broken document."""
    with pytest.raises(ValueError, match="XML"):
        escape(f"a{wrong}b")


@pytest.mark.parametrize("wrong", ["", "a\r\nX: y", "a<b", "a>", 'a"'])
def test_names_that_would_break_a_header_are_refused(wrong):
    """An attachment's name cannot end its MIME header or attribute."""
    with pytest.raises(ValueError, match="name"):
        Attachment(wrong, "application/pdf", b"")


def test_a_letter_is_refused_where_it_cannot_be_written(pki, letter, randomness, now):
    """Two attachments of one name, an answer outside a dialog and a naive moment are mistakes of the caller."""
    with pytest.raises(ValueError, match="same name"):
        replace(letter, attachments=letter.attachments[:1] * 2)
    with pytest.raises(ValueError, match="dialog"):
        replace(letter, message_type="ResponseToFetchDelivery")
    with pytest.raises(ValueError, match="aware"):
        seal(letter, parties=pki.parties, random=randomness, now=now.replace(tzinfo=None))
