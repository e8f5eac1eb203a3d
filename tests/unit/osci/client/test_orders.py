"""What an order element says comes out typed: against every vector's sidecar, and for what no vector has."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from intermediary.core.faults import Rejected
from intermediary.core.values import MemoryContent
from intermediary.keys import private
from intermediary.keys.ring import Keyring
from intermediary.unseal.osci.cards import Order
from intermediary.unseal.osci.feedback import Entry, errors, is_success
from intermediary.unseal.osci.message import open_message
from intermediary.unseal.osci.partial import ChunkInformation, Features, read_chunk_information, read_features
from intermediary.unseal.osci.selection import SelectionRule, read_limit, read_selection
from intermediary.unseal.policy import profile
from tests.vectors.cases import OWN_KEYS, PASSWORD, Case, cases

_AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
_OSCI = 'xmlns:osci="http://www.osci.de/2002/04/osci" xmlns:osci2017="http://xoev.de/transport/osci12/7"'


def _opened(case: Case, keyring: Keyring) -> Order:
    content = MemoryContent(case.message)
    return open_message(content, keyring=keyring, policy=profile("legacy"), at=_AT).order


def _stated(sidecar: dict[str, Any]) -> dict[str, Any]:
    cards = [
        (card["element"], card["messageId"], card["recentModification"], card.get("reception", {}).get("value", ""))
        for card in sidecar.get("processCards", [])
    ]
    return {
        "feedback": [(entry["code"], entry["text"], entry["lang"]) for entry in sidecar.get("feedback", [])],
        "inside": [entry["code"] for entry in sidecar.get("insideFeedback", [])],
        "cards": cards,
        "receiver": sidecar.get("contentReceiver", ""),
        "info_only": bool(sidecar.get("infoOnly", False)),
    }


def _found(order: Order) -> dict[str, Any]:
    return {
        "feedback": [(entry.code, entry.text, entry.language) for entry in order.entries],
        "inside": [entry.code for entry in order.inside],
        "cards": [(card.kind, card.message_id, card.modified, card.reception) for card in order.cards],
        "receiver": order.receiver,
        "info_only": order.info_only,
    }


def test_orders_are_those_of_the_sidecars(shared: Path) -> None:
    """Feedback, process cards, receivers and chunk marks of all positive vectors are what their sidecars state."""
    folder = shared / "vectors/osci"
    keyring = Keyring([private.from_p12(folder / "keys" / f"{name}.p12", PASSWORD, name) for name in OWN_KEYS])
    differing, seen = [], 0
    for case in cases(folder, "positive"):
        sidecar = case.sidecar
        if sidecar["messageType"] == "SOAPFault" or "stranger" in case.name:
            continue
        seen += 1
        order = _opened(case, keyring)
        if _stated(sidecar) != _found(order):
            differing.append((case.name, _stated(sidecar), _found(order)))

    assert [] == differing
    assert seen > 80


def test_rules_limits_and_chunks_of_the_vectors(shared: Path) -> None:
    """Selection rules, limits, chunk information and announced features come out with their units."""
    folder = shared / "vectors/osci"
    keyring = Keyring([private.from_p12(folder / "keys" / f"{name}.p12", PASSWORD, name) for name in OWN_KEYS])
    orders = {case.name: _opened(case, keyring) for case in cases(folder, "positive") if case.name in _NAMED}

    assert SelectionRule(received_since="2025-03-01T00:00:00+01:00") == orders["fetch-03-by-date"].selection
    assert SelectionRule(received_since="2025-03-01T00:00:00+01:00") == orders["fetch-resp-03-more"].selection
    modified = SelectionRule(modified_since="2025-03-01T00:00:00+01:00", role="Addressee")
    assert (modified, 50) == (
        orders["fetchpc-02-by-modification"].selection,
        orders["fetchpc-02-by-modification"].limit,
    )
    unread = orders["fetchpc-resp-02-none"].selection
    assert unread is not None
    assert (True, "Originator") == (unread.no_reception, unread.role)
    by_id = orders["fetchpc-01-by-id"].selection
    assert by_id is not None
    assert [True, True] == [one.startswith("urn:osci:") for one in by_id.message_ids]
    assert orders["fetch-01-none"].selection is None
    assert ChunkInformation(number=1, chunk_bytes=58 * 1024, none_received=True) == orders["partial-fetch-req-01"].chunk
    assert ChunkInformation(number=2, total=2, total_kilobytes=115) == orders["partial-fetch-resp-02"].chunk
    assert ChunkInformation(number=3, received=(1, 2, 3)) == orders["partial-store-resp-03"].chunk
    features = orders["init-resp-01"].features
    assert features is not None
    assert features.takes_chunks
    assert (10240 * 1024, 100 * 1024, 204800 * 1024) == (
        features.max_chunk_bytes,
        features.min_chunk_bytes,
        features.max_message_bytes,
    )


_NAMED = {
    "fetch-01-none",
    "fetch-03-by-date",
    "fetch-resp-03-more",
    "fetchpc-01-by-id",
    "fetchpc-02-by-modification",
    "fetchpc-resp-02-none",
    "init-resp-01",
    "partial-fetch-req-01",
    "partial-fetch-resp-02",
    "partial-store-resp-03",
}


@pytest.mark.parametrize(
    ("codes", "success", "failed"),
    [
        (("0800",), True, ()),
        (("0801", "3800"), True, ()),
        (("3800",), False, ()),
        ((), False, ()),
        (("0801", "9811"), False, ("9811",)),
    ],
)
def test_success_needs_a_zero_and_no_nine(codes: tuple[str, ...], success: bool, failed: tuple[str, ...]) -> None:
    """At least one 0xxx and no 9xxx is success; warnings alone are not (digest §15)."""
    entries = [Entry(code, "") for code in codes]

    assert success is is_success(entries)
    assert failed == errors(entries)


def _element(xml: str) -> Any:
    return etree.fromstring(f"<osci:o {_OSCI}>{xml}</osci:o>")


@pytest.mark.parametrize(
    "xml",
    [
        "<osci:SelectionRule><osci:MessageId>YQ==</osci:MessageId><osci:Other>x</osci:Other></osci:SelectionRule>",
        "<osci:SelectionRule><osci:MessageId>!</osci:MessageId></osci:SelectionRule>",
        "<osci:SelectionRule><osci:Other/></osci:SelectionRule>",
        '<osci:SelectionRule><osci:RecentModification Role="Nobody">x</osci:RecentModification></osci:SelectionRule>',
        "<osci:SelectionRule/><osci:SelectionRule/>",
        '<osci:Quantity Limit="0"/>',
        '<osci:Quantity Limit="99999999999999999999999"/>',
        '<osci2017:ChunkInformation ChunkNumber="1e9"/>',
        '<osci2017:ChunkInformation ReceivedChunks="1 x"/>',
        '<osci2017:ChunkInformation ChunkSize="-4"/>',
    ],
)
def test_what_cannot_be_meant_is_refused(xml: str) -> None:
    """A rule, limit or chunk information that contradicts itself is a structure fault, never a guess."""
    order = _element(xml)
    with pytest.raises(Rejected) as refused:
        (read_selection(order), read_limit(order), read_chunk_information(order))

    assert "osci.structure" == refused.value.code


def test_the_timeout_of_chunks_in_both_spellings() -> None:
    """The library spells ChunkMessageTimeout, the schema ChunkMessageTimeOut: both are read (digest §18 no. 12)."""
    for spelling in ("ChunkMessageTimeout", "ChunkMessageTimeOut"):
        block = etree.fromstring(f'<osci2017:FeatureDescription {_OSCI} Id="f" {spelling}="30"/>')

        assert Features(versions={}, chunk_timeout_seconds=30) == read_features(block)
