"""The hostile corpus at the MIME reader (door osci.mime)."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from intermediary.core.faults import Rejected
from intermediary.unseal.mime import MimeMessage, read
from intermediary.xml.parser import parse
from tests.evil.corpus import FOLDER, Attack, attacks

ATTACKS = attacks("MC", "MM", "MB")


def open_mime(data: bytes) -> MimeMessage:
    """As the OSCI reader does: a UTF-8 root that is XML."""
    message = read(data)
    if message.root.parameters.get("charset", "utf-8").lower() != "utf-8":
        raise Rejected("xml.encoding")
    parse(message.root.data)
    return message


def test_the_corpus_was_found(shared: Path) -> None:
    """All MIME cases of the corpus are there."""
    assert (shared / "vectors" / "hostile" / "mime").is_dir()
    assert len(ATTACKS) == 38


@pytest.mark.parametrize("attack", ATTACKS, ids=str)
def test_osci_mime_door(attack: Attack) -> None:
    """Controls are split, attacks refused as `mime.*`, each within its ceiling."""
    data = attack.data
    began = time.process_time()
    try:
        open_mime(data)
        code = ""
    except Rejected as refusal:
        code = refusal.code
    took = time.process_time() - began

    assert took < attack.seconds
    if attack.expect in ("accept", "accept-neutralised"):
        assert code == ""
    elif attack.expect == "reject":
        assert code.startswith("mime.") or attack.id == "MM-026"


def test_a_binary_part_survives(shared: Path) -> None:
    """Zero bytes, lone CR and LF in a part arrive as they were sent."""
    data = (FOLDER / "mime" / "control-attachment-binary.mime").read_bytes()
    part = open_mime(data).others[0]

    assert part.data in data
    assert {0, 10, 13} <= set(part.data)


def test_names_are_literal(shared: Path) -> None:
    """`%61@x` and `a@x` are two names: a Content-ID is never decoded."""
    message = open_mime((FOLDER / "mime" / "cid-percent-encoding.mime").read_bytes())

    assert len({part.content_id for part in message.others}) == len(message.others)
