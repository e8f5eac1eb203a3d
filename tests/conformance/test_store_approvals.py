"""Any engine: requests for a second person take every step once, and leave their events."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from intermediary.store import NotFound, Store
from intermediary.store.approvals import Approval, ApprovalState, NotApproved
from intermediary.store.demands import demands_of
from tests.conformance.store_kit import NOW, SECOND, Bench

ASKED = "ab" * 32
REQUEST = Approval(
    id="4f3a2b1c",
    verb="discard",
    asked='{"asked":{},"verb":"discard"}',
    asked_sha256=ASKED,
    effect={"count": 1, "lines": ["eine Zeile"], "ids": ["n1"]},
    reason="doppelt eingereicht",
    actor="adler",
    subject="adler",
    created_at=NOW,
    expires_at=NOW + timedelta(hours=24),
)
SECOND_PERSON = {"actor": "bussard", "subject": "bussard", "reason": "stimmt"}


def _approved(store: Store) -> Approval:
    store.approvals.ask(REQUEST)
    return store.approvals.decide(REQUEST.id, approves=True, now=NOW + SECOND, **SECOND_PERSON)


def _why(store: Store, **asked: object) -> str:
    wanted = {"asked_sha256": ASKED, "actor": "adler", "now": NOW + 2 * SECOND} | asked
    with pytest.raises(NotApproved) as refusal:
        store.approvals.use(REQUEST.id, **wanted)  # type: ignore[arg-type]
    return refusal.value.why


def test_a_request_goes_its_way(store: Store) -> None:
    """Asked, approved and used: every step in the row and in the installation's chain, with both names."""
    approved = _approved(store)
    used = store.approvals.use(REQUEST.id, asked_sha256=ASKED, actor="adler", now=NOW + 2 * SECOND)
    now_known = store.approvals.get("4f3a")
    told = [entry.event for entry in store.events_of_installation() if entry.event.name.startswith("approval.")]

    assert (ApprovalState.APPROVED, "bussard") == (approved.state, approved.second_actor)
    assert approved == used
    assert (ApprovalState.USED, "adler", NOW + 2 * SECOND) == (now_known.state, now_known.used_by, now_known.used_at)
    assert ["approval.requested", "approval.given", "approval.used"] == [event.name for event in told]
    assert ("adler", "bussard", "adler") == tuple(event.actor for event in told)
    assert ("adler", "bussard") == (told[-1].fields["requested_by"], told[-1].fields["approved_by"])
    assert [now_known] == list(store.approvals.find())


def test_what_is_not_approved_is_not_used(store: Store) -> None:
    """Unknown, open, refused, over or given for something else: nothing is used, and no event says so."""
    assert "unknown" == _why(store)
    store.approvals.ask(REQUEST)
    assert "open" == _why(store)
    store.approvals.ask(replace(REQUEST, id="00000000"))
    store.approvals.decide("00000000", approves=False, now=NOW, **SECOND_PERSON)
    with pytest.raises(NotApproved, match="refused"):
        store.approvals.use("00000000", asked_sha256=ASKED, actor="adler", now=NOW)
    store.approvals.decide(REQUEST.id, approves=True, now=NOW, **SECOND_PERSON)
    assert "changed" == _why(store, asked_sha256="cd" * 32)
    assert "expired" == _why(store, now=REQUEST.expires_at)
    assert ApprovalState.APPROVED is store.approvals.get(REQUEST.id).state
    assert not any(entry.event.name == "approval.used" for entry in store.events_of_installation())


def test_a_word_is_given_once(store: Store) -> None:
    """Who comes second, or too late, is told; the first word stands."""
    store.approvals.ask(REQUEST)
    with pytest.raises(NotApproved, match="expired"):
        store.approvals.decide(REQUEST.id, approves=True, now=REQUEST.expires_at, **SECOND_PERSON)
    store.approvals.decide(REQUEST.id, approves=False, now=NOW, **SECOND_PERSON)
    with pytest.raises(NotApproved, match="refused"):
        store.approvals.decide(REQUEST.id, approves=True, now=NOW, **SECOND_PERSON)

    assert ApprovalState.REFUSED is store.approvals.get(REQUEST.id).state


def test_two_nodes_use_it_once(bench: Bench) -> None:
    """Many ask at the same moment, through several opened stores: exactly one may carry it out."""
    stores = [bench.open() for _ in range(4)]
    _approved(stores[0])

    def attempt(number: int) -> str:
        try:
            stores[number % 4].approvals.use(REQUEST.id, asked_sha256=ASKED, actor="adler", now=NOW + 2 * SECOND)
        except NotApproved as refusal:
            return refusal.why
        return "mine"

    with ThreadPoolExecutor(8) as pool:
        answers = sorted(pool.map(attempt, range(16)))

    assert ["mine", *["used"] * 15] == answers
    events = [entry.event.name for entry in stores[0].events_of_installation()]
    assert 1 == events.count("approval.used")


def test_a_request_is_found_by_the_beginning_of_its_id(store: Store) -> None:
    """Not by nothing, not by what two have in common."""
    store.approvals.ask(REQUEST)
    store.approvals.ask(replace(REQUEST, id="4f000000"))

    assert REQUEST == store.approvals.get("4f3")
    for prefix in ("", "4f", "9", "%"):
        with pytest.raises(NotFound):
            store.approvals.get(prefix)


def test_what_was_demanded_is_remembered(bench: Bench) -> None:
    """By every opened store, whatever is demanded later; it is forgotten only with the event that tells who agreed."""
    first, second = bench.open(), bench.open()
    known, more = demands_of(["discard"], [["b", "a"]]), demands_of(["reveal"], [["a", "b"]])
    first.approvals.remembered.add(known)
    second.approvals.remembered.add(more)
    second.approvals.remembered.add(demands_of([], []))

    assert known | more == first.approvals.remembered.get()
    assert {("a", "b")} == first.approvals.remembered.get().same_person

    names = {"approval": "4f3a2b1c", "requested_by": "adler", "approved_by": "bussard"}
    second.approvals.remembered.loosen(
        demands_of(["discard"], []), names=names, actor="adler", reason="Beschluss", now=NOW
    )
    (told,) = [one.event for one in first.events_of_installation() if one.event.name == "approval.loosened"]

    assert more == first.approvals.remembered.get()
    assert (["discard"], [], "bussard") == (
        told.fields["required"],
        told.fields["same_person"],
        told.fields["approved_by"],
    )
    assert known - more == demands_of(["discard"], [])


def test_many_remember_at_once(bench: Bench) -> None:
    """Nodes that start at the same moment lose nothing of what each demands."""
    stores = [bench.open() for _ in range(4)]
    verbs = ("discard", "reveal", "replay", "reject")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: stores[n].approvals.remembered.add(demands_of([verbs[n]], [])), range(4)))

    assert set(verbs) == stores[0].approvals.remembered.get().required
