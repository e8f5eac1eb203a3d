"""A dialog believes only what belongs to it, and is silent after the first doubt."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from intermediary.core.faults import Fault, Misconfigured, Rejected, Transient, Unclear
from intermediary.osci.client.dialog import Dialog, DialogState
from intermediary.osci.client.verdicts import VERDICTS, fault_of
from intermediary.osci.write import Answer, DialogRequest, Fetch, entry
from intermediary.osci.write.feedback import TEXTS
from tests.unit.osci.client.conftest import MakeLine
from tests.unit.osci.client.partner import Lying, Reply


def control(**changes: object) -> Callable[[Reply], Reply]:
    """A twist that changes the control block of an answer."""
    return lambda reply: replace(reply, control=replace(reply.control, **changes))


def test_a_whole_dialog(make_line: MakeLine) -> None:
    """Requests count from 0, each answer's challenge is answered, the end is an ExitDialog (§7)."""
    line, fake = make_line([Lying("a/1")])
    dialog = Dialog(line)
    dialog.open()
    delivery = dialog.ask("FetchDelivery", Fetch())
    dialog.secured()
    nothing = dialog.ask("FetchDelivery", Fetch())
    dialog.close()

    assert ["InitDialog", "FetchDelivery", "FetchDelivery", "ExitDialog"] == fake.seen
    assert ("a/1", ("9803",), DialogState.ENDED) == (delivery.order.message_id, nothing.errors, dialog.state)
    assert ["a/1"] == fake.received


def test_an_implicit_dialog(make_line: MakeLine) -> None:
    """A single request stands alone: number 0, no conversation, and an answer that may bring one."""
    line, fake = make_line()
    dialog = Dialog(line)
    answer = dialog.ask_alone("GetMessageId", DialogRequest())

    assert ("id/1", DialogState.ENDED) == (answer.order.message_id, dialog.state)
    assert ["GetMessageId"] == fake.seen


def test_every_challenge_is_fresh(make_line: MakeLine) -> None:
    """No challenge of ours is used twice."""
    line, fake = make_line()
    challenges = []
    for number in range(4):
        fake.twist(number, lambda reply: (challenges.append(reply.control.response), reply)[1])
    dialog = Dialog(line)
    dialog.open()
    dialog.ask("FetchDelivery", Fetch())
    dialog.ask("FetchDelivery", Fetch())
    dialog.close()

    assert 4 == len(set(challenges))


DEVIATIONS: dict[str, tuple[Callable[[Reply], object], type[Fault], str]] = {
    "wrong response": (control(response="AAAAAAAAAAAAAA=="), Transient, "dialog.broken"),
    "wrong conversation": (control(conversation_id="4711"), Transient, "dialog.broken"),
    "wrong sequence number": (control(sequence_number=7), Transient, "dialog.broken"),
    "another kind": (
        lambda reply: replace(
            reply, kind="ResponseToStoreDelivery", package=None, order=Answer(feedback=(entry("0801"),))
        ),
        Unclear,
        "dialog.answer.unreadable",
    ),
    "encrypted for somebody else": (
        lambda reply: replace(reply, for_client=False),
        Unclear,
        "dialog.answer.unreadable",
    ),
    "no OSCI": (lambda reply: b"<html>502 Bad Gateway</html>", Unclear, "dialog.answer.unreadable"),
    "in the open": (lambda reply: replace(reply, encrypted=False), Unclear, "dialog.answer.unprotected"),
    "unsigned": (lambda reply: replace(reply, signed=False), Unclear, "dialog.answer.unprotected"),
    "no answer": (lambda reply: Unclear("dialog.no-answer"), Unclear, "dialog.no-answer"),
    "not sent": (lambda reply: Transient("dialog.unreachable"), Transient, "dialog.unreachable"),
}


@pytest.mark.parametrize("name", DEVIATIONS)
def test_after_a_deviation_nothing_more_is_sent(name: str, make_line: MakeLine) -> None:
    """Whatever does not belong to the dialog ends it: no further request, not even ExitDialog (§1)."""
    twist, kind, code = DEVIATIONS[name]
    line, fake = make_line([Lying("a/1"), Lying("a/2")])
    dialog = Dialog(line)
    dialog.open()
    fake.twist(1, twist)  # type: ignore[arg-type]
    with pytest.raises(kind) as caught:
        dialog.ask("FetchDelivery", Fetch())

    assert code == caught.value.code
    assert DialogState.ENDED is dialog.state
    for again in (dialog.close, lambda: dialog.ask("FetchDelivery", Fetch()), dialog.open):
        with pytest.raises(AssertionError):
            again()
    assert (2, []) == (len(fake.seen), fake.received)


def test_a_signer_the_directory_does_not_list(make_line: MakeLine) -> None:
    """A good signature of somebody else is none: the partner's certificates are pinned."""
    line, fake = make_line()
    stranger = replace(line.intermediary, signatures=frozenset({b"another certificate"}))
    with pytest.raises(Unclear) as caught:
        Dialog(replace(line, intermediary=stranger)).open()

    assert "dialog.answer.unprotected" == caught.value.code
    assert ["InitDialog"] == fake.seen


def test_without_pinned_certificates_trust_decides(make_line: MakeLine) -> None:
    """A partner without listed signature certificates is believed if the keyring's anchors vouch for the signer."""
    line, _ = make_line()
    unpinned = replace(line, intermediary=replace(line.intermediary, signatures=frozenset()))

    assert ("0801",) == Dialog(unpinned).open().codes


@pytest.mark.parametrize(
    ("code", "kind"),
    [("9000", Transient), ("9200", Misconfigured), ("9400", Transient), ("9502", Misconfigured), ("1234", Unclear)],
)
def test_a_soap_fault_is_translated(code: str, kind: type[Fault], make_line: MakeLine) -> None:
    """A SOAP fault is plain and unsigned, and its code says who can heal it."""
    line, fake = make_line()
    fake.twist(0, lambda reply: fake.fault(code))
    dialog = Dialog(line)
    with pytest.raises(kind) as caught:
        dialog.open()

    assert caught.value.where.endswith(f": {code}")
    assert DialogState.ENDED is dialog.state


def test_a_dialog_that_was_refused_is_over(make_line: MakeLine) -> None:
    """Without 0801 there is no dialog to go on with."""
    line, fake = make_line()
    fake.twist(0, lambda reply: replace(reply, order=Answer(feedback=(entry("9502"),))))
    dialog = Dialog(line)
    answer = dialog.open()

    assert (("9502",), DialogState.ENDED) == (answer.errors, dialog.state)


def test_an_unsecured_delivery_stops_its_own_caller(make_line: MakeLine) -> None:
    """Who forgets to make a delivery durable cannot give it up: neither by the next request nor by ExitDialog."""
    line, fake = make_line([Lying("a/1")])
    dialog = Dialog(line)
    dialog.open()
    dialog.ask("FetchDelivery", Fetch())
    for careless in (dialog.close, lambda: dialog.ask("FetchDelivery", Fetch())):
        with pytest.raises(AssertionError):
            careless()

    assert ["InitDialog", "FetchDelivery"] == fake.seen
    assert [] == fake.received


def test_every_error_code_has_a_verdict() -> None:
    """All 9xxx that OSCI 1.2 knows are translated; an unknown one is Unclear."""
    assert {code for code in TEXTS if code.startswith("9")} == set(VERDICTS)
    for code, (kind, name) in VERDICTS.items():
        fault = fault_of([code, "9000"], where="partner x")
        assert (kind, name, f"partner x: {code}") == (type(fault), fault.code, fault.where)
    assert isinstance(fault_of([], where="partner x"), Unclear)


def test_control_of_the_fake_is_strict(make_line: MakeLine) -> None:
    """The stand-in refuses a request with the wrong number: the tests above cannot pass by its leniency."""
    line, fake = make_line()
    dialog = Dialog(line)
    dialog.open()
    dialog._sequence = 5
    with pytest.raises(AssertionError):
        dialog.ask("FetchDelivery", Fetch())

    assert ["InitDialog", "FetchDelivery"] == fake.seen


def test_the_page_shows_every_verdict(project: Path) -> None:
    """docs/reference/osci-send.md has each error code once, beside the code and the healer the client gives it."""
    page = (project / "docs/reference/osci-send.md").read_text(encoding="utf-8")
    healers = {Transient: "time", Misconfigured: "the operator", Rejected: "the recipient", Unclear: "a look"}
    shown = {
        code: (name, healer)
        for codes, name, healer in re.findall(r"^\| ([0-9 ]+) \| `([a-z.-]+)` \| ([a-z ]+?)(?::| has)", page, re.M)
        for code in codes.split()
    }

    assert {code: (name, healers[kind]) for code, (kind, name) in VERDICTS.items()} == shown
