"""Attacks on the one who fetches and sends: an intermediary, or somebody on the line, that lies."""

from __future__ import annotations

from typing import Any

import pytest

from intermediary.core.faults import Fault, Unclear
from intermediary.core.values import MemoryContent
from intermediary.keys.ring import Keyring
from intermediary.osci.client.dialog import Dialog
from intermediary.osci.write import DialogRequest, write_fault
from intermediary.unseal import NotOpened, profile
from intermediary.unseal.osci.message import open_message
from tests.evil.forger import NOW
from tests.unit.osci.client.conftest import keyring, logged, make_line, pki  # noqa: F401  # the same cast

LINE_BREAK = "9000\nHerr Mustermann wohnt in der Musterstraße"


def fault_with(code: str) -> bytes:
    return write_fault("9000", "synthetisch", server=True).replace(b"<osci:Code>9000<", f"<osci:Code>{code}<".encode())


@pytest.mark.parametrize("code", ["9805", "9806", "9801", "9803", "9810", "0800", "3800"])
def test_a_fault_nobody_signed_is_no_verdict_on_an_order(make_line: Any, code: str) -> None:  # noqa: F811
    """A SOAP fault is plain: a code of the order level in it neither refuses nor confirms what was sent."""
    line, fake = make_line()
    fake.twist(1, lambda _: fault_with(code))
    dialog = Dialog(line)
    dialog.open()

    with pytest.raises(Unclear) as caught:
        dialog.ask("GetMessageId", DialogRequest())

    assert "dialog.no-answer" == caught.value.code


def test_what_stands_in_a_fault_is_not_repeated(make_line: Any) -> None:  # noqa: F811
    """The place of a fault holds four digits or nothing: no names, no line breaks, whatever the other side writes."""
    line, fake = make_line()
    fake.twist(0, lambda _: fault_with(LINE_BREAK))

    with pytest.raises(Fault) as caught:
        Dialog(line).open()

    assert "Mustermann" not in caught.value.where


def test_a_fault_that_is_handed_in_brings_no_code_of_its_own() -> None:
    """What is kept of a refused message for the operator is not the sender's text."""
    with pytest.raises(NotOpened) as caught:
        open_message(MemoryContent(fault_with(LINE_BREAK)), keyring=Keyring([]), policy=profile("osci"), at=NOW)

    assert "Mustermann" not in (caught.value.osci_code or "")
